// Where the data of a PersistentVolume is: exactly one source, with what that source needs.
// Source: kubernetes pkg/apis/core/validation (ValidatePersistentVolumeSpec, validate…PersistentVolumeSource).

import { type FieldError, forbidden, invalid, notSupported, required, tooLong } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { PersistentVolume } from '../types.ts';
import { whyNotDnsLabel, whyNotDnsSubdomain } from './names.ts';
import { inRange, invalidFor, requireText, strictlyOneOf } from './rules.ts';

type VolumeSpec = NonNullable<PersistentVolume['spec']>;
type Text = string | undefined;

const core = 'io.k8s.api.core.v1';
const hostPathTypes = valuesOf(`${core}.HostPathVolumeSource`, 'type');
const cachingModes = valuesOf(`${core}.AzureDiskVolumeSource`, 'cachingMode');
const diskKinds = valuesOf(`${core}.AzureDiskVolumeSource`, 'kind');

/** In upstream's order, which says which of two sources is one too many; each with the texts it can't do without. */
const sources = {
  hostPath: ['path'],
  gcePersistentDisk: ['pdName'],
  awsElasticBlockStore: ['volumeID'],
  glusterfs: ['endpoints', 'path'],
  flocker: [],
  nfs: ['server', 'path'],
  rbd: ['image'],
  quobyte: ['registry', 'volume'],
  cephfs: [],
  iscsi: ['targetPortal', 'iqn'],
  cinder: ['volumeID'],
  fc: [],
  flexVolume: ['driver'],
  azureFile: ['secretName', 'shareName'],
  vsphereVolume: ['volumePath'],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  scaleIO: ['gateway', 'system', 'volumeName'],
  local: ['path'],
  storageos: ['volumeName'],
  csi: [],
} as const satisfies Partial<Record<keyof VolumeSpec, readonly string[]>>;

const sourceNames = Object.keys(sources) as readonly (keyof typeof sources)[];
/** How upstream's paths call a source where they do not by its field. */
const pathNames: Readonly<Record<string, string>> = { gcePersistentDisk: 'persistentDisk' };

/** The sources alone, for comparing what may not change. */
export function sourcesOf(spec: VolumeSpec | undefined): Partial<VolumeSpec> {
  const given = sourceNames.filter((name) => spec?.[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, spec?.[name]]));
}

export function validateVolumeSource(spec: VolumeSpec): FieldError[] {
  const given = sourceNames.filter((name) => spec[name] !== undefined);
  const [name, ...extra] = given;
  if (name === undefined) return [required('spec', 'must specify a volume type')];
  const field = `spec.${pathNames[name] ?? name}`;
  const texts = spec[name] as unknown as Readonly<Record<string, Text>>;
  return [
    ...sources[name].flatMap((key) => requireText(`${field}.${key}`, texts[key])),
    ...(rules[name]?.(spec, field) ?? []),
    ...extra.map((one) => forbidden(`spec.${one}`, 'may not specify more than 1 volume type')),
  ];
}

