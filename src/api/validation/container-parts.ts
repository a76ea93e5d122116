// A container's security, lifecycle, devices, and what an ephemeral one may not have.
// Source: kubernetes pkg/apis/core/validation (ValidateSecurityContext, validateLifecycle, validateEphemeralContainers).

import { type FieldError, forbidden, invalid, notFound, required } from '../field-error.ts';
import type { Container } from '../types.ts';
import { validateProfiles } from './pod-parts.ts';
import { each, inRange, oneOf, requireOneOf } from './rules.ts';

interface Place {
  /** `spec.containers[0]` */
  readonly field: string;
  readonly volumes: ReadonlySet<string>;
  readonly role: 'main' | 'init' | 'ephemeral';
}

const maxInt32 = 2_147_483_647;
const handlers = ['exec', 'httpGet', 'tcpSocket', 'sleep'] as const;
const notEphemeral = ['ports', 'lifecycle', 'resizePolicy'] as const;

export function validateContainerParts(container: Container, place: Place): FieldError[] {
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
  errors.push(
    ...each(`${field}.resizePolicy`, container.resizePolicy, ({ resourceName, restartPolicy }, at) => [
      ...requireOneOf(`${at}.resourceName`, resourceName, ['cpu', 'memory']),
      ...requireOneOf(`${at}.restartPolicy`, restartPolicy, ['NotRequired', 'RestartContainer']),
    ]),
  );
  return errors;
}

function validateSecurity({ securityContext: context }: Container, place: string): FieldError[] {
  if (context === undefined) return [];
  const field = `${place}.securityContext`;
  const errors = [
    ...inRange(`${field}.runAsUser`, context.runAsUser, 0, maxInt32),
    ...inRange(`${field}.runAsGroup`, context.runAsGroup, 0, maxInt32),
    ...oneOf(`${field}.procMount`, context.procMount, ['Default', 'Unmasked']),
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

function validateLifecycle({ lifecycle, restartPolicy }: Container, { field, role }: Place): FieldError[] {
  const at = `${field}.lifecycle`;
  if (role === 'init' && restartPolicy !== 'Always') {
    return [forbidden(at, 'may not be set for init containers without restartPolicy=Always')];
  }
  return (['postStart', 'preStop'] as const).flatMap((name) => {
    const handler = lifecycle?.[name];
    if (handler === undefined) return [];
    const [kind, ...extra] = handlers.filter((one) => handler[one] !== undefined);
    if (kind === undefined) return [required(`${at}.${name}`, 'must specify a handler type')];
    const errors = extra.map((one) => forbidden(`${at}.${name}.${one}`, 'may not specify more than 1 handler type'));
    if (handler.exec !== undefined && (handler.exec.command ?? []).length === 0) {
      errors.push(required(`${at}.${name}.exec.command`));
    }
    return errors;
  });
}

function validateDevices({ volumeDevices, volumeMounts = [] }: Container, { field, volumes }: Place): FieldError[] {
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
    const errors = oneOf(`${at}.mountPropagation`, mountPropagation, ['Bidirectional', 'HostToContainer', 'None']);
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
