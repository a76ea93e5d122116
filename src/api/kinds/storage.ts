// Volumes, claims and their drivers.

import {
  csiDriverColumns,
  csiNodeColumns,
  persistentVolumeClaimColumns,
  persistentVolumeColumns,
  storageClassColumns,
  volumeAttachmentColumns,
  volumeAttributesClassColumns,
} from '../columns/storage.ts';
import { defaultCsiDriver } from '../defaults/cluster.ts';
import { defaultPersistentVolume, defaultPersistentVolumeClaim, defaultStorageClass } from '../defaults/other.ts';
import type * as t from '../types.ts';
import { validateStorageClass, validateStorageClassUpdate } from '../validation/classes.ts';
import {
  validatePersistentVolume,
  validatePersistentVolumeClaim,
  validatePersistentVolumeClaimStatus,
  validatePersistentVolumeClaimUpdate,
  validatePersistentVolumeUpdate,
} from '../validation/persistent-volumes.ts';
import {
  validateCsiDriver,
  validateCsiDriverUpdate,
  validateCsiNode,
  validateCsiNodeUpdate,
  validateCsiStorageCapacity,
  validateCsiStorageCapacityUpdate,
  validateVolumeAttachment,
  validateVolumeAttachmentUpdate,
  validateVolumeAttributesClass,
  validateVolumeAttributesClassUpdate,
} from '../validation/storage.ts';
import { define, status } from './define.ts';

const core = { group: '', version: 'v1' } as const;
const storage = { group: 'storage.k8s.io', version: 'v1', namespaced: false } as const;

export const storageKinds = {
  persistentVolume: define<t.PersistentVolume>({
    ...core,
    kind: 'PersistentVolume',
    plural: 'persistentvolumes',
    singular: 'persistentvolume',
    namespaced: false,
    shortNames: ['pv'],
    subresources: [status],
    columns: persistentVolumeColumns,
    defaults: defaultPersistentVolume,
    validate: validatePersistentVolume,
    validateUpdate: validatePersistentVolumeUpdate,
  }),
  persistentVolumeClaim: define<t.PersistentVolumeClaim>({
    ...core,
    kind: 'PersistentVolumeClaim',
    plural: 'persistentvolumeclaims',
    singular: 'persistentvolumeclaim',
    namespaced: true,
    shortNames: ['pvc'],
    subresources: [{ ...status, validateUpdate: validatePersistentVolumeClaimStatus }],
    columns: persistentVolumeClaimColumns,
    defaults: defaultPersistentVolumeClaim,
    validate: validatePersistentVolumeClaim,
    validateUpdate: validatePersistentVolumeClaimUpdate,
  }),
  storageClass: define<t.StorageClass>({
    ...storage,
    kind: 'StorageClass',
    plural: 'storageclasses',
    singular: 'storageclass',
    shortNames: ['sc'],
    columns: storageClassColumns,
    defaults: defaultStorageClass,
    validate: validateStorageClass,
    validateUpdate: validateStorageClassUpdate,
  }),
  volumeAttachment: define<t.VolumeAttachment>({
    ...storage,
    kind: 'VolumeAttachment',
    plural: 'volumeattachments',
    singular: 'volumeattachment',
    subresources: [status],
    columns: volumeAttachmentColumns,
    validate: validateVolumeAttachment,
    validateUpdate: validateVolumeAttachmentUpdate,
  }),
  volumeAttributesClass: define<t.VolumeAttributesClass>({
    ...storage,
    kind: 'VolumeAttributesClass',
    plural: 'volumeattributesclasses',
    singular: 'volumeattributesclass',
    shortNames: ['vac'],
    columns: volumeAttributesClassColumns,
    validate: validateVolumeAttributesClass,
    validateUpdate: validateVolumeAttributesClassUpdate,
  }),
  csiDriver: define<t.CSIDriver>({
    ...storage,
    kind: 'CSIDriver',
    plural: 'csidrivers',
    singular: 'csidriver',
    columns: csiDriverColumns,
    defaults: defaultCsiDriver,
    validate: validateCsiDriver,
    validateUpdate: validateCsiDriverUpdate,
  }),
  csiNode: define<t.CSINode>({
    ...storage,
    kind: 'CSINode',
    plural: 'csinodes',
    singular: 'csinode',
    columns: csiNodeColumns,
    validate: validateCsiNode,
    validateUpdate: validateCsiNodeUpdate,
  }),
  csiStorageCapacity: define<t.CSIStorageCapacity>({
    ...storage,
    kind: 'CSIStorageCapacity',
    plural: 'csistoragecapacities',
    singular: 'csistoragecapacity',
    namespaced: true,
    validate: validateCsiStorageCapacity,
    validateUpdate: validateCsiStorageCapacityUpdate,
  }),
} as const;
