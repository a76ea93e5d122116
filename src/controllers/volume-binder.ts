// persistentvolume-binder: gives claims their volumes. A claim and a volume are bound when each names the other; the volume is
// written first, so that nobody else takes it, and whatever is interrupted in between is finished by the next look.
// Volumes are made by people or by an external provisioner, which this controller calls by an annotation.
// Source: k8s.io/kubernetes pkg/controller/volume/persistentvolume (pv_controller.go); "Persistent Volumes".

import {
  kinds,
  matchingVolume,
  noProvisioner,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Stored,
  selectedNodeAnnotation,
  storageClassOf,
  waitsForConsumer,
  whyUnfit,
} from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { announce, update, updateSubresource } from './actions.ts';
import { type Action, type Controller, type EventText, type View, watch } from './controller.ts';
import { isSame } from './equality.ts';

type Claim = Stored<PersistentVolumeClaim>;
type Volume = Stored<PersistentVolume>;

const boundCompletely = 'pv.kubernetes.io/bind-completed';
const boundByController = 'pv.kubernetes.io/bound-by-controller';
const provisionedBy = 'pv.kubernetes.io/provisioned-by';
const provisioners = ['volume.kubernetes.io/storage-provisioner', 'volume.beta.kubernetes.io/storage-provisioner'];
/** Keys of volumes; all others are claims. */
const volumePrefix = 'volume:';

export const volumeBinderController: Controller = {
  name: 'persistentvolume-binder-controller',
  watches: [
    watch(kinds.persistentVolumeClaim, (claim) => [
      keyOf(claim),
      ...(claim.spec?.volumeName === undefined ? [] : [`${volumePrefix}${claim.spec.volumeName}`]),
    ]),
    watch(kinds.persistentVolume, (volume, view) => [
      `${volumePrefix}${volume.metadata.name}`,
      ...claimOf(volume),
      // It may be what somebody waits for.
      ...(volume.spec?.claimRef === undefined
        ? view.list(kinds.persistentVolumeClaim).filter(isWaiting).map(keyOf)
        : []),
    ]),
    watch(kinds.storageClass, (_class, view) => view.list(kinds.persistentVolumeClaim).filter(isWaiting).map(keyOf)),
  ],
  reads: [kinds.node],
  reconcile(key, { view }) {
    if (key.startsWith(volumePrefix)) {
      const volume = view.get(kinds.persistentVolume, key.slice(volumePrefix.length));
      return volume === undefined ? [] : reconcileVolume(volume, view);
    }
    const claim = view.get(kinds.persistentVolumeClaim, key);
    if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) return [];
    return claim.metadata.annotations?.[boundCompletely] === undefined
      ? bindClaim(claim, view)
      : reconcileBound(claim, view);
  },
};

function isWaiting({ metadata }: Claim): boolean {
  return metadata.annotations?.[boundCompletely] === undefined;
}

function claimOf({ spec }: Volume): readonly string[] {
  const { namespace, name } = spec?.claimRef ?? {};
  return name === undefined ? [] : [`${namespace}/${name}`];
}

function bindClaim(claim: Claim, view: View): readonly Action[] {
  const wanted = claim.spec?.volumeName ?? '';
  const storageClass = view.get(kinds.storageClass, storageClassOf(claim));
  if (wanted !== '') {
    const volume = view.get(kinds.persistentVolume, wanted);
    const why = volume === undefined ? `volume "${wanted}" not found` : whyUnfit(claim, volume);
    if (volume !== undefined && why === undefined) return bind(claim, volume);
    return pending(claim, { type: 'Warning', reason: 'FailedBinding', message: why ?? '' });
  }
  const chosen = claim.metadata.annotations?.[selectedNodeAnnotation];
  const node = chosen === undefined ? undefined : view.get(kinds.node, chosen);
  const volumes = view.list(kinds.persistentVolume);
  if (waitsForConsumer(storageClass) && node === undefined) {
    const promised = matchingVolume(
      claim,
      volumes.filter(({ spec }) => spec?.claimRef !== undefined),
    );
    if (promised !== undefined) return bind(claim, promised);
    const message = 'waiting for first consumer to be created before binding';
    return pending(claim, { type: 'Normal', reason: 'WaitForFirstConsumer', message });
  }
  const volume = matchingVolume(claim, volumes, node);
  if (volume !== undefined) return bind(claim, volume);
  const provisioner = storageClass?.provisioner ?? noProvisioner;
  if (provisioner !== noProvisioner) return callProvisioner(claim, provisioner);
  const message =
    storageClass === undefined && storageClassOf(claim) !== ''
      ? `storageclass.storage.k8s.io "${storageClassOf(claim)}" not found`
      : 'no persistent volumes available for this claim and no storage class is set';
  return pending(claim, {
    type: storageClass === undefined && storageClassOf(claim) !== '' ? 'Warning' : 'Normal',
    reason: storageClass === undefined && storageClassOf(claim) !== '' ? 'ProvisioningFailed' : 'FailedBinding',
    message,
  });
}