const rules: Partial<Record<keyof VolumeSpec, (spec: VolumeSpec, field: string) => readonly FieldError[]>> = {
  hostPath: ({ hostPath }, field) => [
    ...noBacksteps(`${field}.path`, hostPath?.path),
    ...strictlyOneOf(`${field}.type`, hostPath?.type, hostPathTypes()),
  ],
  gcePersistentDisk: ({ gcePersistentDisk: disk }, field) => validPartition(field, disk?.partition),
  awsElasticBlockStore: ({ awsElasticBlockStore: disk }, field) => validPartition(field, disk?.partition),
  glusterfs: ({ glusterfs }, field) =>
    validEndpointsNamespace(`${field}.endpointsNamespace`, glusterfs?.endpointsNamespace),
  flocker: ({ flocker }, field) => validateFlocker(flocker, field),
  nfs: ({ nfs }, field) =>
    nfs?.path?.startsWith('/') === true ? [] : [invalid(`${field}.path`, nfs?.path ?? '', 'must be an absolute path')],
  rbd: ({ rbd }, field) => needsMonitors(field, rbd?.monitors),
  cephfs: ({ cephfs }, field) => needsMonitors(field, cephfs?.monitors),
  iscsi: ({ iscsi }, field) => validateIscsi(iscsi, field),
  cinder: ({ cinder }, field) => needsNamedSecret(`${field}.secretRef`, cinder?.secretRef),
  fc: ({ fc }, field) => validateFibreChannel(fc, field),
  flexVolume: ({ flexVolume }, field) =>
    Object.keys(flexVolume?.options ?? {}).flatMap((key) =>
      /(^|\.)(kubernetes|k8s)\.io$/i.test(key.split('/')[0] ?? '')
        ? [invalid(`${field}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved')]
        : [],
    ),
  azureFile: ({ azureFile }, field) =>
    azureFile?.secretNamespace === '' ? [required(`${field}.secretNamespace`)] : [],
  azureDisk: ({ azureDisk }, field) => validateAzureDisk(azureDisk, field),
  local: ({ local, nodeAffinity }, field) => [
    ...noBacksteps(`${field}.path`, local?.path),
    ...(nodeAffinity === undefined ? [required('spec.nodeAffinity', 'Local volume requires node affinity')] : []),
  ],
  storageos: ({ storageos }, field) => [
    ...validLabelName(`${field}.volumeName`, storageos?.volumeName),
    ...validLabelName(`${field}.volumeNamespace`, storageos?.volumeNamespace),
    ...needsNamedSecret(`${field}.secretRef`, storageos?.secretRef),
  ],
  csi: ({ csi }, field) => validateCsi(csi, field),
};

function noBacksteps(field: string, path: Text = ''): FieldError[] {
  return path.split('/').includes('..') ? [invalid(field, path, "must not contain '..'")] : [];
}

function validPartition(field: string, partition: number | undefined): FieldError[] {
  return inRange(`${field}.partition`, partition === 0 ? undefined : partition, 1, 255);
}

/** '' counts as absent. */
function validLabelName(field: string, name: Text): FieldError[] {
  return name ? invalidFor(field, name, whyNotDnsLabel(name)) : [];
}

function validEndpointsNamespace(field: string, namespace: Text): FieldError[] {
  if (namespace !== '') return validLabelName(field, namespace);
  return [invalid(field, namespace, 'if the endpointnamespace is set, it must be a valid namespace name')];
}

function needsMonitors(field: string, monitors: readonly string[] = []): FieldError[] {
  return monitors.length === 0 ? [required(`${field}.monitors`)] : [];
}

type SecretRef = { readonly name?: string; readonly namespace?: string } | undefined;

function needsNamedSecret(field: string, secret: SecretRef): FieldError[] {
  if (secret === undefined) return [];
  return [...requireText(`${field}.name`, secret.name), ...requireText(`${field}.namespace`, secret.namespace)];
}

function validateFlocker(flocker: VolumeSpec['flocker'], field: string): FieldError[] {
  const { datasetName = '', datasetUUID = '' } = flocker ?? {};
  if (datasetName === '' && datasetUUID === '') {
    return [required(field, 'one of datasetName and datasetUUID is required')];
  }
  const errors: FieldError[] = [];
  if (datasetName !== '' && datasetUUID !== '') {
    errors.push(invalid(field, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'));
  }
  if (datasetName.includes('/')) errors.push(invalid(`${field}.datasetName`, datasetName, "must not contain '/'"));
  return errors;
}

/** RFC 3720 §3.2.6.3: names of iqn, eui and naa form. */
const iscsiName = /^(iqn\.\d{4}-\d{2}\.([A-Za-z0-9.-]+)(:[^,;*&$|\s]+)|eui.[A-Za-z0-9]{16}|naa.[A-Za-z0-9]{32})$/;

function validateIscsi(iscsi: VolumeSpec['iscsi'], field: string): FieldError[] {
  if (iscsi === undefined) return [];
  const { iqn, lun = 0, initiatorName, secretRef } = iscsi;
  const wrongFormat = 'must be valid format';
  const errors: FieldError[] = [];
  if (iqn && !iscsiName.test(iqn)) errors.push(invalid(`${field}.iqn`, iqn, wrongFormat));
  errors.push(...inRange(`${field}.lun`, lun, 0, 255));
  if ((iscsi.chapAuthDiscovery === true || iscsi.chapAuthSession === true) && secretRef === undefined) {
    errors.push(required(`${field}.secretRef`));
  }
  if (secretRef !== undefined) errors.push(...requireText(`${field}.secretRef.name`, secretRef.name));
  if (initiatorName !== undefined && !iscsiName.test(initiatorName)) {
    errors.push(invalid(`${field}.initiatorname`, initiatorName, wrongFormat));
  }
  return errors;
}

function validateFibreChannel(fc: VolumeSpec['fc'], field: string): FieldError[] {
  const { targetWWNs = [], wwids = [], lun } = fc ?? {};
  const at = `${field}.targetWWNs`;
  if (targetWWNs.length === 0) {
    return wwids.length === 0 ? [required(at, 'must specify either targetWWNs or wwids, but not both')] : [];
  }
  const errors: FieldError[] = [];
  if (wwids.length > 0) {
    errors.push(invalid(at, targetWWNs, 'targetWWNs and wwids can not be specified simultaneously'));
  }
  if (lun === undefined) errors.push(required(`${field}.lun`, 'lun is required if targetWWNs is specified'));
  return [...errors, ...inRange(`${field}.lun`, lun, 0, 255)];
}

const managedDisk = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}';
const blobDisk = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd';

function validateAzureDisk(disk: VolumeSpec['azureDisk'], field: string): FieldError[] {
  if (disk === undefined) return [];
  const { kind, diskURI: uri = '' } = disk;
  const errors = [
    ...strictlyOneOf(`${field}.cachingMode`, disk.cachingMode, cachingModes()),
    ...strictlyOneOf(`${field}.kind`, kind, diskKinds()),
  ];
  if (kind === undefined) return errors;
  const [prefix, shape] = kind === 'Managed' ? ['/subscriptions/', managedDisk] : ['https://', blobDisk];
  return uri.startsWith(prefix) ? errors : [...errors, notSupported(`${field}.diskURI`, uri, [shape])];
}

const maxDriverName = 63;

function validateCsi(csi: VolumeSpec['csi'], field: string): FieldError[] {
  const { driver = '', volumeHandle } = csi ?? {};
  const errors = requireText(`${field}.driver`, driver);
  if (driver.length > maxDriverName) errors.push(tooLong(`${field}.driver`, maxDriverName));
  errors.push(
    ...invalidFor(`${field}.driver`, driver, whyNotDnsSubdomain(driver.toLowerCase())),
    ...requireText(`${field}.volumeHandle`, volumeHandle),
    ...csiSecrets.flatMap((name) => {
      const secret = csi?.[name];
      return secret === undefined ? [] : validSecret(`${field}.${name}`, secret);
    }),
  );
  return errors;
}

const csiSecrets = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const;

function validSecret(field: string, { name = '', namespace = '' }: NonNullable<SecretRef>): FieldError[] {
  return [
    ...(name === '' ? [required(`${field}.name`)] : invalidFor(`${field}.name`, name, whyNotDnsSubdomain(name))),
    ...(namespace === '' ? [required(`${field}.namespace`)] : validLabelName(`${field}.namespace`, namespace)),
  ];
}
