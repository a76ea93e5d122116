// The volumes of a pod: one source each, with what that source needs. Source: kubernetes pkg/apis/core/validation.

import { type FieldError, forbidden, invalid, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { Volume } from '../types.ts';
import { whyNotConfigMapKey, whyNotDnsLabel, whyNotDnsSubdomain } from './names.ts';
import { validateClaimSpec } from './persistent-volumes.ts';
import { each, invalidFor, oneOf, requireText } from './rules.ts';

type Items = NonNullable<NonNullable<Volume['configMap']>['items']>;
type Projection = NonNullable<NonNullable<Volume['projected']>['sources']>[number];
type DownwardFile = NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number];

const core = 'io.k8s.api.core.v1';
const hostPathTypes = valuesOf(`${core}.HostPathVolumeSource`, 'type');
const pullPolicies = valuesOf(`${core}.ImageVolumeSource`, 'pullPolicy');
const cachingModes = valuesOf(`${core}.AzureDiskVolumeSource`, 'cachingMode');
const diskKinds = valuesOf(`${core}.AzureDiskVolumeSource`, 'kind');
const maxMode = 0o777;
const minTokenSeconds = 600;
const maxTokenSeconds = 2 ** 32;

/** Texts that a source cannot do without. */
const neededTexts: Readonly<Record<string, readonly string[]>> = {
  awsElasticBlockStore: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  azureFile: ['secretName', 'shareName'],
  cinder: ['volumeID'],
  configMap: ['name'],
  csi: ['driver'],
  flexVolume: ['driver'],
  gcePersistentDisk: ['pdName'],
  glusterfs: ['endpoints', 'path'],
  hostPath: ['path'],
  iscsi: ['targetPortal', 'iqn'],
  nfs: ['server', 'path'],
  persistentVolumeClaim: ['claimName'],
  quobyte: ['registry', 'volume'],
  rbd: ['image'],
  scaleIO: ['gateway', 'system', 'volumeName'],
  secret: ['secretName'],
  vsphereVolume: ['volumePath'],
};

export function validateVolume(volume: Volume, field: string): FieldError[] {
  const { name, ...sources } = volume;
  const errors = requireText(`${field}.name`, name);
  if (name) errors.push(...invalidFor(`${field}.name`, name, whyNotDnsLabel(name)));
  const [kind, ...extra] = Object.keys(sources);
  if (kind === undefined) return [...errors, required(field, 'must specify a volume type')];
  for (const one of extra) errors.push(forbidden(`${field}.${one}`, 'may not specify more than 1 volume type'));
  const source = volume[kind as 'nfs'] as unknown as Readonly<Record<string, string | undefined>>;
  for (const key of neededTexts[kind] ?? []) errors.push(...requireText(`${field}.${kind}.${key}`, source[key]));
  return [...errors, ...validateSource(volume, field)];
}

function validateSource(volume: Volume, field: string): FieldError[] {
  const { hostPath, nfs, configMap, secret, downwardAPI, projected, ephemeral, image, emptyDir, azureDisk } = volume;
  const errors: FieldError[] = [];
  if (hostPath !== undefined) {
    if (hostPath.path?.split('/').includes('..')) {
      errors.push(invalid(`${field}.hostPath.path`, hostPath.path, "must not contain '..'"));
    }
    errors.push(...oneOf(`${field}.hostPath.type`, hostPath.type, hostPathTypes()));
  }
  if (nfs?.path && !nfs.path.startsWith('/')) {
    errors.push(invalid(`${field}.nfs.path`, nfs.path, 'must be an absolute path'));
  }
  if (emptyDir?.sizeLimit?.startsWith('-')) {
    errors.push(forbidden(`${field}.emptyDir.sizeLimit`, 'SizeLimit field must be a valid resource quantity'));
  }
  for (const [name, files] of [
    ['configMap', configMap],
    ['secret', secret],
  ] as const) {
    if (files === undefined) continue;
    errors.push(...validMode(`${field}.${name}.defaultMode`, files.defaultMode));
    errors.push(...validateItems(`${field}.${name}.items`, files.items));
  }
  if (downwardAPI !== undefined) {
    errors.push(...validMode(`${field}.downwardAPI.defaultMode`, downwardAPI.defaultMode));
    errors.push(...each(`${field}.downwardAPI.items`, downwardAPI.items, validateDownwardFile));
  }
  if (projected !== undefined) {
    errors.push(...validMode(`${field}.projected.defaultMode`, projected.defaultMode));
    errors.push(...each(`${field}.projected.sources`, projected.sources, validateProjection));
  }
  if (ephemeral !== undefined) {
    const at = `${field}.ephemeral.volumeClaimTemplate`;
    if (ephemeral.volumeClaimTemplate === undefined) errors.push(required(at));
    else errors.push(...validateClaimSpec(`${at}.spec`, ephemeral.volumeClaimTemplate.spec));
  }
  if (image !== undefined) errors.push(...oneOf(`${field}.image.pullPolicy`, image.pullPolicy, pullPolicies()));
  if (azureDisk !== undefined) {
    errors.push(
      ...oneOf(`${field}.azureDisk.cachingMode`, azureDisk.cachingMode, cachingModes()),
      ...oneOf(`${field}.azureDisk.kind`, azureDisk.kind, diskKinds()),
    );
  }
  return errors;
}

