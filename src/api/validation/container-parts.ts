// A container's security, lifecycle, devices, and what an ephemeral one may not have.
// Source: kubernetes pkg/apis/core/validation (ValidateSecurityContext, validateResizePolicy, validateLifecycle, validateEphemeralContainers).

import { duplicate, type FieldError, forbidden, invalid, notFound, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { Container } from '../types.ts';
import { validateHandler } from './handlers.ts';
import { validateProfiles } from './pod-parts.ts';
import { each, inRange, oneOf, requireOneOf } from './rules.ts';

/** Where a container stands in its pod. */
export interface PartPlace {
  /** `spec.containers[0]` */
  readonly field: string;
  /** Names of the pod's volumes. */
  readonly volumes: ReadonlySet<string>;
  readonly role: 'main' | 'init' | 'ephemeral';
  /** The pod's restartPolicy. */
  readonly restarts: string | undefined;
}

const core = 'io.k8s.api.core.v1';
const procMounts = valuesOf(`${core}.SecurityContext`, 'procMount');
const propagations = valuesOf(`${core}.VolumeMount`, 'mountPropagation');
const resizedResources = valuesOf(`${core}.ContainerResizePolicy`, 'resourceName');
const resizeRestarts = valuesOf(`${core}.ContainerResizePolicy`, 'restartPolicy');
const maxInt32 = 2_147_483_647;
const notEphemeral = ['ports', 'lifecycle', 'resizePolicy'] as const;

export function validateContainerParts(container: Container, place: PartPlace): FieldError[] {
  const { field, role } = place;
  const errors: FieldError[] = [];
  if (container.securityContext !== undefined) errors.push(...validateSecurity(container, field));
  if (role === 'ephemeral') {
    for (const key of notEphemeral) {
      if (container[key] !== undefined)
        errors.push(forbidden(`${field}.${key}`, 'cannot be set for an Ephemeral Container'));
    }
    if (Object.keys(container.resources ?? {}).length > 0) {
      errors.push(forbidden(`${field}.resources`, 'cannot be set for an Ephemeral Container'));
    }
  } else if (container.lifecycle !== undefined) errors.push(...validateLifecycle(container, place));
  if (container.volumeDevices !== undefined) errors.push(...validateDevices(container, place));
  if (container.volumeMounts !== undefined) errors.push(...validatePropagation(container, field));
  if (container.resizePolicy !== undefined) errors.push(...validateResizePolicy(container, place));
  return errors;
}

function validateSecurity({ securityContext: context }: Container, place: string): FieldError[] {
  if (context === undefined) return [];
  const field = `${place}.securityContext`;
  const errors = [
    ...inRange(`${field}.runAsUser`, context.runAsUser, 0, maxInt32),
    ...inRange(`${field}.runAsGroup`, context.runAsGroup, 0, maxInt32),
    ...oneOf(`${field}.procMount`, context.procMount, procMounts()),
    ...validateProfiles(field, context),
  ];
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged === true) {
      const why = 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true';
      errors.push(invalid(field, context, why));
    }
    if ((context.capabilities?.add ?? []).includes('CAP_SYS_ADMIN')) {
      const why = 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN';
      errors.push(invalid(field, context, why));
    }
  }
  return errors;
}

/** Only a resource that is named twice is told by its index; all else is said of the whole list, as upstream says it. */
function validateResizePolicy({ resizePolicy }: Container, { field, restarts }: PartPlace): FieldError[] {
  const at = `${field}.resizePolicy`;
  const seen = new Set<string>();
  return each(at, resizePolicy, ({ resourceName, restartPolicy }, item) => {
    const errors = seen.has(resourceName) ? [duplicate(item, resourceName)] : [];
    seen.add(resourceName);
    errors.push(
      ...requireOneOf(at, resourceName, resizedResources()),
      ...requireOneOf(at, restartPolicy, resizeRestarts()),
    );
    if (restarts === 'Never' && restartPolicy !== 'NotRequired') {
      errors.push(invalid(at, restartPolicy ?? '', "must be 'NotRequired' when `restartPolicy` is 'Never'"));
    }
    return errors;
  });
}

function validateLifecycle({ lifecycle, restartPolicy }: Container, { field, role }: PartPlace): FieldError[] {
  const at = `${field}.lifecycle`;
  if (role === 'init' && restartPolicy !== 'Always') {
    return [forbidden(at, 'may not be set for init containers without restartPolicy=Always')];
  }
  return (['postStart', 'preStop'] as const).flatMap((name) => {
    const handler = lifecycle?.[name];
    return handler === undefined ? [] : validateHandler(`${at}.${name}`, handler);
  });
}

function validateDevices({ volumeDevices, volumeMounts = [] }: Container, { field, volumes }: PartPlace): FieldError[] {
  const paths = new Set<string>();
  return each(`${field}.volumeDevices`, volumeDevices, ({ name, devicePath }, at) => {
    const errors: FieldError[] = [];
    if (!name) errors.push(required(`${at}.name`));
    else if (!volumes.has(name)) errors.push(notFound(`${at}.name`, name));
    if (!devicePath) errors.push(required(`${at}.devicePath`));
    else if (paths.has(devicePath)) errors.push(invalid(`${at}.devicePath`, devicePath, 'must be unique'));
    else if (devicePath.split('/').includes('..')) {
      errors.push(invalid(`${at}.devicePath`, devicePath, 'can not contain backsteps (..)'));
    }
    paths.add(devicePath);
    if (volumeMounts.some((mount) => mount.mountPath === devicePath)) {
      errors.push(invalid(`${at}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'));
    }
    return errors;
  });
}

function validatePropagation({ volumeMounts, securityContext }: Container, field: string): FieldError[] {
  return each(`${field}.volumeMounts`, volumeMounts, ({ mountPropagation, subPath, subPathExpr }, at) => {
    const errors = oneOf(`${at}.mountPropagation`, mountPropagation, propagations());
    if (mountPropagation === 'Bidirectional' && securityContext?.privileged !== true) {
      const why = 'Bidirectional mount propagation is available only to privileged containers';
      errors.push(forbidden(`${at}.mountPropagation`, why));
    }
    if (subPath && subPathExpr) {
      errors.push(invalid(`${at}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
    }
    return errors;
  });
}
