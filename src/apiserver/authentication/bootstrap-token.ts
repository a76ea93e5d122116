// Bootstrap tokens: `<id>.<secret>`, kept as Secret kube-system/bootstrap-token-<id>. Source: Kubernetes documentation,
// "Authenticating with Bootstrap Tokens". A token is judged only after its secret matched, so the answer to a guessed
// token says nothing about which ids exist.

import { createHash, timingSafeEqual } from 'node:crypto';
import { kinds, type Secret } from '../../api/index.ts';
import { ApiError, type ObjectReader, type UserInfo } from '../contracts.ts';

const tokenPattern = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const groupPattern = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

export function isBootstrapToken(token: string): boolean {
  return tokenPattern.test(token);
}

/** The user of a bootstrap token at `now` (ms); throws ApiError 401 with the reason. */
export function authenticateBootstrapToken(token: string, reader: ObjectReader, now: number): UserInfo {
  const [, id = '', secret = ''] = tokenPattern.exec(token) ?? [];
  const object = reader.get<Secret>(kinds.secret, 'kube-system', `bootstrap-token-${id}`);
  const field = (name: string): string => Buffer.from(object?.data?.[name] ?? '', 'base64').toString('utf8');
  const wellFormed =
    object?.type === 'bootstrap.kubernetes.io/token' &&
    object.metadata?.deletionTimestamp === undefined &&
    field('token-id') === id;
  // Compared even when there is no such Secret, so that both cases take the same time.
  const matches = sameSecret(field('token-secret'), secret);
  if (!wellFormed || !matches) throw unauthorized(`the bootstrap token ${id}.<redacted> is not known to this cluster`);
  const why = whyUnusable(field, now);
  if (why !== undefined) throw unauthorized(`the bootstrap token ${id}.<redacted> ${why}`);
  return {
    name: `system:bootstrap:${id}`,
    groups: ['system:bootstrappers', ...extraGroups(field('auth-extra-groups'))],
  };
}

function whyUnusable(field: (name: string) => string, now: number): string | undefined {
  const expiration = field('expiration');
  if (expiration !== '') {
    const at = Date.parse(expiration);
    if (Number.isNaN(at)) return `has an unreadable expiration "${expiration}"`;
    if (at <= now) return `expired at ${expiration}; make another one with: k8ts token create`;
  }
  if (field('usage-bootstrap-authentication') !== 'true') return 'may not be used for authentication';
  const bad = splitGroups(field('auth-extra-groups')).find((group) => !groupPattern.test(group));
  return bad === undefined ? undefined : `names the group "${bad}", which does not start with system:bootstrappers:`;
}

function extraGroups(text: string): readonly string[] {
  return [...new Set(splitGroups(text))].sort();
}

function splitGroups(text: string): string[] {
  return text.split(',').filter((group) => group !== '');
}

function sameSecret(have: string, given: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(have), hash(given)) && have !== '';
}

function unauthorized(why: string): ApiError {
  return new ApiError('Unauthorized', `Unauthorized: ${why}`);
}
