// The Secret that makes a bootstrap token valid: kube-system/bootstrap-token-<id>. Its fields are read by the API server
// (authentication), by the signer of cluster-info, and by the controller that deletes expired ones.

import type { Secret } from '../api/index.ts';
import type { BootstrapToken } from './token.ts';

export const tokenSecretType = 'bootstrap.kubernetes.io/token';
export const tokenNamespace = 'kube-system';
/** The group that every bootstrap token is in. */
export const bootstrappersGroup = 'system:bootstrappers';
/** The group that k8ts's tokens are in as well, which RBAC lets ask for node certificates. */
export const nodeBootstrappersGroup = 'system:bootstrappers:kubeadm:default-node-token';

export type TokenUsage = 'signing' | 'authentication';

export interface TokenSecretOptions {
  /** ms from `now`; 0: never expires. */
  readonly ttl: number;
  readonly now?: Date;
  /** Default: both. */
  readonly usages?: readonly TokenUsage[];
  /** Default: the group of joining nodes. Each must begin with `system:bootstrappers:`. */
  readonly groups?: readonly string[];
  readonly description?: string;
}

/** What a token's Secret says. */
export interface TokenRecord {
  readonly token: BootstrapToken;
  /** undefined: never. */
  readonly expires: Date | undefined;
  readonly usages: readonly TokenUsage[];
  /** Without the group that all of them have. */
  readonly groups: readonly string[];
  readonly description: string | undefined;
}

export function tokenSecretName(id: string): string {
  return `bootstrap-token-${id}`;
}

/** The Secret object of a token, with base64 `data` as the API server stores it. */
export function tokenSecret(token: BootstrapToken, options: TokenSecretOptions): Secret {
  const { ttl, now = new Date(), usages = ['signing', 'authentication'], description } = options;
  const { groups = [nodeBootstrappersGroup] } = options;
  const fields: Record<string, string> = {
    'token-id': token.id,
    'token-secret': token.secret,
    ...(description === undefined ? {} : { description }),
    ...(ttl === 0 ? {} : { expiration: new Date(now.getTime() + ttl).toISOString().replace(/\.\d+Z$/, 'Z') }),
    ...(groups.length === 0 ? {} : { 'auth-extra-groups': groups.join(',') }),
    ...Object.fromEntries(usages.map((usage) => [`usage-bootstrap-${usage}`, 'true'])),
  };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: tokenSecretName(token.id), namespace: tokenNamespace },
    type: tokenSecretType,
    data: Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, base64(value)])),
  };
}

/**
 * Reads a Secret back; undefined when it is not a sound token Secret (another type, a name that does not match, a
 * malformed id or date): such a Secret grants nothing.
 */
export function readTokenSecret(secret: Secret): TokenRecord | undefined {
  const field = (name: string): string => Buffer.from(secret.data?.[name] ?? '', 'base64').toString('utf8');
  const token = { id: field('token-id'), secret: field('token-secret') };
  const sound =
    secret.type === tokenSecretType &&
    /^[a-z0-9]{6}$/.test(token.id) &&
    /^[a-z0-9]{16}$/.test(token.secret) &&
    secret.metadata?.name === tokenSecretName(token.id);
  const expiration = field('expiration');
  const expires = expiration === '' ? undefined : new Date(expiration);
  if (!sound || Number.isNaN(expires?.getTime())) return undefined;
  const usages = (['signing', 'authentication'] as const).filter(
    (usage) => field(`usage-bootstrap-${usage}`) === 'true',
  );
  const groups = field('auth-extra-groups')
    .split(',')
    .filter((group) => group !== '');
  const description = field('description');
  return { token, expires, usages, groups, description: description === '' ? undefined : description };
}

/** Why a token may not be used for `usage` now; undefined when it may. */
export function whyTokenUnusable(record: TokenRecord, usage: TokenUsage, now: Date): string | undefined {
  if (record.expires !== undefined && record.expires <= now) return `it expired ${record.expires.toISOString()}`;
  if (!record.usages.includes(usage)) return `it is not for ${usage}`;
  return undefined;
}

/** Those that cluster-info is signed for: readable, not expired, not on their way out, and for that use. */
export function signingTokens(secrets: readonly Secret[], now: Date): readonly TokenRecord[] {
  return secrets
    .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
    .map(readTokenSecret)
    .filter((record) => record !== undefined)
    .filter((record) => whyTokenUnusable(record, 'signing', now) === undefined);
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
