// VolumeAttributesClasses, CSIDrivers, CSINodes, CSIStorageCapacities and VolumeAttachments.
// Source: kubernetes pkg/apis/storage/validation.

import { duplicate, type FieldError, forbidden, invalid, notSupported, required, tooLong } from '../field-error.ts';
import { parseQuantity, signOf } from '../quantity.ts';
import { valuesOf } from '../schema/values.ts';
import type { CSIDriver, CSINode, CSIStorageCapacity, VolumeAttachment, VolumeAttributesClass } from '../types.ts';
import { validateParameters, validateProvisioner } from './classes.ts';
import { whyNotDnsSubdomain, whyNotQualifiedName } from './names.ts';
import {
  each,
  immutable,
  inRange,
  invalidFor,
  nonNegative,
  requireText,
  sameJson,
  strictlyOneOf,
  validLabelSelector,
} from './rules.ts';

const fsGroupPolicies = valuesOf('io.k8s.api.storage.v1.CSIDriverSpec', 'fsGroupPolicy');
const lifecycleModes = valuesOf('io.k8s.api.storage.v1.CSIDriverSpec', 'volumeLifecycleModes');
const maxDriverName = 63;

export function validateVolumeAttributesClass({
  driverName,
  parameters = {},
}: VolumeAttributesClass): readonly FieldError[] {
  const errors = [...validateProvisioner('driverName', driverName), ...validateParameters('parameters', parameters)];
  return Object.keys(parameters).length === 0
    ? [...errors, required('parameters', 'must contain at least one key/value pair')]
    : errors;
}

export function validateVolumeAttributesClassUpdate(
  one: VolumeAttributesClass,
  old: VolumeAttributesClass,
): readonly FieldError[] {
  return [
    ...(one.driverName === old.driverName ? [] : [forbidden('driverName', 'updates to driverName are forbidden.')]),
    ...(sameJson(one.parameters, old.parameters)
      ? []
      : [forbidden('parameters', 'updates to parameters are forbidden.')]),
  ];
}

function validateDriverName(field: string, name = ''): FieldError[] {
  const errors = requireText(field, name);
  if (name.length > maxDriverName) errors.push(tooLong(field, maxDriverName));
  return [...errors, ...invalidFor(field, name, whyNotDnsSubdomain(name.toLowerCase()))];
}

const minTokenSeconds = 600;
const maxTokenSeconds = 2 ** 32;
const minPeriodSeconds = 10;

export function validateCsiDriver({ spec }: CSIDriver): readonly FieldError[] {
  const audiences = new Set<string>();
  const errors = [
    ...strictlyOneOf('spec.fsGroupPolicy', spec?.fsGroupPolicy, fsGroupPolicies()),
    ...each('spec.tokenRequests', spec?.tokenRequests, ({ audience = '', expirationSeconds: seconds }, at) => {
      if (audiences.has(audience)) return [duplicate(`${at}.audience`, audience)];
      audiences.add(audience);
      const field = `${at}.expirationSeconds`;
      if (seconds === undefined) return [];
      if (seconds < minTokenSeconds) {
        return [invalid(field, seconds, 'may not specify a duration less than 10 minutes')];
      }
      return seconds > maxTokenSeconds
        ? [invalid(field, seconds, 'may not specify a duration larger than 2^32 seconds')]
        : [];
    }),
  ];
  for (const mode of spec?.volumeLifecycleModes ?? []) {
    if (!lifecycleModes().includes(mode)) {
      errors.push(notSupported('spec.volumeLifecycleModes', mode, lifecycleModes()));
    }
  }
  const period = spec?.nodeAllocatableUpdatePeriodSeconds;
  return period === undefined || period >= minPeriodSeconds
    ? errors
    : [
        ...errors,
        invalid(
          'spec.nodeAllocatableUpdatePeriodSeconds',
          period,
          `must be greater than or equal to ${minPeriodSeconds} seconds`,
        ),
      ];
}

/** The first field is misspelt upstream, and stays so: clients may know it by this name. */
export function validateCsiDriverUpdate({ spec }: CSIDriver, { spec: old }: CSIDriver): readonly FieldError[] {
  return [
    ...immutable('spec.attachedRequired', spec?.attachRequired, old?.attachRequired),
    ...immutable('spec.volumeLifecycleModes', spec?.volumeLifecycleModes, old?.volumeLifecycleModes),
  ];
}

