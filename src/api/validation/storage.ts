// VolumeAttributesClasses, CSIDrivers, CSINodes, CSIStorageCapacities and VolumeAttachments.
// Source: kubernetes pkg/apis/storage/validation.

import { type FieldError, forbidden, invalid, required } from '../field-error.ts';
import { parseQuantity, signOf } from '../quantity.ts';
import { valuesOf } from '../schema/values.ts';
import type { CSIDriver, CSINode, CSIStorageCapacity, VolumeAttachment, VolumeAttributesClass } from '../types.ts';
import { whyNotDnsSubdomain } from './names.ts';
import {
  each,
  immutable,
  invalidFor,
  noDuplicates,
  oneOf,
  requireOneOf,
  requireText,
  sameJson,
  validLabelSelector,
} from './rules.ts';

const fsGroupPolicies = valuesOf('io.k8s.api.storage.v1.CSIDriverSpec', 'fsGroupPolicy');
const lifecycleModes = valuesOf('io.k8s.api.storage.v1.CSIDriverSpec', 'volumeLifecycleModes');
const maxDriverName = 63;

export function validateVolumeAttributesClass({
  driverName,
  parameters = {},
}: VolumeAttributesClass): readonly FieldError[] {
  const errors = validateDriverName('driverName', driverName);
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

function validateDriverName(field: string, name: string | undefined): FieldError[] {
  if (!name) return [required(field)];
  const errors: FieldError[] = [];
  if (name.length > maxDriverName) {
    errors.push({ type: 'TooLong', field, message: `Too long: may not be more than ${maxDriverName} bytes` });
  }
  return [...errors, ...invalidFor(field, name, whyNotDnsSubdomain(name.toLowerCase()))];
}

export function validateCsiDriver({ metadata, spec }: CSIDriver): readonly FieldError[] {
  return [
    ...validateDriverName('metadata.name', metadata?.name),
    ...oneOf('spec.fsGroupPolicy', spec?.fsGroupPolicy, fsGroupPolicies()),
    ...each('spec.volumeLifecycleModes', spec?.volumeLifecycleModes, (mode, at) =>
      requireOneOf(at, mode, lifecycleModes()),
    ),
    ...noDuplicates(
      (spec?.tokenRequests ?? []).map(({ audience }, index) => [`spec.tokenRequests[${index}].audience`, audience]),
    ),
  ];
}

export function validateCsiDriverUpdate({ spec }: CSIDriver, { spec: old }: CSIDriver): readonly FieldError[] {
  return [
    ...immutable('spec.attachRequired', spec?.attachRequired, old?.attachRequired),
    ...immutable('spec.volumeLifecycleModes', spec?.volumeLifecycleModes, old?.volumeLifecycleModes),
  ];
}

export function validateCsiNode({ spec }: CSINode): readonly FieldError[] {
  const drivers = spec?.drivers ?? [];
  return [
    ...each('spec.drivers', drivers, ({ name, nodeID }, at) => [
      ...validateDriverName(`${at}.name`, name),
      ...requireText(`${at}.nodeID`, nodeID),
    ]),
    ...noDuplicates(drivers.map(({ name }, index) => [`spec.drivers[${index}].name`, name])),
  ];
}

export function validateCsiStorageCapacity(one: CSIStorageCapacity): readonly FieldError[] {
  const { storageClassName, nodeTopology, capacity, maximumVolumeSize } = one;
  const amounts = [
    ['capacity', capacity],
    ['maximumVolumeSize', maximumVolumeSize],
  ] as const;
  return [
    ...(storageClassName
      ? invalidFor('storageClassName', storageClassName, whyNotDnsSubdomain(storageClassName))
      : [required('storageClassName')]),
    ...validLabelSelector('nodeTopology', nodeTopology),
    ...amounts.flatMap(([field, amount]) =>
      amount !== undefined && signOf(parseQuantity(amount)) < 0
        ? [invalid(field, amount, 'must be greater than or equal to 0')]
        : [],
    ),
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

export function validateVolumeAttachment({ spec }: VolumeAttachment): readonly FieldError[] {
  const { inlineVolumeSpec, persistentVolumeName } = spec?.source ?? {};
  const errors = [
    ...validateDriverName('spec.attacher', spec?.attacher),
    ...requireText('spec.nodeName', spec?.nodeName),
  ];
  if (inlineVolumeSpec === undefined && persistentVolumeName === undefined) {
    errors.push(required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
  }
  if (inlineVolumeSpec !== undefined && persistentVolumeName !== undefined) {
    errors.push(forbidden('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'));
  }
  return errors;
}

export function validateVolumeAttachmentUpdate(
  { spec }: VolumeAttachment,
  { spec: old }: VolumeAttachment,
): readonly FieldError[] {
  return immutable('spec', spec, old);
}
