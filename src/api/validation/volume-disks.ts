// Volumes that come from elsewhere: disks of clouds, network file systems, drivers. Most need a few texts; what else each
// asks stands here too. The old in-tree ones are still accepted, as upstream does, though no driver may mount them.
// Source: kubernetes pkg/apis/core/validation (validate…VolumeSource).

import { type FieldError, invalid, notSupported, required, tooLong } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { Volume } from '../types.ts';
import { noBacksteps, validDescendingPath } from './file-paths.ts';
import { whyNotDnsLabel, whyNotDnsSubdomain } from './names.ts';
import { inRange, invalidFor, strictlyOneOf } from './rules.ts';

const core = 'io.k8s.api.core.v1';
const hostPathTypes = valuesOf(`${core}.HostPathVolumeSource`, 'type');
const cachingModes = valuesOf(`${core}.AzureDiskVolumeSource`, 'cachingMode');
const diskKinds = valuesOf(`${core}.AzureDiskVolumeSource`, 'kind');
const maxUnit = 255;
const maxDriver = 63;

type Check<Kind extends keyof Volume> = (field: string, source: NonNullable<Volume[Kind]>) => FieldError[];

/** Fields that a source cannot do without; a list must have an item. */
const needed: { readonly [Kind in keyof Volume]?: readonly string[] } = {
  awsElasticBlockStore: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  azureFile: ['secretName', 'shareName'],
  cephfs: ['monitors'],
  cinder: ['volumeID'],
  csi: ['driver'],
  flexVolume: ['driver'],
  gcePersistentDisk: ['pdName'],
  gitRepo: ['repository'],
  glusterfs: ['endpoints', 'path'],
  hostPath: ['path'],
  iscsi: ['targetPortal', 'iqn'],
  nfs: ['server', 'path'],
  persistentVolumeClaim: ['claimName'],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  quobyte: ['volume'],
  rbd: ['monitors', 'image'],
  scaleIO: ['gateway', 'system', 'volumeName'],
  storageos: ['volumeName'],
  vsphereVolume: ['volumePath'],
};