function validMode(field: string, mode: number | undefined): FieldError[] {
  return mode === undefined || (mode >= 0 && mode <= maxMode)
    ? []
    : [invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')];
}

function validateItems(field: string, items: Items | undefined): FieldError[] {
  return each(field, items, ({ key, path, mode }, at) => [
    ...(key ? invalidFor(`${at}.key`, key, whyNotConfigMapKey(key)) : [required(`${at}.key`)]),
    ...validFilePath(`${at}.path`, path),
    ...validMode(`${at}.mode`, mode),
  ]);
}

/** Where a file is put inside its volume. */
function validFilePath(field: string, path: string | undefined): FieldError[] {
  if (!path) return [required(field)];
  const errors: FieldError[] = [];
  if (path.startsWith('/')) errors.push(invalid(field, path, 'must be a relative path'));
  if (path.split('/').includes('..')) errors.push(invalid(field, path, "must not contain '..'"));
  else if (path.startsWith('..')) errors.push(invalid(field, path, "must not start with '..'"));
  return errors;
}

function validateDownwardFile({ path, fieldRef, resourceFieldRef, mode }: DownwardFile, field: string): FieldError[] {
  const errors = [...validFilePath(`${field}.path`, path), ...validMode(`${field}.mode`, mode)];
  if (fieldRef === undefined && resourceFieldRef === undefined) {
    errors.push(required(field, 'one of fieldRef and resourceFieldRef is required'));
  }
  if (fieldRef !== undefined && resourceFieldRef !== undefined) {
    errors.push(invalid(field, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
  }
  if (fieldRef !== undefined) errors.push(...requireText(`${field}.fieldRef.fieldPath`, fieldRef.fieldPath));
  if (resourceFieldRef !== undefined) {
    errors.push(...requireText(`${field}.resourceFieldRef.resource`, resourceFieldRef.resource));
    errors.push(...requireText(`${field}.resourceFieldRef.containerName`, resourceFieldRef.containerName));
  }
  return errors;
}

function validateProjection(source: Projection, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const [, ...extra] = Object.keys(source);
  for (const one of extra)
    errors.push(forbidden(`${field}.${one}`, 'may not specify more than 1 volume type per source'));
  for (const name of ['configMap', 'secret'] as const) {
    const files = source[name];
    if (files === undefined) continue;
    errors.push(...requireText(`${field}.${name}.name`, files.name));
    errors.push(...validateItems(`${field}.${name}.items`, files.items));
  }
  errors.push(...each(`${field}.downwardAPI.items`, source.downwardAPI?.items, validateDownwardFile));
  const token = source.serviceAccountToken;
  if (token !== undefined) {
    const at = `${field}.serviceAccountToken`;
    const seconds = token.expirationSeconds;
    if (seconds !== undefined && seconds < minTokenSeconds) {
      errors.push(invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'));
    }
    if (seconds !== undefined && seconds > maxTokenSeconds) {
      errors.push(invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'));
    }
    errors.push(...validFilePath(`${at}.path`, token.path));
  }
  const bundle = source.clusterTrustBundle;
  if (bundle !== undefined) {
    errors.push(...validFilePath(`${field}.clusterTrustBundle.path`, bundle.path));
    if (bundle.name)
      errors.push(
        ...invalidFor(
          `${field}.clusterTrustBundle.name`,
          bundle.name,
          whyNotDnsSubdomain(bundle.name.replaceAll(':', '.')),
        ),
      );
  }
  return errors;
}
