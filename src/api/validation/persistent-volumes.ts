// PersistentVolumes and PersistentVolumeClaims. Source: kubernetes pkg/apis/core/validation.

import { normalize } from 'node:path/posix';
import { type FieldError, forbidden, invalid, notSupported, required } from '../field-error.ts';
import { compareQuantities, parseQuantity, type Quantity, quantityValue, signOf } from '../quantity.ts';
import { valuesOf } from '../schema/values.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../types.ts';
import { validateNodeSelector } from './affinity.ts';
import { whyNotDnsLabel, whyNotDnsSubdomain, whyNotQualifiedName } from './names.ts';
import { sourcesOf, validateVolumeSource } from './persistent-volume-sources.ts';
import { immutable, invalidFor, oneOf, requireText, sameJson, strictlyOneOf, validLabelSelector } from './rules.ts';

type VolumeSpec = NonNullable<PersistentVolume['spec']>;
type ClaimSpec = NonNullable<PersistentVolumeClaim['spec']>;

const core = 'io.k8s.api.core.v1';
const reclaimPolicies = valuesOf(`${core}.PersistentVolumeSpec`, 'persistentVolumeReclaimPolicy');
const volumeModes = valuesOf(`${core}.PersistentVolumeSpec`, 'volumeMode');
const volumeAccess = valuesOf(`${core}.PersistentVolumeSpec`, 'accessModes');
const claimModes = valuesOf(`${core}.PersistentVolumeClaimSpec`, 'volumeMode');
const claimAccess = valuesOf(`${core}.PersistentVolumeClaimSpec`, 'accessModes');

export function validatePersistentVolume({ spec = {} }: PersistentVolume): readonly FieldError[] {
  const { capacity = {}, nodeAffinity, persistentVolumeReclaimPolicy: reclaim } = spec;
  const errors = validateModes('spec.accessModes', spec.accessModes, { known: volumeAccess(), needed: '' });
  const measured = Object.keys(capacity);
  if (measured.length === 0) errors.push(required('spec.capacity'));
  if (capacity['storage'] === undefined || measured.length > 1) {
    errors.push(notSupported('spec.capacity', capacity, ['storage']));
  }
  for (const [name, amount] of Object.entries(capacity)) {
    const field = `spec.capacity[${name}]`;
    errors.push(...validAmount(field, amount), ...positive(field, amount));
  }
  errors.push(...oneOf('spec.persistentVolumeReclaimPolicy', reclaim, reclaimPolicies()));
  if (nodeAffinity !== undefined) {
    const field = 'spec.nodeAffinity.required';
    if (nodeAffinity.required === undefined) errors.push(required(field, 'must specify required node constraints'));
    else errors.push(...validateNodeSelector(field, nodeAffinity.required));
  }
  errors.push(...validateVolumeSource(spec));
  if (reclaim === 'Recycle' && spec.hostPath?.path !== undefined && normalize(spec.hostPath.path) === '/') {
    const why = "may not be 'recycle' for a hostPath mount of '/'";
    errors.push(forbidden('spec.persistentVolumeReclaimPolicy', why));
  }
  const { storageClassName, volumeAttributesClassName: attributes } = spec;
  if (storageClassName)
    errors.push(...invalidFor('spec.storageClassName', storageClassName, whyNotDnsSubdomain(storageClassName)));
  errors.push(...strictlyOneOf('spec.volumeMode', spec.volumeMode, volumeModes()));
  if (attributes === undefined) return errors;
  const field = 'spec.volumeAttributesClassName';
  if (attributes === '') errors.push(required(field, 'an empty string is disallowed'));
  else errors.push(...invalidFor(field, attributes, whyNotDnsSubdomain(attributes)));
  if (spec.csi === undefined) {
    errors.push(required('spec.csi', 'has to be specified when using volumeAttributesClassName'));
  }
  return errors;
}

