// Signs ServiceAccount tokens and checks their signatures; serves the public key as JWKS and the OIDC discovery document.
// A token is a JWT (RFC 7519) signed ES256 with a P-256 key or RS256 with an RSA key (RFC 7518 §3.3, §3.4). Signing is
// synchronous node:crypto: it costs 0.05 ms (P-256) or 0.4 ms (RSA), less than handing it to another thread.
// Whether the ServiceAccount and the bound objects still exist is the verifier's question (service-account-verifier.ts).

import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomUUID, sign, verify } from 'node:crypto';
import { type Clock, CodedError, systemClock } from '../../base/index.ts';

export interface ServiceAccountIssuerOptions {
  /** The private key that signs (sa.key): P-256 or RSA, PKCS#8, PKCS#1 or SEC1 PEM. */
  readonly signingKeyPem: string;
  /** Public keys of earlier signing keys, still accepted (sa.pub of before a rotation). */
  readonly acceptedKeysPem?: readonly string[];
  /** `iss` of each token, https://kubernetes.default.svc.cluster.local by convention. */
  readonly issuer: string;
  /** Audiences that mean "this API server"; default: the issuer. */
  readonly audiences?: readonly string[];
  readonly clock?: Clock;
}

interface NamedObject {
  readonly name: string;
  readonly uid: string;
}

/** What a token's life is tied to besides its ServiceAccount. */
export interface BoundObjects {
  readonly pod?: NamedObject;
  readonly secret?: NamedObject;
  readonly node?: NamedObject;
}

export interface SignRequest {
  readonly namespace: string;
  readonly serviceAccount: NamedObject;
  readonly bound: BoundObjects;
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
}

export interface IssuedToken {
  readonly token: string;
  /** RFC 3339, whole seconds. */
  readonly expirationTimestamp: string;
}

/** The claims of a token. Source: Kubernetes documentation, "Managing Service Accounts", bound tokens. */
export interface ServiceAccountClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly nbf: number;
  readonly jti: string;
  readonly 'kubernetes.io': BoundObjects & { readonly namespace: string; readonly serviceaccount: NamedObject };
}

export interface ServiceAccountIssuer {
  readonly issuer: string;
  readonly audiences: readonly string[];
  sign(request: SignRequest): IssuedToken;
  /** The claims of a token that one of our keys signed and whose time is right; a sentence when it is ours but not valid; undefined when it is somebody else's. */
  open(token: string): ServiceAccountClaims | string | undefined;
  /** Body of /openid/v1/jwks (RFC 7517). */
  jwks(): { readonly keys: readonly object[] };
  /** Body of /.well-known/openid-configuration; `jwksUri` is where clients reach /openid/v1/jwks. */
  discovery(jwksUri: string): object;
}

interface Key {
  readonly id: string;
  readonly algorithm: 'ES256' | 'RS256';
  readonly publicKey: KeyObject;
}

/** @throws CodedError SA_KEY_UNUSABLE for a key that is not PEM, P-256 or RSA. */
export function createServiceAccountIssuer(options: ServiceAccountIssuerOptions): ServiceAccountIssuer {
  const { issuer, clock = systemClock } = options;
  const audiences = options.audiences ?? [issuer];
  const privateKey = parse(options.signingKeyPem, createPrivateKey);
  const signingKey = keyOf(createPublicKey(privateKey));
  const accepted = (options.acceptedKeysPem ?? []).map((pem) => keyOf(parse(pem, createPublicKey)));
  const keys = new Map([signingKey, ...accepted].map((key) => [key.id, key]));
  const header = encode({ alg: signingKey.algorithm, kid: signingKey.id });
  return {
    issuer,
    audiences,
    sign(request) {
      const now = Math.floor(clock.now() / 1000);
      const exp = now + request.expirationSeconds;
      const claims: ServiceAccountClaims = {
        aud: request.audiences,
        exp,
        iat: now,
        iss: issuer,
        jti: randomUUID(),
        'kubernetes.io': { namespace: request.namespace, serviceaccount: request.serviceAccount, ...request.bound },
        nbf: now,
        sub: `system:serviceaccount:${request.namespace}:${request.serviceAccount.name}`,
      };
      const body = `${header}.${encode(claims)}`;
      const signature = sign('sha256', Buffer.from(body), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return {
        token: `${body}.${signature.toString('base64url')}`,
        expirationTimestamp: new Date(exp * 1000).toISOString().replace('.000Z', 'Z'),
      };
    },
    open(token) {
      const [head = '', payload = '', signature = '', ...rest] = token.split('.');
      const claims = decode<ServiceAccountClaims>(payload);
      if (rest.length > 0 || claims?.iss !== issuer) return undefined;
      const { alg, kid } = decode<{ alg?: string; kid?: string }>(head) ?? {};
      const key = keys.get(kid ?? '');
      if (key === undefined || key.algorithm !== alg) return 'was signed with a key that this cluster does not know';
      const input = { key: key.publicKey, dsaEncoding: 'ieee-p1363' } as const;
      if (!verify('sha256', Buffer.from(`${head}.${payload}`), input, Buffer.from(signature, 'base64url'))) {
        return 'has a wrong signature';
      }
      return whyTimeIsWrong(claims, clock.now() / 1000) ?? claims;
    },
    jwks: () => ({
      keys: [...keys.values()].map((key) => ({
        use: 'sig',
        ...key.publicKey.export({ format: 'jwk' }),
        kid: key.id,
        alg: key.algorithm,
      })),
    }),
    discovery: (jwksUri) => ({
      issuer,
      jwks_uri: jwksUri,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [...new Set([...keys.values()].map((key) => key.algorithm))],
    }),
  };
}

/** Why a token cannot be used at `now` (seconds); a minute of clock difference is allowed for its start. */
export function whyTimeIsWrong(claims: Pick<ServiceAccountClaims, 'exp' | 'nbf'>, now: number): string | undefined {
  if (!(claims.exp > now)) return 'has expired';
  return claims.nbf > now + 60 ? 'is not valid yet' : undefined;
}

function keyOf(publicKey: KeyObject): Key {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const id = createHash('sha256').update(der).digest('base64url');
  if (publicKey.asymmetricKeyType === 'rsa') return { id, algorithm: 'RS256', publicKey };
  const curve = publicKey.asymmetricKeyDetails?.namedCurve;
  if (publicKey.asymmetricKeyType === 'ec' && curve === 'prime256v1') return { id, algorithm: 'ES256', publicKey };
  throw unusable(`it is a key of type ${publicKey.asymmetricKeyType ?? 'unknown'} ${curve ?? ''}`.trim());
}

function parse(pem: string, read: (pem: string) => KeyObject): KeyObject {
  try {
    return read(pem);
  } catch (cause) {
    throw unusable('it is not a PEM key', cause);
  }
}

function unusable(why: string, cause?: unknown): CodedError {
  return new CodedError('SA_KEY_UNUSABLE', `the key for ServiceAccount tokens cannot be used: ${why}`, {
    hint: 'sa.key must be a PEM private key, P-256 or RSA; remove it and run the certificates phase again to get a new one',
    cause,
  });
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode<T>(part: string): T | undefined {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as T;
  } catch {
    return undefined;
  }
}