const maxNodeId = 192;

export function validateCsiNode({ spec }: CSINode): readonly FieldError[] {
  const names = new Set<string>();
  return each('spec.drivers', spec?.drivers, ({ name = '', nodeID = '', allocatable, topologyKeys = [] }, at) => {
    const errors = [...validateDriverName(`${at}.name`, name), ...requireText(`${at}.nodeID`, nodeID)];
    if (nodeID.length > maxNodeId) {
      errors.push(invalid(`${at}.nodeID`, nodeID, `must be ${maxNodeId} characters or less`));
    }
    errors.push(...nonNegative(`${at}.allocatable.count`, allocatable?.count));
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    names.add(name);
    for (const [index, key] of topologyKeys.entries()) {
      errors.push(...requireText(at, key));
      if (topologyKeys.indexOf(key) !== index) errors.push(duplicate(at, key));
      errors.push(...invalidFor(at, key, whyNotQualifiedName(key)));
    }
    return errors;
  });
}

/** A driver that is registered changes nothing of itself but how many volumes it can take. */
export function validateCsiNodeUpdate({ spec }: CSINode, { spec: old }: CSINode): readonly FieldError[] {
  const fixed = ({ allocatable: _count, ...driver }: CSINode['spec']['drivers'][number]): object => driver;
  return (spec?.drivers ?? []).flatMap((driver) => {
    const before = old?.drivers?.find(({ name }) => name === driver.name);
    return before === undefined ? [] : immutable('spec.drivers', fixed(driver), fixed(before));
  });
}

export function validateCsiStorageCapacity(one: CSIStorageCapacity): readonly FieldError[] {
  const { storageClassName = '', nodeTopology, capacity } = one;
  return [
    ...validLabelSelector('nodeTopology', nodeTopology),
    ...invalidFor('storageClassName', storageClassName, whyNotDnsSubdomain(storageClassName)),
    ...(capacity !== undefined && signOf(parseQuantity(capacity)) < 0
      ? [invalid('capacity', capacity, 'must be greater than or equal to 0')]
      : []),
  ];
}

export function validateCsiStorageCapacityUpdate(
  one: CSIStorageCapacity,
  old: CSIStorageCapacity,
): readonly FieldError[] {
  return [
    ...immutable('nodeTopology', one.nodeTopology, old.nodeTopology),
    ...immutable('storageClassName', one.storageClassName, old.storageClassName),
  ];
}

const maxMetadataBytes = 256 * 1024;
const maxErrorText = 1024;

export function validateVolumeAttachment({ spec, status }: VolumeAttachment): readonly FieldError[] {
  const { inlineVolumeSpec, persistentVolumeName: volume } = spec?.source ?? {};
  const { nodeName = '' } = spec ?? {};
  const errors = validateDriverName('spec.attacher', spec?.attacher);
  const [source, one] = ['spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'];
  if (volume === undefined) {
    if (inlineVolumeSpec === undefined) errors.push(required(source, one));
  } else {
    const at = `${source}.persistentVolumeName`;
    if (inlineVolumeSpec !== undefined) errors.push(forbidden(source, one));
    else errors.push(...requireText(at, volume, 'must specify non empty persistentVolumeName'));
    errors.push(...invalidFor(at, volume, whyNotDnsSubdomain(volume)));
  }
  errors.push(...invalidFor('spec.nodeName', nodeName, whyNotDnsSubdomain(nodeName)));
  const { attachmentMetadata: known = {} } = status ?? {};
  const bytes = Object.entries(known).reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0);
  if (bytes > maxMetadataBytes) errors.push(tooLong('status.attachmentMetadata', maxMetadataBytes));
  for (const key of ['attachError', 'detachError'] as const) {
    const { message = '', errorCode } = status?.[key] ?? {};
    if (Buffer.byteLength(message) > maxErrorText) errors.push(tooLong(`status.${key}.message`, maxErrorText));
    errors.push(...inRange(`status.${key}.errorCode`, errorCode, 0, 2_147_483_647));
  }
  return errors;
}

export function validateVolumeAttachmentUpdate(
  { spec }: VolumeAttachment,
  { spec: old }: VolumeAttachment,
): readonly FieldError[] {
  return immutable('spec', spec, old);
}
