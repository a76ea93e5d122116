// Where a container sees the volumes of its pod: as folders or as devices. Source: kubernetes pkg/apis/core/validation
// (ValidateVolumeMounts, ValidateVolumeDevices). Some answers name the whole list, as upstream's do.

import { type FieldError, forbidden, invalid, notFound, notSupported, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { Container, Volume } from '../types.ts';
import { noBacksteps, validDescendingPath } from './file-paths.ts';
import { strictlyOneOf } from './rules.ts';

type Mount = NonNullable<Container['volumeMounts']>[number];
type Volumes = ReadonlyMap<string, Volume | undefined>;

const core = 'io.k8s.api.core.v1';
const propagations = valuesOf(`${core}.VolumeMount`, 'mountPropagation');
const recursions = ['Disabled', 'Enabled', 'IfPossible'];

export function validateMounts(container: Container, field: string, volumes: Volumes): FieldError[] {
  const { volumeMounts = [], volumeDevices = [] } = container;
  const errors: FieldError[] = [];
  const paths = new Set<string>();
  for (const [index, mount] of volumeMounts.entries()) {
    const { name = '', mountPath = '' } = mount;
    const at = `${field}[${index}]`;
    if (name === '') errors.push(required(`${at}.name`));
    if (!volumes.has(name)) errors.push(notFound(`${at}.name`, name));
    if (mountPath === '') errors.push(required(`${at}.mountPath`));
    if (paths.has(mountPath)) errors.push(invalid(`${at}.mountPath`, mountPath, 'must be unique'));
    paths.add(mountPath);
    for (const device of volumeDevices) {
      if (device.name === name) errors.push(invalid(`${at}.name`, name, 'must not already exist in volumeDevices'));
      if (device.devicePath === mountPath) {
        errors.push(invalid(`${at}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'));
      }
    }
    if (volumes.get(name)?.image !== undefined) {
      for (const key of ['subPath', 'subPathExpr'] as const) {
        if (mount[key]) errors.push(invalid(`${at}.${key}`, mount[key], 'not allowed in image volume sources'));
      }
    }
    errors.push(...validateSubPath(mount, field, at), ...validatePropagation(mount, container, field));
  }
  return errors;
}

function validateSubPath({ subPath, subPathExpr }: Mount, list: string, field: string): FieldError[] {
  const errors = subPath ? validDescendingPath(`${list}.subPath`, subPath) : [];
  if (!subPathExpr) return errors;
  if (subPath) {
    errors.push(invalid(`${field}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
  }
  errors.push(...validDescendingPath(`${list}.subPathExpr`, subPathExpr));
  return errors;
}

function validatePropagation(mount: Mount, { securityContext }: Container, list: string): FieldError[] {
  const { mountPropagation, recursiveReadOnly, readOnly } = mount;
  const at = `${list}.mountPropagation`;
  const errors = strictlyOneOf(at, mountPropagation, propagations());
  if (mountPropagation === 'Bidirectional' && securityContext?.privileged !== true) {
    errors.push(forbidden(at, 'Bidirectional mount propagation is available only to privileged containers'));
  }
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return errors;
  const recursive = `${list}.recursiveReadOnly`;
  if (!recursions.includes(recursiveReadOnly)) {
    errors.push(notSupported(recursive, recursiveReadOnly, recursions));
    return errors;
  }
  if (readOnly !== true) errors.push(forbidden(recursive, 'may only be specified when readOnly is true'));
  if (mountPropagation !== undefined && mountPropagation !== 'None') {
    errors.push(forbidden(recursive, 'may only be specified when mountPropagation is None or not specified'));
  }
  return errors;
}

export function validateDevices(container: Container, field: string, volumes: Volumes): FieldError[] {
  const { volumeDevices = [], volumeMounts = [] } = container;
  const errors: FieldError[] = [];
  const paths = new Set<string>();
  const names = new Set<string>();
  for (const [index, { name = '', devicePath: path = '' }] of volumeDevices.entries()) {
    const at = `${field}[${index}]`;
    const volume = volumes.get(name);
    if (name === '') errors.push(required(`${at}.name`));
    if (names.has(name)) errors.push(invalid(`${at}.name`, name, 'must be unique'));
    if (!volumes.has(name)) errors.push(notFound(`${at}.name`, name));
    else if (volume !== undefined && volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) {
      const why = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
      errors.push(invalid(`${at}.name`, name, why));
    }
    if (path === '') errors.push(required(`${at}.devicePath`));
    if (paths.has(path)) errors.push(invalid(`${at}.devicePath`, path, 'must be unique'));
    if (noBacksteps(at, path).length > 0) {
      errors.push(invalid(`${at}.devicePath`, path, "can not contain backsteps ('..')"));
    } else paths.add(path);
    for (const mount of volumeMounts) {
      if (mount.name === name) errors.push(invalid(`${at}.name`, name, 'must not already exist in volumeMounts'));
      if (mount.mountPath === path) {
        errors.push(invalid(`${at}.devicePath`, path, 'must not already exist as a path in volumeMounts'));
      }
    }
    if (name !== '') names.add(name);
  }
  return errors;
}
