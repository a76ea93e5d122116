// PersistentVolumes and PersistentVolumeClaims. Source: kubernetes pkg/apis/core/validation.

import { type FieldError, forbidden, invalid, notSupported, required } from '../field-error.ts';
import { compareQuantities, parseQuantity, signOf } from '../quantity.ts';
import { valuesOf } from '../schema/values.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../types.ts';
import { validateNodeSelector } from './affinity.ts';
import { whyNotDnsSubdomain } from './names.ts';
import { each, immutable, invalidFor, oneOf, requireText, sameJson, validLabelSelector } from './rules.ts';

type VolumeSpec = NonNullable<PersistentVolume['spec']>;
type ClaimSpec = NonNullable<PersistentVolumeClaim['spec']>;

const core = 'io.k8s.api.core.v1';
const reclaimPolicies = valuesOf(`${core}.PersistentVolumeSpec`, 'persistentVolumeReclaimPolicy');
const volumeModes = valuesOf(`${core}.PersistentVolumeSpec`, 'volumeMode');
const volumeAccess = valuesOf(`${core}.PersistentVolumeSpec`, 'accessModes');
const claimModes = valuesOf(`${core}.PersistentVolumeClaimSpec`, 'volumeMode');
const claimAccess = valuesOf(`${core}.PersistentVolumeClaimSpec`, 'accessModes');

/** What of a volume's spec is not a source. */
const plainFields: ReadonlySet<string> = new Set([
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
]);

function sourcesOf(spec: VolumeSpec | undefined): object {
  return Object.fromEntries(Object.entries(spec ?? {}).filter(([key]) => !plainFields.has(key)));
}

export function validatePersistentVolume({ spec }: PersistentVolume): readonly FieldError[] {
  if (spec === undefined) return [required('spec', 'must specify a volume type')];
  const { capacity = {}, hostPath, local, nodeAffinity, persistentVolumeReclaimPolicy: reclaim } = spec;
  const errors = validateModes('spec.accessModes', spec.accessModes, { known: volumeAccess(), needed: '' });
  if (Object.keys(capacity).length === 0) errors.push(required('spec.capacity'));
  else if (capacity['storage'] === undefined || Object.keys(capacity).length > 1) {
    errors.push(notSupported('spec.capacity', capacity, ['storage']));
  }
  for (const [name, amount] of Object.entries(capacity)) errors.push(...positive(`spec.capacity[${name}]`, amount));
  errors.push(...oneOf('spec.persistentVolumeReclaimPolicy', reclaim, reclaimPolicies()));
  errors.push(...oneOf('spec.volumeMode', spec.volumeMode, volumeModes()));
  const [source, ...extra] = Object.keys(sourcesOf(spec));
  if (source === undefined) errors.push(required('spec', 'must specify a volume type'));
  for (const one of extra) errors.push(forbidden(`spec.${one}`, 'may not specify more than 1 volume type'));
  if (hostPath !== undefined) {
    errors.push(...requireText('spec.hostPath.path', hostPath.path));
    if (hostPath.path === '/' && reclaim === 'Recycle') {
      const why = "may not be 'recycle' for a hostPath mount of '/'";
      errors.push(forbidden('spec.persistentVolumeReclaimPolicy', why));
    }
  }
  if (local !== undefined) {
    errors.push(...requireText('spec.local.path', local.path));
    if (nodeAffinity === undefined) errors.push(required('spec.nodeAffinity', 'Local volume requires node affinity'));
  }
  if (spec.nfs !== undefined) {
    errors.push(...requireText('spec.nfs.server', spec.nfs.server), ...requireText('spec.nfs.path', spec.nfs.path));
    if (spec.nfs.path && !spec.nfs.path.startsWith('/')) {
      errors.push(invalid('spec.nfs.path', spec.nfs.path, 'must be an absolute path'));
    }
  }
  if (spec.csi !== undefined) {
    errors.push(
      ...requireText('spec.csi.driver', spec.csi.driver),
      ...requireText('spec.csi.volumeHandle', spec.csi.volumeHandle),
    );
  }
  if (nodeAffinity !== undefined) {
    const field = 'spec.nodeAffinity.required';
    if (nodeAffinity.required === undefined) errors.push(required(field, 'must specify required node constraints'));
    else errors.push(...validateNodeSelector(field, nodeAffinity.required));
  }
  const { storageClassName } = spec;
  if (storageClassName)
    errors.push(...invalidFor('spec.storageClassName', storageClassName, whyNotDnsSubdomain(storageClassName)));
  return errors;
}