const checks: { readonly [Kind in keyof Volume]?: Check<Kind> } = {
  hostPath: (field, { path, type }) =>
    path ? [...noBacksteps(`${field}.path`, path), ...strictlyOneOf(`${field}.type`, type, hostPathTypes())] : [],
  gitRepo: (field, { directory = '' }) => validDescendingPath(`${field}.directory`, directory),
  gcePersistentDisk: (field, { partition }) => partitionOf(field, partition),
  awsElasticBlockStore: (field, { partition }) => partitionOf(field, partition),
  nfs: (field, { path = '' }) =>
    path.startsWith('/') ? [] : [invalid(`${field}.path`, path, 'must be an absolute path')],
  iscsi: (field, source) => {
    const { iqn, lun = 0, initiatorName, secretRef } = source;
    const errors = iqn ? whyNotIqn(`${field}.iqn`, iqn) : [];
    errors.push(...inRange(`${field}.lun`, lun, 0, maxUnit));
    if ((source.chapAuthDiscovery === true || source.chapAuthSession === true) && secretRef === undefined) {
      errors.push(required(`${field}.secretRef`));
    }
    if (initiatorName !== undefined) errors.push(...whyNotIqn(`${field}.initiatorname`, initiatorName));
    return errors;
  },
  flocker: (field, { datasetName = '', datasetUUID = '' }) => {
    const errors: FieldError[] = [];
    if (datasetName === '' && datasetUUID === '') {
      errors.push(required(field, 'one of datasetName and datasetUUID is required'));
    }
    if (datasetName !== '' && datasetUUID !== '') {
      errors.push(invalid(field, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'));
    }
    if (datasetName.includes('/')) errors.push(invalid(`${field}.datasetName`, datasetName, "must not contain '/'"));
    return errors;
  },
  cinder: (field, { secretRef }) => namedSecret(`${field}.secretRef`, secretRef),
  quobyte: (field, { registry, tenant = '' }) => {
    const why = 'must be a host:port pair or multiple pairs separated by commas';
    if (!registry) return [required(`${field}.registry`, why)];
    if (tenant.length > 64) {
      return [required(`${field}.tenant`, 'must be a UUID and may not exceed a length of 64 characters')];
    }
    const bad = registry.split(',').filter((pair) => !/^(\[[^\]]*\]|[^:[\]]*):[^:]*$/.test(pair));
    return bad.map(() => invalid(`${field}.registry`, registry, why));
  },
  fc: (field, { targetWWNs = [], wwids = [], lun }) => {
    const errors: FieldError[] = [];
    const at = `${field}.targetWWNs`;
    if (targetWWNs.length === 0 && wwids.length === 0) {
      errors.push(required(at, 'must specify either targetWWNs or wwids, but not both'));
    }
    if (targetWWNs.length > 0 && wwids.length > 0) {
      errors.push(invalid(at, targetWWNs, 'targetWWNs and wwids can not be specified simultaneously'));
    }
    if (targetWWNs.length === 0) return errors;
    if (lun === undefined) errors.push(required(`${field}.lun`, 'lun is required if targetWWNs is specified'));
    errors.push(...inRange(`${field}.lun`, lun, 0, maxUnit));
    return errors;
  },
  flexVolume: (field, { options = {} }) =>
    Object.keys(options)
      .filter((key) => /(^|\.)(kubernetes|k8s)\.io$/i.test(key.split('/', 2)[0] ?? ''))
      .map((key) => invalid(`${field}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved')),
  azureDisk: (field, { cachingMode, kind, diskURI = '' }) => {
    const errors = strictlyOneOf(`${field}.cachingMode`, cachingMode, cachingModes());
    errors.push(...strictlyOneOf(`${field}.kind`, kind, diskKinds()));
    if (kind === undefined) return errors;
    const managed = kind === 'Managed';
    if (diskURI.startsWith(managed ? '/subscriptions/' : 'https://')) return errors;
    const shape = managed
      ? '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}'
      : 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';
    errors.push(notSupported(`${field}.diskURI`, diskURI, [shape]));
    return errors;
  },
  storageos: (field, { volumeName, volumeNamespace, secretRef }) => [
    ...(volumeName ? invalidFor(`${field}.volumeName`, volumeName, whyNotDnsLabel(volumeName)) : []),
    ...(volumeNamespace
      ? invalidFor(`${field}.volumeNamespace`, volumeNamespace, whyNotDnsLabel(volumeNamespace))
      : []),
    ...namedSecret(`${field}.secretRef`, secretRef),
  ],
  csi: (field, { driver = '', nodePublishSecretRef }) => {
    const at = `${field}.driver`;
    const errors = driver.length > maxDriver ? [tooLong(at, maxDriver)] : [];
    errors.push(...invalidFor(at, driver, whyNotDnsSubdomain(driver.toLowerCase())));
    const secret = nodePublishSecretRef?.name;
    if (secret) errors.push(...invalidFor(`${field}.name`, secret, whyNotDnsSubdomain(secret)));
    else errors.push(...namedSecret(`${field}.nodePublishSecretRef`, nodePublishSecretRef));
    return errors;
  },
};

/** What is wrong with a source of this kind; `field` is its path. */
export function validateDisk(field: string, kind: keyof Volume, source: object): FieldError[] {
  const errors: FieldError[] = [];
  const values = source as Readonly<Record<string, { readonly length: number } | undefined>>;
  for (const key of needed[kind] ?? []) {
    if ((values[key]?.length ?? 0) === 0) errors.push(required(`${field}.${key}`));
  }
  // Each check is for the source that stands under its name.
  const check = checks[kind] as ((field: string, source: object) => FieldError[]) | undefined;
  if (check !== undefined) errors.push(...check(field, source));
  return errors;
}

function partitionOf(field: string, partition = 0): FieldError[] {
  return partition >= 0 && partition <= maxUnit
    ? []
    : [invalid(`${field}.partition`, partition, `must be between 1 and ${maxUnit}, inclusive`)];
}

function namedSecret(field: string, secret: { readonly name?: string } | undefined): FieldError[] {
  return secret === undefined || secret.name ? [] : [required(`${field}.name`)];
}

const qualifiedNames = /^(eui.[A-Za-z0-9]{16}|naa.[A-Za-z0-9]{32})$|iqn\.\d{4}-\d{2}\.([A-Za-z0-9-.]+)(:[^,;*&$|\s]+)$/;

function whyNotIqn(field: string, name: string): FieldError[] {
  if (!/^(iqn|eui|naa)/.test(name)) {
    return [invalid(field, name, 'must be valid format starting with iqn, eui, or naa')];
  }
  return qualifiedNames.test(name) ? [] : [invalid(field, name, 'must be valid format')];
}