/** @param needed what to say when there is none. */
function validateModes(
  field: string,
  modes: readonly string[] = [],
  { known, needed }: { readonly known: readonly string[]; readonly needed: string },
): FieldError[] {
  const errors = modes.length === 0 ? [required(field, needed)] : [];
  errors.push(...modes.flatMap((mode) => (known.includes(mode) ? [] : [notSupported(field, mode, known)])));
  const others = modes.filter((mode) => mode !== onePod && known.includes(mode));
  if (modes.includes(onePod) && others.length > 0) {
    errors.push(forbidden(field, `may not use ${onePod} with other access modes`));
  }
  return errors;
}

const onePod = 'ReadWriteOncePod';

function positive(field: string, amount: string): FieldError[] {
  return signOf(parseQuantity(amount)) > 0 ? [] : [invalid(field, amount, 'must be greater than zero')];
}

function validAmount(field: string, amount: string): FieldError[] {
  const value = quantityValue(parseQuantity(amount));
  return value < 0 ? [invalid(field, value, 'must be a valid resource quantity')] : [];
}

export function validatePersistentVolumeUpdate(
  { spec }: PersistentVolume,
  { spec: old }: PersistentVolume,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (!sameJson(withoutFirstExpansionSecret(sourcesOf(spec), old), sourcesOf(old))) {
    errors.push(forbidden('spec.persistentvolumesource', 'spec.persistentvolumesource is immutable after creation'));
  }
  errors.push(...immutable('volumeMode', spec?.volumeMode, old?.volumeMode));
  if (old?.nodeAffinity !== undefined && !sameAffinity(spec?.nodeAffinity, old.nodeAffinity)) {
    const why = 'field is immutable, except for updating from beta label to GA';
    errors.push(invalid('nodeAffinity', spec?.nodeAffinity, why));
  }
  if (old?.volumeAttributesClassName !== undefined && spec?.volumeAttributesClassName === undefined) {
    errors.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'));
  }
  return errors;
}

/** The secret for expansion may be added later. */
function withoutFirstExpansionSecret(sources: Partial<VolumeSpec>, old: VolumeSpec | undefined): Partial<VolumeSpec> {
  if (sources.csi === undefined || old?.csi === undefined) return sources;
  if (old.csi.controllerExpandSecretRef !== undefined) return sources;
  const { controllerExpandSecretRef: _added, ...csi } = sources.csi;
  return { ...sources, csi };
}

/** Labels of nodes that were renamed when they became stable. */
const stableLabels: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
};

/** Whether they are the same, or `now` has the stable name of a label where `old` has the beta one. */
function sameAffinity(now: unknown, old: unknown): boolean {
  if (typeof now !== 'object' || typeof old !== 'object' || now === null || old === null) return now === old;
  const [left, right] = [now, old] as [Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) => {
    const [after, before] = [left[key], right[key]];
    const isRenamed = key === 'key' && after !== undefined && after === stableLabels[String(before)];
    return isRenamed || sameAffinity(after, before);
  });
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
  const { storageClassName, dataSource, dataSourceRef, volumeAttributesClassName: attributes } = spec ?? {};
  if (storageClassName)
    errors.push(...invalidFor(`${field}.storageClassName`, storageClassName, whyNotDnsSubdomain(storageClassName)));
  errors.push(...strictlyOneOf(`${field}.volumeMode`, spec?.volumeMode, claimModes()));
  if (dataSource !== undefined) errors.push(...validateDataSource(`${field}.dataSource`, dataSource));
  if (dataSourceRef !== undefined) {
    const at = `${field}.dataSourceRef`;
    errors.push(...validateDataSource(at, dataSourceRef));
    const { namespace } = dataSourceRef;
    if (namespace) errors.push(...invalidFor(`${at}.namespace`, namespace, whyNotDnsLabel(namespace)));
    if (dataSource !== undefined) {
      const { namespace: _elsewhere, ...same } = dataSourceRef;
      if (namespace) {
        const why = 'may not be specified when dataSourceRef.namespace is specified';
        errors.push(invalid(field, `${field}.dataSource`, why));
      } else if (!sameJson(dataSource, same)) {
        errors.push(invalid(field, `${field}.dataSource`, 'must match dataSourceRef'));
      }
    }
  }
  if (attributes) {
    errors.push(...invalidFor(`${field}.volumeAttributesClassName`, attributes, whyNotDnsSubdomain(attributes)));
  }
  return errors;
}