function bind(claim: Claim, volume: Volume): readonly Action[] {
  const { namespace, name, uid, resourceVersion } = claim.metadata;
  const claimRef = {
    ...{ kind: 'PersistentVolumeClaim', apiVersion: 'v1', name, uid, resourceVersion },
    ...(namespace === undefined ? {} : { namespace }),
  };
  const held = volume.spec?.claimRef;
  const reserved: Volume = {
    ...annotated(volume, held === undefined ? { [boundByController]: 'yes' } : {}),
    spec: { ...volume.spec, claimRef },
  };
  const isChosenHere = (claim.spec?.volumeName ?? '') === '';
  const marks = { [boundCompletely]: 'yes', ...(isChosenHere ? { [boundByController]: 'yes' } : {}) };
  return [
    ...(held?.uid === uid ? [] : [update(kinds.persistentVolume, reserved)]),
    update(kinds.persistentVolumeClaim, {
      ...annotated(claim, marks),
      spec: { ...claim.spec, volumeName: volume.metadata.name },
    }),
  ];
}

function annotated<T extends Claim | Volume>(object: T, annotations: Readonly<Record<string, string>>): T {
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } } };
}

function callProvisioner(claim: Claim, provisioner: string): readonly Action[] {
  const called = provisioners.every((key) => claim.metadata.annotations?.[key] === provisioner);
  const annotations = Object.fromEntries(provisioners.map((key) => [key, provisioner]));
  const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
  return [
    ...(called ? [] : [update(kinds.persistentVolumeClaim, annotated(claim, annotations))]),
    ...pending(claim, { type: 'Normal', reason: 'ExternalProvisioning', message }),
  ];
}

function pending(claim: Claim, why: EventText): readonly Action[] {
  return [...claimStatus(claim, { phase: 'Pending' }), announce(claim, why)];
}

function reconcileBound(claim: Claim, view: View): readonly Action[] {
  const volume = view.get(kinds.persistentVolume, claim.spec?.volumeName ?? '');
  const lost = (reason: string, message: string): readonly Action[] =>
    claim.status?.phase === 'Lost'
      ? []
      : [...claimStatus(claim, { phase: 'Lost' }), announce(claim, { type: 'Warning', reason, message })];
  if (volume === undefined)
    return lost('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
  if (volume.spec?.claimRef === undefined) return bind(claim, volume);
  if (volume.spec.claimRef.uid !== claim.metadata.uid) {
    return lost('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly');
  }
  const { accessModes = [], capacity = {} } = volume.spec;
  return claimStatus(claim, { phase: 'Bound', accessModes, capacity });
}

function claimStatus(claim: Claim, wanted: NonNullable<PersistentVolumeClaim['status']>): readonly Action[] {
  const { phase, accessModes, capacity } = claim.status ?? {};
  const isThere =
    phase === wanted.phase &&
    (wanted.capacity === undefined || (isSame(accessModes, wanted.accessModes) && isSame(capacity, wanted.capacity)));
  return isThere
    ? []
    : [updateSubresource(kinds.persistentVolumeClaim, 'status', { ...claim, status: { ...claim.status, ...wanted } })];
}

function reconcileVolume(volume: Volume, view: View): readonly Action[] {
  const { claimRef, persistentVolumeReclaimPolicy: policy } = volume.spec ?? {};
  const [key] = claimOf(volume);
  if (claimRef === undefined || key === undefined) return volumeStatus(volume, 'Available');
  const claim = view.get(kinds.persistentVolumeClaim, key);
  if (claimRef.uid === undefined || claimRef.uid === '') return volumeStatus(volume, 'Available');
  if (claim !== undefined && claim.metadata.uid === claimRef.uid) return volumeStatus(volume, 'Bound');
  const isExternal = volume.metadata.annotations?.[provisionedBy] !== undefined || volume.spec?.csi !== undefined;
  // Retained for a person to look at, or deleted by whoever made it.
  if (policy === 'Retain' || isExternal) return volumeStatus(volume, 'Released');
  if (volume.status?.phase === 'Failed') return [];
  const message = `no ${policy === 'Recycle' ? 'recyclable' : 'deletable'} volume plugin matched`;
  const reason = policy === 'Recycle' ? 'VolumeFailedRecycle' : 'VolumeFailedDelete';
  return [...volumeStatus(volume, 'Failed', message), announce(volume, { type: 'Warning', reason, message })];
}

function volumeStatus(volume: Volume, phase: string, message?: string): readonly Action[] {
  if (volume.status?.phase === phase) return [];
  const status = { phase, ...(message === undefined ? {} : { message }) };
  return [updateSubresource(kinds.persistentVolume, 'status', { ...volume, status })];
}
