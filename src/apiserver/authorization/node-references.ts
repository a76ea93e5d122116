// Which objects the pods of each node name, counted, so that one lookup answers whether a node may read an object. Kept up
// to date pod by pod: a pod that goes takes its own counts with it, whatever happened meanwhile.

import { type Container, kinds, type Pod, type PodSpec } from '../../api/index.ts';
import type { ObjectReader } from '../contracts.ts';

export interface NodeReferences {
  /** @param key `<plural>/<namespace>/<name>`. */
  has(node: string, key: string): boolean;
}

interface PodReferences {
  readonly node: string;
  readonly keys: readonly string[];
}

export function createNodeReferences(reader: ObjectReader): NodeReferences {
  const byPod = new Map<string, PodReferences>();
  const byNode = new Map<string, Map<string, number>>();
  let loaded = false;

  const remove = (id: string): void => {
    const old = byPod.get(id);
    if (old === undefined) return;
    byPod.delete(id);
    const counts = byNode.get(old.node);
    for (const key of old.keys) {
      const left = (counts?.get(key) ?? 1) - 1;
      if (left > 0) counts?.set(key, left);
      else counts?.delete(key);
    }
    if (counts?.size === 0) byNode.delete(old.node);
  };
  const put = (id: string, pod: Pod): void => {
    const node = pod.spec?.nodeName;
    if (node === undefined || node === '' || pod.spec === undefined) {
      remove(id);
      return;
    }
    // What a bound pod names can only grow by ephemeral containers: most changes are to its status and end here.
    const keys = referencesOf(pod.metadata?.namespace ?? '', pod.spec);
    const old = byPod.get(id);
    if (old?.node === node && old.keys.length === keys.length && old.keys.every((key, at) => key === keys[at])) return;
    remove(id);
    byPod.set(id, { node, keys });
    const counts = byNode.get(node) ?? new Map<string, number>();
    byNode.set(node, counts);
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  };

  reader.onChange(kinds.pod, ({ type, namespace, name }) => {
    if (!loaded) return;
    const pod = type === 'delete' ? undefined : reader.get<Pod>(kinds.pod, namespace, name);
    const id = `${namespace ?? ''}/${name}`;
    if (pod === undefined) remove(id);
    else put(id, pod);
  });

  return {
    has(node, key) {
      if (!loaded) {
        loaded = true;
        for (const pod of reader.list<Pod>(kinds.pod)) {
          put(`${pod.metadata?.namespace ?? ''}/${pod.metadata?.name ?? ''}`, pod);
        }
      }
      return byNode.get(node)?.has(key) === true;
    },
  };
}

/** Keys of everything that a pod names and a node must read to run it, each once. */
export function referencesOf(namespace: string, spec: PodSpec): readonly string[] {
  const keys = new Set<string>();
  const add = (plural: string, name: string | undefined): void => {
    if (name !== undefined && name !== '') keys.add(`${plural}/${namespace}/${name}`);
  };
  add('serviceaccounts', spec.serviceAccountName ?? 'default');
  for (const { name } of spec.imagePullSecrets ?? []) add('secrets', name);
  const containers: readonly Pick<Container, 'env' | 'envFrom'>[] = [
    ...(spec.initContainers ?? []),
    ...spec.containers,
    ...(spec.ephemeralContainers ?? []),
  ];
  for (const { env = [], envFrom = [] } of containers) {
    for (const { valueFrom } of env) {
      add('secrets', valueFrom?.secretKeyRef?.name);
      add('configmaps', valueFrom?.configMapKeyRef?.name);
    }
    for (const { secretRef, configMapRef } of envFrom) {
      add('secrets', secretRef?.name);
      add('configmaps', configMapRef?.name);
    }
  }
  for (const volume of spec.volumes ?? []) {
    add('secrets', volume.secret?.secretName);
    add('secrets', volume.csi?.nodePublishSecretRef?.name);
    add('configmaps', volume.configMap?.name);
    add('persistentvolumeclaims', volume.persistentVolumeClaim?.claimName);
    for (const source of volume.projected?.sources ?? []) {
      add('secrets', source.secret?.name);
      add('configmaps', source.configMap?.name);
    }
  }
  return [...keys];
}
