// Claims and volumes: a claim without a class gets the default one, claims and volumes in use are held by a finalizer, and
// a claim grows only where its class allows it.
// Source: k8s.io/kubernetes plugin/pkg/admission/storage; Kubernetes documentation, "Persistent Volumes".

import {
  compareQuantities,
  type KubeObject,
  kinds,
  type PersistentVolumeClaim,
  parseQuantity,
  type StorageClass,
} from '../../api/index.ts';
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from '../contracts.ts';
import { newestDefault } from './newest-default.ts';
import { refuse } from './refuse.ts';

const classAnnotation = 'volume.beta.kubernetes.io/storage-class';
const defaultAnnotations = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];
const finalizers: Readonly<Record<string, string>> = {
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
  persistentvolumes: 'kubernetes.io/pv-protection',
};

export function defaultStorageClass(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    mutate(request) {
      const claim = request.object as PersistentVolumeClaim;
      if (request.operation !== 'CREATE' || !isClaim(request) || classOf(claim) !== undefined) return claim;
      const found = newestDefault(reader.list<StorageClass>(kinds.storageClass), defaultAnnotations);
      const storageClassName = found?.metadata?.name;
      return storageClassName === undefined ? claim : { ...claim, spec: { ...claim.spec, storageClassName } };
    },
  };
}

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  mutate({ kind, operation, subresource, object = {} }) {
    if (operation !== 'CREATE' || kind.group !== '' || subresource !== '') return object;
    const finalizer = finalizers[kind.plural];
    const have = object.metadata?.finalizers ?? [];
    if (finalizer === undefined || have.includes(finalizer)) return object;
    return { ...object, metadata: { ...object.metadata, finalizers: [...have, finalizer] } } satisfies KubeObject;
  },
};

export function claimResize(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'PersistentVolumeClaimResize',
    validate(request) {
      if (request.operation !== 'UPDATE' || !isClaim(request)) return;
      const [claim, old] = [request.object as PersistentVolumeClaim, request.oldObject as PersistentVolumeClaim];
      const [size, oldSize] = [sizeOf(claim), sizeOf(old)];
      if (size === undefined || oldSize === undefined || compareQuantities(oldSize, size) >= 0) return;
      if (old.status?.phase !== 'Bound') throw refuse(request, 'Only bound persistent volume claims can be expanded');
      const name = classOf(claim) ?? '';
      const found = name === '' ? undefined : reader.get<StorageClass>(kinds.storageClass, undefined, name);
      if (found?.allowVolumeExpansion === true && classOf(old) === name) return;
      const why =
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
      throw refuse(request, why);
    },
  };
}

/** '' asks for no class at all; undefined says nothing. */
function classOf({ metadata, spec }: PersistentVolumeClaim): string | undefined {
  return metadata?.annotations?.[classAnnotation] ?? spec?.storageClassName;
}

function sizeOf({ spec }: PersistentVolumeClaim) {
  const size = spec?.resources?.requests?.['storage'];
  return size === undefined ? undefined : parseQuantity(size);
}

function isClaim({ kind, subresource }: AdmissionRequest): boolean {
  return kind.group === '' && kind.plural === 'persistentvolumeclaims' && subresource === '';
}
