// The volumes of a pod: one source each, with what that source needs. Source: kubernetes pkg/apis/core/validation
// (ValidateVolumes, validateVolumeSource).

import { duplicate, type FieldError, forbidden, invalid, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { ObjectMeta, Volume } from '../types.ts';
import { validateAnnotations } from './metadata.ts';
import { whyNotDnsLabel, whyNotDnsSubdomain } from './names.ts';
import { validateClaimSpec } from './persistent-volumes.ts';
import { invalidFor, requireOneOf, validLabels } from './rules.ts';
import { validateDisk } from './volume-disks.ts';
import { validateDownwardApi, validateKeyed, validateProjected } from './volume-files.ts';

const pullPolicies = valuesOf('io.k8s.api.core.v1.ImageVolumeSource', 'pullPolicy');

/** The order in which sources are asked: the first that is there counts, the others are too many. */
const kinds = [
  'emptyDir',
  'hostPath',
  'gitRepo',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'flocker',
  'persistentVolumeClaim',
  'rbd',
  'cinder',
  'cephfs',
  'quobyte',
  'downwardAPI',
  'fc',
  'flexVolume',
  'configMap',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'storageos',
  'projected',
  'scaleIO',
  'csi',
  'ephemeral',
  'image',
] as const;
type Kind = (typeof kinds)[number];

/** Two sources have other names in upstream's answers than in the API. */
const shownAs: { readonly [Name in Kind]?: string } = { gcePersistentDisk: 'persistentDisk' };
const shownTwice: { readonly [Name in Kind]?: string } = { cephfs: 'cephFS', downwardAPI: 'downwarAPI' };

/** The pod itself; its name is part of the names of claims made for it. Absent in a template. */
export type Owner = { readonly name?: string } | undefined;

/** Adds what is wrong to `errors`. Answers with the volumes that containers can mount: those that nothing is wrong with. */
export function validateVolumes(
  field: string,
  volumes: readonly Volume[],
  owner: Owner,
  errors: FieldError[],
): Map<string, Volume> {
  const known = new Map<string, Volume>();
  for (const [index, volume] of volumes.entries()) {
    const at = `${field}[${index}]`;
    const found = validateVolume(volume, at, owner);
    if (known.has(volume.name)) found.push(duplicate(`${at}.name`, volume.name));
    if (found.length === 0) known.set(volume.name, volume);
    else errors.push(...found);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined && owner?.name && makesClaim(volumes, owner.name, claim)) {
      const why = 'must not reference a PVC that gets created for an ephemeral volume';
      errors.push(invalid(`${at}.persistentVolumeClaim.claimName`, claim, why));
    }
  }
  return known;
}

function makesClaim(volumes: readonly Volume[], pod: string, claim: string): boolean {
  return volumes.some(({ name, ephemeral }) => ephemeral !== undefined && `${pod}-${name}` === claim);
}

function validateVolume(volume: Volume, field: string, owner: Owner): FieldError[] {
  const { name } = volume;
  const errors: FieldError[] = [];
  let first: Kind | undefined;
  for (const kind of kinds) {
    if (volume[kind] === undefined) continue;
    if (first === undefined) {
      first = kind;
      errors.push(...validateSource(volume, kind, `${field}.${shownAs[kind] ?? kind}`, owner));
    } else errors.push(forbidden(`${field}.${shownTwice[kind] ?? kind}`, 'may not specify more than 1 volume type'));
    if (kind === 'iscsi') errors.push(...validateInitiator(volume, field));
    if (kind === 'ephemeral' && first === kind && name) errors.push(...validateClaimName(field, name, owner));
  }
  if (first === undefined) errors.push(required(field, 'must specify a volume type'));
  if (name) errors.push(...invalidFor(`${field}.name`, name, whyNotDnsLabel(name)));
  else errors.push(required(`${field}.name`));
  return errors;
}

function validateSource(volume: Volume, kind: Kind, field: string, owner: Owner): FieldError[] {
  const { emptyDir, configMap, secret, downwardAPI, projected, ephemeral, image } = volume;
  if (kind === 'emptyDir') {
    const negative = emptyDir?.sizeLimit?.startsWith('-') === true;
    return negative ? [forbidden(`${field}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')] : [];
  }
  if (configMap !== undefined && kind === 'configMap') return validateKeyed(field, configMap, 'name', configMap.name);
  if (secret !== undefined && kind === 'secret') return validateKeyed(field, secret, 'secretName', secret.secretName);
  if (downwardAPI !== undefined && kind === 'downwardAPI') return validateDownwardApi(field, downwardAPI);
  if (projected !== undefined && kind === 'projected') return validateProjected(field, projected);
  if (ephemeral !== undefined && kind === 'ephemeral') {
    const at = `${field}.volumeClaimTemplate`;
    const template = ephemeral.volumeClaimTemplate;
    if (template === undefined) return [required(at)];
    return [
      ...validateTemplateMetadata(`${at}.metadata`, template.metadata),
      ...validateClaimSpec(`${at}.spec`, template.spec),
    ];
  }
  if (image !== undefined && kind === 'image') {
    const errors = owner !== undefined && !image.reference ? [required(`${field}.reference`)] : [];
    errors.push(...requireOneOf(`${field}.pullPolicy`, image.pullPolicy, pullPolicies()));
    return errors;
  }
  const source = volume[kind];
  return source === undefined ? [] : validateDisk(field, kind, source);
}

/** Of the metadata of a claim that is still to be made only labels and annotations are for the user to choose. */
function validateTemplateMetadata(field: string, metadata: ObjectMeta = {}): FieldError[] {
  const { annotations, labels, ...others } = metadata;
  const errors = validateAnnotations(`${field}.annotations`, annotations);
  errors.push(...validLabels(`${field}.labels`, labels));
  for (const key of Object.keys(others)) errors.push(forbidden(`${field}.${key}`, 'cannot be set'));
  return errors;
}

function validateInitiator({ name, iscsi }: Volume, field: string): FieldError[] {
  if (iscsi?.initiatorName === undefined || `${name}:${iscsi.targetPortal}`.length <= 64) return [];
  const why =
    'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.';
  return [invalid(`${field}.name`, name, why)];
}

function validateClaimName(field: string, name: string, owner: Owner): FieldError[] {
  if (!owner?.name) return [];
  const claim = `${owner.name}-${name}`;
  const why = whyNotDnsSubdomain(claim).map((reason) => `PVC name ${JSON.stringify(claim)}: ${reason}`);
  return invalidFor(`${field}.name`, name, why);
}
