// The columns of volumes and storage.k8s.io.

import type { Column } from '../kind.ts';
import type {
  CSIDriver,
  CSINode,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
  VolumeAttachment,
  VolumeAttributesClass,
} from '../types.ts';
import { age, count, text, wide } from './column.ts';

const shortModes: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

/** Each mode once, in upstream's order. */
function modes(all: readonly string[] = []): string {
  return Object.entries(shortModes)
    .filter(([mode]) => all.includes(mode))
    .map(([, short]) => short)
    .join(',');
}

export const persistentVolumeColumns: readonly Column<PersistentVolume>[] = [
  text('Capacity', 'Size.', ({ spec }) => spec?.capacity?.['storage'] ?? ''),
  text('Access Modes', 'How it may be mounted.', ({ spec }) => modes(spec?.accessModes)),
  text('Reclaim Policy', 'What happens when its claim goes.', ({ spec }) => spec?.persistentVolumeReclaimPolicy ?? ''),
  text('Status', 'Phase.', ({ metadata, status }) =>
    metadata?.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
  ),
  text('Claim', 'Claim it is bound to.', ({ spec }) =>
    spec?.claimRef === undefined ? '' : `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}`,
  ),
  text('StorageClass', 'Storage class.', ({ spec }) => spec?.storageClassName ?? ''),
  text('VolumeAttributesClass', 'Volume attributes class.', ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>'),
  text('Reason', 'Why it is in its phase.', ({ status }) => status?.reason ?? ''),
  age,
  wide('VolumeMode', 'Filesystem or Block.', ({ spec }) => spec?.volumeMode ?? '<unset>'),
];

export const persistentVolumeClaimColumns: readonly Column<PersistentVolumeClaim>[] = [
  text('Status', 'Phase.', ({ metadata, status }) =>
    metadata?.deletionTimestamp === undefined ? (status?.phase ?? '') : 'Terminating',
  ),
  text('Volume', 'Volume it is bound to.', ({ spec }) => spec?.volumeName ?? ''),
  text('Capacity', 'Size.', ({ spec, status }) => (spec?.volumeName ? (status?.capacity?.['storage'] ?? '0') : '')),
  text('Access Modes', 'How it may be mounted.', ({ spec, status }) =>
    spec?.volumeName ? modes(status?.accessModes) : '',
  ),
  text('StorageClass', 'Storage class.', ({ spec }) => spec?.storageClassName ?? ''),
  text('VolumeAttributesClass', 'Volume attributes class.', ({ spec }) => spec?.volumeAttributesClassName ?? '<unset>'),
  age,
  wide('VolumeMode', 'Filesystem or Block.', ({ spec }) => spec?.volumeMode ?? '<unset>'),
];

const defaultClass = 'storageclass.kubernetes.io/is-default-class';

export const storageClassColumns: readonly Column<StorageClass>[] = [
  {
    name: 'Name',
    type: 'string',
    format: 'name',
    description: 'Name of the class; the default class says so.',
    value: ({ metadata }) =>
      metadata?.annotations?.[defaultClass] === 'true' ? `${metadata.name} (default)` : (metadata?.name ?? ''),
  },
  text('Provisioner', 'Who makes its volumes.', ({ provisioner }) => provisioner),
  text('ReclaimPolicy', 'What happens when a claim goes.', ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete'),
  text('VolumeBindingMode', 'When volumes are bound.', ({ volumeBindingMode }) => volumeBindingMode ?? '<unset>'),
  text(
    'AllowVolumeExpansion',
    'Whether volumes may grow.',
    ({ allowVolumeExpansion }) => allowVolumeExpansion ?? '<unset>',
  ),
  age,
];

export const volumeAttachmentColumns: readonly Column<VolumeAttachment>[] = [
  { ...text('Attacher', 'Driver that attaches.', ({ spec }) => spec.attacher), format: 'name' },
  text('PV', 'Volume.', ({ spec }) => spec.source.persistentVolumeName ?? ''),
  text('Node', 'Node.', ({ spec }) => spec.nodeName),
  {
    name: 'Attached',
    type: 'boolean',
    description: 'Whether it is attached.',
    value: ({ status }) => status?.attached ?? false,
  },
  age,
];

export const volumeAttributesClassColumns: readonly Column<VolumeAttributesClass>[] = [
  text('DriverName', 'Driver it is for.', ({ driverName }) => driverName),
  age,
];

export const csiDriverColumns: readonly Column<CSIDriver>[] = [
  {
    name: 'AttachRequired',
    type: 'boolean',
    description: 'Whether volumes must be attached.',
    value: ({ spec }) => spec.attachRequired ?? true,
  },
  {
    name: 'PodInfoOnMount',
    type: 'boolean',
    description: 'Whether it is told about the pod.',
    value: ({ spec }) => spec.podInfoOnMount ?? false,
  },
  {
    name: 'StorageCapacity',
    type: 'boolean',
    description: 'Whether it publishes capacity.',
    value: ({ spec }) => spec.storageCapacity ?? false,
  },
  text('TokenRequests', 'Audiences it wants tokens for.', ({ spec }) =>
    spec.tokenRequests === undefined ? '<unset>' : spec.tokenRequests.map(({ audience }) => audience).join(','),
  ),
  {
    name: 'RequiresRepublish',
    type: 'boolean',
    description: 'Whether it is called again.',
    value: ({ spec }) => spec.requiresRepublish ?? false,
  },
  text('Modes', 'Volume lifecycle modes.', ({ spec }) => (spec.volumeLifecycleModes ?? []).join(',')),
  age,
];

export const csiNodeColumns: readonly Column<CSINode>[] = [
  count('Drivers', 'Drivers on the node.', ({ spec }) => spec.drivers?.length ?? 0),
  age,
];
