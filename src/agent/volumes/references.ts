// The ConfigMaps and Secrets that this node's pods use, each followed by a watch of that one object while a pod uses it.
// A node may read only what its pods refer to, so there is no cache of all Secrets; and asking again before every
// container start would put a round trip into each restart.

import { type ConfigMap, type KindOf, type KubeObject, kinds, type Pod, type Secret } from '../../api/index.ts';
import { type Clock, createBackoff, type Logger } from '../../base/index.ts';
import type { ApiClient } from '../../client/index.ts';
import { allContainers, nameOf } from '../pods/identity.ts';

export interface References {
  /** Follows what the pod refers to; replaces what was followed for it before. Resolves when all of it is known. */
  follow(pod: Pod, signal: AbortSignal): Promise<void>;
  release(uid: string): void;
  configMap(namespace: string, name: string): ConfigMap | undefined;
  secret(namespace: string, name: string): Secret | undefined;
}

interface Followed {
  object: KubeObject | undefined;
  readonly loaded: Promise<void>;
  readonly pods: Set<string>;
  readonly stop: AbortController;
}

type ReferenceKind = 'configMap' | 'secret';

/** @param changed called with the uid of each pod that uses an object which has changed. */
export function createReferences(
  client: ApiClient,
  options: { readonly clock: Clock; readonly logger: Logger; readonly changed: (uid: string) => void },
): References {
  const { clock, logger, changed } = options;
  const followed = new Map<string, Followed>();
  const keyOf = (kind: ReferenceKind, namespace: string, name: string): string => `${kind}/${namespace}/${name}`;

  return {
    async follow(pod, signal) {
      const { namespace, uid } = nameOf(pod);
      const wanted = new Set(referencesOf(pod).map(({ kind, name }) => keyOf(kind, namespace, name)));
      for (const { kind, name } of referencesOf(pod)) {
        const key = keyOf(kind, namespace, name);
        const entry = followed.get(key) ?? begin(kind, namespace, name);
        followed.set(key, entry);
        entry.pods.add(uid);
      }
      for (const [key, entry] of followed) if (!wanted.has(key)) drop(key, entry, uid);
      const all = Promise.all([...wanted].map((key) => followed.get(key)?.loaded));
      await Promise.race([all, aborted(signal)]);
    },
    release(uid) {
      for (const [key, entry] of followed) drop(key, entry, uid);
    },
    configMap: (namespace, name) => followed.get(keyOf('configMap', namespace, name))?.object as ConfigMap | undefined,
    secret: (namespace, name) => followed.get(keyOf('secret', namespace, name))?.object as Secret | undefined,
  };

  function drop(key: string, entry: Followed, uid: string): void {
    entry.pods.delete(uid);
    if (entry.pods.size > 0) return;
    followed.delete(key);
    entry.stop.abort();
  }

  function begin(kind: ReferenceKind, namespace: string, name: string): Followed {
    const { promise, resolve } = Promise.withResolvers<void>();
    const entry: Followed = { object: undefined, loaded: promise, pods: new Set(), stop: new AbortController() };
    const { signal } = entry.stop;
    const set = (object: KubeObject | undefined): void => {
      const isNews = object?.metadata?.resourceVersion !== entry.object?.metadata?.resourceVersion;
      entry.object = object;
      if (isNews) for (const uid of entry.pods) changed(uid);
    };
    keepUp<KubeObject>(kinds[kind], { namespace, name }, { client, clock, logger, signal, set, loaded: resolve }).catch(
      (error: unknown) => logger.error('reference is no longer followed', { kind, namespace, name, error }),
    );
    return entry;
  }
}

interface Follower {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly set: (object: KubeObject | undefined) => void;
  readonly loaded: () => void;
}

async function keepUp<T extends KubeObject>(
  kind: KindOf<T>,
  at: { readonly namespace: string; readonly name: string },
  { client, clock, logger, signal, set, loaded }: Follower,
): Promise<void> {
  const backoff = createBackoff({ initial: 200, max: 30_000, jitter: 0.3 });
  const selector = { namespace: at.namespace, fieldSelector: `metadata.name=${at.name}`, signal };
  while (!signal.aborted) {
    try {
      const { items, metadata } = await client.list(kind, selector);
      set(items[0]);
      loaded();
      const from = metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion };
      for await (const event of client.watch(kind, { ...selector, ...from, allowWatchBookmarks: true })) {
        backoff.reset();
        if (event.type !== 'BOOKMARK') set(event.type === 'DELETED' ? undefined : event.object);
      }
    } catch (error) {
      if (signal.aborted) return;
      logger.debug('watch of a reference ended', { kind: kind.kind, ...at, error });
    }
    await clock.sleep(backoff.next(), signal).catch(() => undefined);
  }
}

/** Every ConfigMap and Secret that the pod's containers and volumes name, optional ones included. */
export function referencesOf(pod: Pod): readonly { readonly kind: ReferenceKind; readonly name: string }[] {
  const configMaps = new Set<string>();
  const secrets = new Set<string>();
  for (const { env = [], envFrom = [] } of allContainers(pod)) {
    for (const { configMapRef, secretRef } of envFrom) {
      configMaps.add(configMapRef?.name ?? '');
      secrets.add(secretRef?.name ?? '');
    }
    for (const { valueFrom } of env) {
      configMaps.add(valueFrom?.configMapKeyRef?.name ?? '');
      secrets.add(valueFrom?.secretKeyRef?.name ?? '');
    }
  }
  for (const { configMap, secret, projected } of pod.spec?.volumes ?? []) {
    configMaps.add(configMap?.name ?? '');
    secrets.add(secret?.secretName ?? '');
    for (const source of projected?.sources ?? []) {
      configMaps.add(source.configMap?.name ?? '');
      secrets.add(source.secret?.name ?? '');
    }
  }
  for (const { name = '' } of pod.spec?.imagePullSecrets ?? []) secrets.add(name);
  configMaps.delete('');
  secrets.delete('');
  return [
    ...[...configMaps].map((name) => ({ kind: 'configMap' as const, name })),
    ...[...secrets].map((name) => ({ kind: 'secret' as const, name })),
  ];
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