function validateDataSource(field: string, source: Partial<NonNullable<ClaimSpec['dataSource']>>): FieldError[] {
  const { name, kind = '', apiGroup = '' } = source;
  const errors = [...requireText(`${field}.name`, name), ...requireText(`${field}.kind`, kind)];
  if (apiGroup !== '') return [...errors, ...invalidFor(`${field}.apiGroup`, apiGroup, whyNotDnsSubdomain(apiGroup))];
  if (kind === 'PersistentVolumeClaim') return errors;
  const why = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
  return [...errors, invalid(field, kind, why)];
}

const classAnnotation = 'volume.beta.kubernetes.io/storage-class';

export function validatePersistentVolumeClaimUpdate(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): readonly FieldError[] {
  const [spec, before] = [claim.spec ?? {}, old.spec ?? {}];
  const errors: FieldError[] = [];
  const [annotation, oldAnnotation] = [claim, old].map(({ metadata }) => metadata?.annotations?.[classAnnotation]);
  if ((annotation ?? '') !== (oldAnnotation ?? '')) {
    errors.push(invalid(`metadata.annotations.${classAnnotation}`, annotation ?? '', 'field is immutable'));
  }
  // The status of a claim that is sent to the main resource is the stored one.
  const bound = old.status?.phase === 'Bound';
  if (!sameJson(fixedClaim(spec, before, bound), fixedClaim(before, before, bound))) {
    const why =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
    errors.push(forbidden('spec', why));
  }
  const [size, oldSize, have] = [
    spec.resources?.requests?.['storage'],
    before.resources?.requests?.['storage'],
    old.status?.capacity?.['storage'],
  ].map((amount) => parseQuantity(amount ?? '0')) as [Quantity, Quantity, Quantity];
  if (compareQuantities(size, oldSize) < 0 && compareQuantities(size, have) <= 0) {
    errors.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'));
  }
  errors.push(...immutable('volumeMode', spec.volumeMode, before.volumeMode));
  const [attributes, oldAttributes] = [spec.volumeAttributesClassName, before.volumeAttributesClassName];
  if (oldAttributes !== undefined && !attributes) {
    const what = attributes === undefined ? 'nil' : 'an empty string';
    errors.push(forbidden('spec.volumeAttributesClassName', `update from non-nil value to ${what} is forbidden`));
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

const resizeStates = valuesOf(`${core}.PersistentVolumeClaimStatus`, 'allocatedResourceStatuses');

/** For /status. Source: ValidatePersistentVolumeClaimStatusUpdate. */
export function validatePersistentVolumeClaimStatus({ status }: PersistentVolumeClaim): readonly FieldError[] {
  const { capacity = {}, allocatedResources = {}, allocatedResourceStatuses = {} } = status ?? {};
  const errors = Object.entries(capacity).flatMap(([name, amount]) => validAmount(`status.capacity[${name}]`, amount));
  for (const [name, state] of Object.entries(allocatedResourceStatuses)) {
    const field = 'status.allocatedResourceStatus';
    errors.push(...validClaimResource(field, name));
    if (!resizeStates().includes(state)) errors.push(notSupported(field, name, resizeStates()));
  }
  for (const [name, amount] of Object.entries(allocatedResources)) {
    const field = 'status.allocatedResources';
    const wrong = validClaimResource(field, name);
    errors.push(...(wrong.length > 0 ? wrong : validAmount(`${field}[${name}]`, amount)));
  }
  return errors;
}

function validClaimResource(field: string, name: string): FieldError[] {
  const errors = invalidFor(field, name, whyNotQualifiedName(name));
  if (errors.length > 0 || name === 'storage' || (name.includes('/') && !name.includes('kubernetes.io/')))
    return errors;
  return [notSupported(field, name, ['storage'])];
}