/** @param needed what to say when there is none. */
function validateModes(
  field: string,
  modes: readonly string[] = [],
  { known, needed }: { readonly known: readonly string[]; readonly needed: string },
): FieldError[] {
  const errors = modes.length === 0 ? [required(field, needed)] : [];
  errors.push(...each(field, modes, (mode) => (known.includes(mode) ? [] : [notSupported(field, mode, known)])));
  if (modes.length > 1 && modes.includes('ReadWriteOncePod')) {
    errors.push(forbidden(field, 'may not use ReadWriteOncePod with other access modes'));
  }
  return errors;
}

function positive(field: string, amount: string): FieldError[] {
  return signOf(parseQuantity(amount)) > 0 ? [] : [invalid(field, amount, 'must be greater than zero')];
}

export function validatePersistentVolumeUpdate(
  { spec }: PersistentVolume,
  { spec: old }: PersistentVolume,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (!sameJson(sourcesOf(spec), sourcesOf(old))) {
    errors.push(forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation'));
  }
  errors.push(...immutable('spec.volumeMode', spec?.volumeMode, old?.volumeMode));
  if (old?.nodeAffinity !== undefined && !sameJson(spec?.nodeAffinity, old.nodeAffinity)) {
    const why = 'field is immutable, except for updating from beta label to GA';
    errors.push(invalid('spec.nodeAffinity', spec?.nodeAffinity, why));
  }
  return errors;
}

export function validatePersistentVolumeClaim({ spec }: PersistentVolumeClaim): readonly FieldError[] {
  return validateClaimSpec('spec', spec);
}

/** A claim's spec, of its own or as a pod's ephemeral volume. */
export function validateClaimSpec(field: string, spec: ClaimSpec | undefined): FieldError[] {
  const errors = validateModes(`${field}.accessModes`, spec?.accessModes, {
    known: claimAccess(),
    needed: 'at least 1 access mode is required',
  });
  errors.push(...validLabelSelector(`${field}.selector`, spec?.selector));
  const storage = spec?.resources?.requests?.['storage'];
  const at = `${field}.resources[storage]`;
  errors.push(...(storage === undefined ? [required(at)] : positive(at, storage)));
  const { storageClassName } = spec ?? {};
  if (storageClassName)
    errors.push(...invalidFor(`${field}.storageClassName`, storageClassName, whyNotDnsSubdomain(storageClassName)));
  errors.push(...oneOf(`${field}.volumeMode`, spec?.volumeMode, claimModes()));
  if (spec?.dataSource !== undefined) {
    errors.push(
      ...requireText(`${field}.dataSource.name`, spec.dataSource.name),
      ...requireText(`${field}.dataSource.kind`, spec.dataSource.kind),
    );
  }
  return errors;
}

export function validatePersistentVolumeClaimUpdate(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): readonly FieldError[] {
  if (claim.spec === undefined || old.spec === undefined) return [];
  const bound = old.status?.phase === 'Bound';
  const errors: FieldError[] = [];
  if (!sameJson(fixedClaim(claim.spec, old.spec, bound), fixedClaim(old.spec, old.spec, bound))) {
    const why =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
    errors.push(forbidden('spec', why));
  }
  const [now, before] = [claim, old].map((one) => one.spec?.resources?.requests?.['storage']);
  const got = old.status?.capacity?.['storage'];
  if (now !== undefined && before !== undefined && compareQuantities(parseQuantity(now), parseQuantity(before)) < 0) {
    if (got === undefined || compareQuantities(parseQuantity(now), parseQuantity(got)) <= 0) {
      errors.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'));
    }
  }
  return errors;
}

/** The binder fills in the volume's name, a late default the class's: both only where nothing was. */
function fixedClaim(spec: ClaimSpec, old: ClaimSpec, bound: boolean): unknown {
  const { volumeName, storageClassName, resources, volumeAttributesClassName, ...rest } = spec;
  return {
    ...rest,
    ...(old.volumeName ? { volumeName } : {}),
    ...(old.storageClassName === undefined ? {} : { storageClassName }),
    ...(bound ? { resources: { ...resources, requests: undefined } } : { resources, volumeAttributesClassName }),
  };
}
