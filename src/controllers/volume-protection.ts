// persistentvolumeclaim- and persistentvolume-protection: take the finalizer that admission gave away from claims and volumes
// that are being deleted, once nobody uses them: no pod the claim, no claim the volume.
// Source: KEP-498; k8s.io/kubernetes pkg/controller/volume/{pvcprotection,pvprotection}.

import { type KindOf, type KubeObject, kinds, type Pod, type Stored } from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { update } from './actions.ts';
import { type Action, type Controller, watch } from './controller.ts';
import { isFinished } from './pod-state.ts';

const claimFinalizer = 'kubernetes.io/pvc-protection';
const volumeFinalizer = 'kubernetes.io/pv-protection';

export const claimProtectionController: Controller = {
  name: 'persistentvolumeclaim-protection-controller',
  watches: [
    watch(kinds.persistentVolumeClaim, (claim) => [keyOf(claim)]),
    watch(kinds.pod, (pod) => claimsOf(pod).map((name) => `${pod.metadata.namespace}/${name}`)),
  ],
  async reconcile(key, { view, live }) {
    const claim = view.get(kinds.persistentVolumeClaim, key);
    if (claim?.metadata.deletionTimestamp === undefined) return [];
    const { namespace, name } = claim.metadata;
    const isUser = (pod: Stored<Pod>): boolean => usesStill(pod) && claimsOf(pod).includes(name);
    if (view.list(kinds.pod, namespace).some(isUser)) return [];
    // Data may be lost when the watch is late, so that it is asked for once more.
    const { items } = await live.list(kinds.pod, { namespace });
    return items.some(isUser) ? [] : released(kinds.persistentVolumeClaim, claim, claimFinalizer);
  },
};

export const volumeProtectionController: Controller = {
  name: 'persistentvolume-protection-controller',
  watches: [watch(kinds.persistentVolume, (volume) => [volume.metadata.name])],
  reconcile(key, { view }) {
    const volume = view.get(kinds.persistentVolume, key);
    return volume === undefined || volume.status?.phase === 'Bound'
      ? []
      : released(kinds.persistentVolume, volume, volumeFinalizer);
  },
};

/** A pod without a node, or one that has ended, has nothing mounted. */
function usesStill(pod: Stored<Pod>): boolean {
  return (pod.spec?.nodeName ?? '') !== '' && !isFinished(pod);
}

function claimsOf({ metadata, spec }: Stored<Pod>): readonly string[] {
  return (spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
    if (ephemeral !== undefined) return [`${metadata.name}-${name}`];
    return persistentVolumeClaim === undefined ? [] : [persistentVolumeClaim.claimName];
  });
}

function released<T extends KubeObject>(kind: KindOf<T>, object: Stored<T>, finalizer: string): readonly Action[] {
  const { metadata } = object;
  const held = metadata.finalizers ?? [];
  if (metadata.deletionTimestamp === undefined || !held.includes(finalizer)) return [];
  const finalizers = held.filter((one) => one !== finalizer);
  return [update(kind, { ...object, metadata: { ...metadata, finalizers } })];
}
