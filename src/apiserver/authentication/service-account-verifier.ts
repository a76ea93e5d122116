// Turns a ServiceAccount token into a user. Checking a signature costs 0.1 ms, so a token that was checked is remembered
// by its hash (never by itself: a heap dump must not hold tokens), with its expiry, in a bounded map. What it is bound to
// (ServiceAccount, pod, secret, node) is looked up again only after one of those objects changed.

import { createHash } from 'node:crypto';
import { type KindOf, type KubeObject, kinds } from '../../api/index.ts';
import { type Clock, systemClock } from '../../base/index.ts';
import { ApiError, type ObjectReader, type UserInfo } from '../contracts.ts';
import { type ServiceAccountClaims, type ServiceAccountIssuer, whyTimeIsWrong } from './service-account-issuer.ts';

export interface ServiceAccountVerifier {
  /**
   * The user of a token that our issuer signed; undefined when it is not of our issuer. `audiences` defaults to the API
   * server's own. Throws ApiError 401 with the reason for a token of ours that is not valid (any more).
   */
  authenticate(token: string, audiences?: readonly string[]): UserInfo | undefined;
  /** Which of `audiences` the token is for. */
  audiencesOf(token: string, audiences: readonly string[]): readonly string[];
}

interface Entry {
  readonly hash: string;
  readonly claims: ServiceAccountClaims;
  readonly user: UserInfo;
  readonly boundTo: readonly BoundTo[];
  /** False: the bound objects must be looked up before the next use. */
  live: boolean;
}

interface BoundTo {
  readonly kind: KindOf<KubeObject>;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
}

const boundKinds: readonly KindOf<KubeObject>[] = [kinds.serviceAccount, kinds.pod, kinds.secret, kinds.node];
/** A token stays usable this long after the deletion time of what it is bound to, so that a pod can end in order. */
const deletionLeewayMs = 60_000;

/** @param bound how many tokens are remembered; the longest-known one is forgotten first. */
export function createServiceAccountVerifier(
  issuer: ServiceAccountIssuer,
  reader: ObjectReader,
  options: { readonly bound?: number; readonly clock?: Clock } = {},
): ServiceAccountVerifier {
  const { bound = 8192, clock = systemClock } = options;
  const entries = new Map<string, Entry>();
  const byObject = new Map<string, Set<Entry>>();

  for (const kind of boundKinds) {
    reader.onChange(kind, ({ namespace, name }) => {
      for (const entry of byObject.get(keyOf(kind, namespace, name)) ?? []) entry.live = false;
    });
  }

  const forget = (entry: Entry): void => {
    entries.delete(entry.hash);
    for (const { kind, namespace, name } of entry.boundTo) {
      const key = keyOf(kind, namespace, name);
      const set = byObject.get(key);
      set?.delete(entry);
      if (set?.size === 0) byObject.delete(key);
    }
  };

  const remember = (entry: Entry): void => {
    const oldest = entries.size < bound ? undefined : entries.values().next().value;
    if (oldest !== undefined) forget(oldest);
    entries.set(entry.hash, entry);
    for (const { kind, namespace, name } of entry.boundTo) {
      const key = keyOf(kind, namespace, name);
      const set = byObject.get(key) ?? new Set();
      byObject.set(key, set.add(entry));
    }
  };

  const open = (token: string): Entry | undefined => {
    const hash = createHash('sha256').update(token).digest('base64');
    const known = entries.get(hash);
    if (known !== undefined) return known;
    const claims = issuer.open(token);
    if (claims === undefined) return undefined;
    if (typeof claims === 'string') throw unauthorized(claims);
    const entry = { hash, claims, user: userOf(claims), boundTo: boundObjects(claims), live: false };
    remember(entry);
    return entry;
  };

  return {
    authenticate(token, audiences = issuer.audiences) {
      const entry = open(token);
      if (entry === undefined) return undefined;
      const late = whyTimeIsWrong(entry.claims, clock.now() / 1000);
      if (late !== undefined) {
        forget(entry);
        throw unauthorized(late);
      }
      if (!entry.claims.aud.some((audience) => audiences.includes(audience))) {
        throw unauthorized(`is for ${entry.claims.aud.join(', ')}, not for ${audiences.join(', ')}`);
      }
      if (!entry.live) {
        const { why, ending } = checkBound(entry.boundTo, reader, clock.now());
        if (why !== undefined) {
          forget(entry);
          throw unauthorized(why);
        }
        entry.live = !ending;
      }
      return entry.user;
    },
    audiencesOf(token, audiences) {
      const aud = open(token)?.claims.aud ?? [];
      return audiences.filter((audience) => aud.includes(audience));
    },
  };
}

/** The user that a ServiceAccount is, as RBAC subjects name it. */
export function serviceAccountUser(namespace: string, name: string, uid?: string): UserInfo {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    ...(uid === undefined ? {} : { uid }),
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  };
}

function userOf(claims: ServiceAccountClaims): UserInfo {
  const { namespace, serviceaccount, pod, node } = claims['kubernetes.io'];
  const prefix = 'authentication.kubernetes.io';
  return {
    ...serviceAccountUser(namespace, serviceaccount.name, serviceaccount.uid),
    extra: {
      [`${prefix}/credential-id`]: [`JTI=${claims.jti}`],
      ...(pod && { [`${prefix}/pod-name`]: [pod.name], [`${prefix}/pod-uid`]: [pod.uid] }),
      ...(node && { [`${prefix}/node-name`]: [node.name], [`${prefix}/node-uid`]: [node.uid] }),
    },
  };
}

function boundObjects(claims: ServiceAccountClaims): readonly BoundTo[] {
  const { namespace, serviceaccount, pod, secret, node } = claims['kubernetes.io'];
  // A token that is bound to a pod outlives a change of the Node object: the node in it only informs.
  const onlyNode = pod === undefined ? node : undefined;
  return [
    { kind: kinds.serviceAccount, namespace, ...serviceaccount },
    ...(pod ? [{ kind: kinds.pod, namespace, ...pod }] : []),
    ...(secret ? [{ kind: kinds.secret, namespace, ...secret }] : []),
    ...(onlyNode ? [{ kind: kinds.node, namespace: undefined, ...onlyNode }] : []),
  ];
}

function checkBound(
  boundTo: readonly BoundTo[],
  reader: ObjectReader,
  now: number,
): { readonly why?: string; readonly ending: boolean } {
  let ending = false;
  for (const { kind, namespace, name, uid } of boundTo) {
    const object = reader.get(kind, namespace, name);
    const shown = `${kind.singular} ${namespace === undefined ? name : `${namespace}/${name}`}`;
    if (object === undefined) return { why: `is bound to ${shown}, which does not exist`, ending };
    if (object.metadata?.uid !== uid) return { why: `is bound to an earlier ${shown}`, ending };
    const deletion = object.metadata?.deletionTimestamp;
    if (deletion === undefined) continue;
    ending = true;
    if (Date.parse(deletion) < now - deletionLeewayMs) return { why: `is bound to ${shown}, which is gone`, ending };
  }
  return { ending };
}

function keyOf(kind: KindOf<KubeObject>, namespace: string | undefined, name: string): string {
  return `${kind.plural}/${namespace ?? ''}/${name}`;
}

function unauthorized(why: string): ApiError {
  return new ApiError('Unauthorized', `Unauthorized: the ServiceAccount token ${why}`);
}
