// Volumes: a pod goes where its bound volumes are, and where those claims that wait for it could be bound. The binding itself
// is the volume binder's: the scheduler names the node on the claim, and tries the pod again when the claim is bound.
// Source: k8s.io/kubernetes pkg/scheduler/framework/plugins/volumebinding; KEP-490.

import {
  isReachable,
  matchingVolume,
  noProvisioner,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Stored,
  storageClassOf,
  waitsForConsumer,
} from '../../api/index.ts';
import type { NodeState } from '../cluster-state.ts';
import type { PodNeeds } from '../pod-needs.ts';
import type { StorageView } from '../storage.ts';
import type { Filter } from './filter.ts';

type Claim = Stored<PersistentVolumeClaim>;
type Volume = Stored<PersistentVolume>;

export const volumeBinding = {
  name: 'VolumeBinding',
  helpedBy: ['storage', 'node-labels'],
  prepare: (pod, { storage }) => {
    const names = claimNames(pod);
    if (names.length === 0) return undefined;
    const claims = names.map((name) => storage.claim(pod.namespace, name) ?? name);
    const reason = claims.map((claim) => whyNowhere(claim, storage)).find((why) => why !== undefined);
    if (reason !== undefined) return () => [reason];
    const present = claims.filter((claim) => typeof claim !== 'string');
    const bound = present.flatMap((claim) => storage.volume(claim.spec?.volumeName ?? '') ?? []);
    const waiting = present.filter(isUnbound);
    return (node) => {
      if (bound.some((volume) => !isReachable(volume, node.node))) return ['node(s) had volume node affinity conflict'];
      return canBind(waiting, node, storage) ? undefined : ["node(s) didn't find available persistent volumes to bind"];
    };
  },
} as const satisfies Filter;

/** Claims that wait to be told the pod's node. */
export function waitingClaims(pod: PodNeeds, storage: StorageView): readonly Claim[] {
  return claimNames(pod).flatMap((name) => {
    const claim = storage.claim(pod.namespace, name);
    return claim !== undefined && isUnbound(claim) ? [claim] : [];
  });
}

function claimNames({ pod }: PodNeeds): readonly string[] {
  return (pod.spec?.volumes ?? []).flatMap(({ persistentVolumeClaim }) =>
    persistentVolumeClaim === undefined ? [] : [persistentVolumeClaim.claimName],
  );
}

function isUnbound({ metadata, spec }: Claim): boolean {
  return (spec?.volumeName ?? '') === '' || metadata.annotations?.['pv.kubernetes.io/bind-completed'] === undefined;
}

function whyNowhere(claim: Claim | string, storage: StorageView): string | undefined {
  if (typeof claim === 'string') return `persistentvolumeclaim "${claim}" not found`;
  const { metadata, spec } = claim;
  if (metadata.deletionTimestamp !== undefined) return `persistentvolumeclaim "${metadata.name}" is being deleted`;
  if (claim.status?.phase === 'Lost')
    return `persistentvolumeclaim "${metadata.name}" bound to non-existent persistentvolume "${spec?.volumeName}"`;
  if (!isUnbound(claim)) {
    return storage.volume(spec?.volumeName ?? '') === undefined
      ? 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'
      : undefined;
  }
  return waitsForConsumer(storage.storageClass(storageClassOf(claim)))
    ? undefined
    : 'pod has unbound immediate PersistentVolumeClaims';
}

/** Each claim a volume of its own, or somebody who makes one. */
function canBind(claims: readonly Claim[], { node }: NodeState, storage: StorageView): boolean {
  const taken = new Set<Volume>();
  return claims.every((claim) => {
    const free = storage.volumes().filter((volume) => !taken.has(volume));
    const volume = matchingVolume(claim, free, node);
    if (volume !== undefined) taken.add(volume);
    const provisioner = storage.storageClass(storageClassOf(claim))?.provisioner ?? noProvisioner;
    return volume !== undefined || provisioner !== noProvisioner;
  });
}
