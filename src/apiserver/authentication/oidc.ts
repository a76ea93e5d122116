// ID tokens of an OpenID Connect issuer. The issuer's keys are found through its discovery document and remembered; a key
// that is not known yet is asked for again, at most once in a while. A token that was checked is remembered by its hash
// until it expires, because one client sends the same one with each request.
// Source: Kubernetes documentation, "Authenticating", OpenID Connect tokens; OpenID Connect Discovery 1.0.

import { createHash } from 'node:crypto';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import type { Agent } from 'undici';
import { type Clock, messageOf, systemClock } from '../../base/index.ts';
import { ApiError, type UserInfo } from '../contracts.ts';

export interface OidcOptions {
  /** https URL, exactly as in `iss`. */
  readonly issuerUrl: string;
  /** `aud` must name it. */
  readonly clientId: string;
  /** Default: sub. */
  readonly usernameClaim?: string;
  /** Default: the issuer and `#`, unless the claim is email; '-': none. */
  readonly usernamePrefix?: string;
  /** Absent: tokens carry no groups. */
  readonly groupsClaim?: string;
  readonly groupsPrefix?: string;
  readonly requiredClaims?: Readonly<Record<string, string>>;
  /** PEM of the CA of the issuer's server; absent: the CAs of the machine. */
  readonly caPem?: string;
  /** Default: RS256. */
  readonly signingAlgorithms?: readonly string[];
  readonly clock?: Clock;
}

export interface OidcAuthenticator {
  /** undefined for a token of another issuer. Throws ApiError 401 with the reason for one of this issuer that is not valid. */
  authenticate(token: string): UserInfo | undefined | Promise<UserInfo>;
  close(): void;
}

interface Known {
  readonly user: UserInfo;
  readonly expires: number;
}

/** Loaded with the first token: most clusters have no issuer, and starting must be quick. */
const jose = () => import('jose');
const undici = () => import('../outgoing.ts');
const rememberedMax = 4096;
const discoveryTimeoutMs = 10_000;

export function createOidc(options: OidcOptions): OidcAuthenticator {
  const { issuerUrl, clientId, clock = systemClock, signingAlgorithms = ['RS256'] } = options;
  let agent: Agent | undefined;
  const get = async (url: string, init: { readonly signal?: AbortSignal } = {}): Promise<Response> => {
    const { Agent, fetch } = await undici();
    agent ??= new Agent({ connect: options.caPem === undefined ? {} : { ca: options.caPem }, allowH2: false });
    return fetch(url, { ...init, dispatcher: agent }) as unknown as Promise<Response>;
  };
  const known = new Map<string, Known>();
  let keys: Promise<JWTVerifyGetKey> | undefined;

  const discover = async (): Promise<JWTVerifyGetKey> => {
    const url = `${issuerUrl.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const answer = await get(url, { signal: AbortSignal.timeout(discoveryTimeoutMs) });
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
    const document = (await answer.json()) as { readonly issuer?: string; readonly jwks_uri?: string };
    if (document.issuer !== issuerUrl) throw new Error(`${url} is about the issuer ${String(document.issuer)}`);
    const { createRemoteJWKSet, customFetch } = await jose();
    return createRemoteJWKSet(new URL(document.jwks_uri ?? ''), { [customFetch]: get, cooldownDuration: 10_000 });
  };

  /** A failed discovery is tried again by the next token. */
  const keySet = (): Promise<JWTVerifyGetKey> => {
    keys ??= discover().catch((error: unknown) => {
      keys = undefined;
      throw error;
    });
    return keys;
  };

  const verify = async (token: string, hash: string): Promise<UserInfo> => {
    const { errors, jwtVerify } = await jose();
    try {
      const { payload } = await jwtVerify(token, await keySet(), {
        issuer: issuerUrl,
        audience: clientId,
        algorithms: [...signingAlgorithms],
        currentDate: new Date(clock.now()),
        requiredClaims: ['exp'],
      });
      const user = userOf(payload, options);
      const oldest = known.size < rememberedMax ? undefined : known.keys().next().value;
      if (oldest !== undefined) known.delete(oldest);
      known.set(hash, { user, expires: (payload.exp ?? 0) * 1000 });
      return user;
    } catch (error) {
      const why = error instanceof errors.JOSEError ? error.message : `it cannot be checked: ${messageOf(error)}`;
      throw new ApiError('Unauthorized', `Unauthorized: the token of ${issuerUrl}: ${why}`, { cause: error });
    }
  };

  return {
    authenticate(token) {
      if (issuerOf(token) !== issuerUrl) return undefined;
      const hash = createHash('sha256').update(token).digest('base64');
      const remembered = known.get(hash);
      if (remembered !== undefined && remembered.expires > clock.now()) return remembered.user;
      known.delete(hash);
      return verify(token, hash);
    },
    close: () => void agent?.destroy(),
  };
}

function issuerOf(token: string): unknown {
  const [, payload = '', signature, ...rest] = token.split('.');
  if (signature === undefined || rest.length > 0) return undefined;
  try {
    return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as JWTPayload).iss;
  } catch {
    return undefined;
  }
}

function userOf(payload: JWTPayload, options: OidcOptions): UserInfo {
  const { usernameClaim = 'sub', groupsClaim, groupsPrefix = '', issuerUrl, requiredClaims = {} } = options;
  for (const [claim, want] of Object.entries(requiredClaims)) {
    if (payload[claim] !== want) throw new Error(`the required claim ${claim} is not ${JSON.stringify(want)}`);
  }
  const name = payload[usernameClaim];
  if (typeof name !== 'string' || name === '') throw new Error(`the claim ${usernameClaim} is missing`);
  if (usernameClaim === 'email' && payload['email_verified'] === false) throw new Error('the email is not verified');
  const standard = usernameClaim === 'email' ? '' : `${issuerUrl}#`;
  const prefix = options.usernamePrefix === '-' ? '' : (options.usernamePrefix ?? standard);
  const claimed = groupsClaim === undefined ? [] : payload[groupsClaim];
  const groups = typeof claimed === 'string' ? [claimed] : Array.isArray(claimed) ? claimed : [];
  return {
    name: `${prefix}${name}`,
    groups: groups.filter((group) => typeof group === 'string').map((group) => `${groupsPrefix}${group}`),
    ...(typeof payload.jti === 'string'
      ? { extra: { 'authentication.kubernetes.io/credential-id': [`JTI=${payload.jti}`] } }
      : {}),
  };
}
