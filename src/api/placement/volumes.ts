// Which PersistentVolume a claim gets: the smallest that is free and has everything the claim asks for. The binder and the
// scheduler must agree on it, so it stands here.
// Source: k8s.io/component-helpers storage/volume (FindMatchingVolume); Kubernetes documentation, "Persistent Volumes".

import { compareQuantities, parseQuantity } from '../quantity.ts';
import { compileLabelSelector } from '../selectors/labels.ts';
import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass, Stored } from '../types.ts';
import { compileTerm } from './node-terms.ts';

const classAnnotation = 'volume.beta.kubernetes.io/storage-class';
/** Where the pod that waits for the claim will run; set by the scheduler. */
export const selectedNodeAnnotation = 'volume.kubernetes.io/selected-node';
export const noProvisioner = 'kubernetes.io/no-provisioner';

type Claim = Stored<PersistentVolumeClaim>;
type Volume = Stored<PersistentVolume>;

/** '' for none. */
export function storageClassOf({ metadata, spec }: PersistentVolumeClaim | PersistentVolume): string {
  return metadata?.annotations?.[classAnnotation] ?? spec?.storageClassName ?? '';
}

export function waitsForConsumer(storageClass: StorageClass | undefined): boolean {
  return storageClass?.volumeBindingMode === 'WaitForFirstConsumer';
}

/** Whether a volume may be used on a node. */
export function isReachable({ spec }: PersistentVolume, node: Node): boolean {
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms;
  return terms === undefined || terms.some((term) => compileTerm(term)(node));
}

/** Whether a volume is promised to this claim, by its uid or, before it is bound, by its name. */
export function isPromisedTo({ spec }: PersistentVolume, { metadata }: Claim): boolean {
  const { namespace, name, uid } = spec?.claimRef ?? {};
  return name === metadata.name && namespace === metadata.namespace && (uid === undefined || uid === metadata.uid);
}

/** @param node the volume must be reachable from it; absent: from anywhere. */
export function matchingVolume(claim: Claim, volumes: readonly Volume[], node?: Node): Volume | undefined {
  const fitting = volumes.filter(
    (volume) => whyUnfit(claim, volume) === undefined && (node === undefined || isReachable(volume, node)),
  );
  const promised = fitting.find((volume) => volume.spec?.claimRef !== undefined);
  return promised ?? fitting.toSorted((a, b) => compareQuantities(capacityOf(a), capacityOf(b)))[0];
}

/** Why a volume can't be this claim's; undefined when it can. */
export function whyUnfit(claim: Claim, volume: Volume): string | undefined {
  const { spec = {}, status, metadata } = volume;
  const { spec: wanted = {} } = claim;
  if (metadata.deletionTimestamp !== undefined) return 'it is being deleted';
  if (spec.claimRef !== undefined && !isPromisedTo(volume, claim)) return 'volume already bound to a different claim.';
  if (status?.phase === 'Released' || status?.phase === 'Failed') return `it is ${status.phase}`;
  if (storageClassOf(volume) !== storageClassOf(claim)) return 'storageClassName does not match';
  if ((spec.volumeMode ?? 'Filesystem') !== (wanted.volumeMode ?? 'Filesystem')) return 'incompatible volumeMode';
  const modes = spec.accessModes ?? [];
  if (!(wanted.accessModes ?? []).every((mode) => modes.includes(mode))) return 'incompatible accessMode';
  const asked = parseQuantity(wanted.resources?.requests?.['storage'] ?? '0');
  if (compareQuantities(capacityOf(volume), asked) < 0) return 'requested PV is too small';
  if (wanted.selector !== undefined && !compileLabelSelector(wanted.selector).matches(metadata.labels ?? {})) {
    return 'its labels do not match the selector';
  }
  return undefined;
}

function capacityOf({ spec }: PersistentVolume) {
  return parseQuantity(spec?.capacity?.['storage'] ?? '0');
}
