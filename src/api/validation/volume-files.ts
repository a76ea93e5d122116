// Volumes whose files are made by the node agent: ConfigMaps, Secrets, the pod itself, and several of these in one folder.
// Source: kubernetes pkg/apis/core/validation (validateProjectionSources, validateDownwardAPIVolumeFile,
// validateKeyToPath).

import { type FieldError, forbidden, invalid, required } from '../field-error.ts';
import type { Volume } from '../types.ts';
import { validateFieldRef, validateResourceRef } from './field-refs.ts';
import { validFilePath, validMode } from './file-paths.ts';
import { type ClaimPath, validatePodCertificate, validateTrustBundle } from './projected-certificates.ts';
import { each } from './rules.ts';

type Named = NonNullable<Volume['configMap']>;
type Item = NonNullable<Named['items']>[number];
type DownwardApi = NonNullable<Volume['downwardAPI']>;
type DownwardFile = NonNullable<DownwardApi['items']>[number];
type Projected = NonNullable<Volume['projected']>;
type Projection = NonNullable<Projected['sources']>[number];

const minTokenSeconds = 600;
const maxTokenSeconds = 2 ** 32;

interface Keyed {
  readonly items?: readonly Item[];
  readonly defaultMode?: number;
}

/** A ConfigMap or Secret as a volume; `key` is the field that names it. */
export function validateKeyed(field: string, files: Keyed, key: string, name: string | undefined): FieldError[] {
  const errors = name ? [] : [required(`${field}.${key}`)];
  errors.push(...validMode(`${field}.defaultMode`, files.defaultMode));
  errors.push(...each(`${field}.items`, files.items, validateItem));
  return errors;
}

function validateItem({ key, path, mode }: Item, field: string): FieldError[] {
  const errors = key ? [] : [required(`${field}.key`)];
  if (!path) errors.push(required(`${field}.path`));
  else errors.push(...validFilePath(`${field}.path`, path));
  errors.push(...validMode(`${field}.mode`, mode));
  return errors;
}

export function validateDownwardApi(field: string, { defaultMode, items = [] }: DownwardApi): FieldError[] {
  return [
    ...validMode(`${field}.defaultMode`, defaultMode),
    ...items.flatMap((file) => validateDownwardFile(field, file)),
  ];
}

/** Which of the files is meant is not said, as upstream does not. */
function validateDownwardFile(field: string, file: DownwardFile): FieldError[] {
  const { path, fieldRef, resourceFieldRef, mode } = file;
  const errors = path ? validFilePath(`${field}.path`, path) : [required(`${field}.path`)];
  if (fieldRef !== undefined) {
    errors.push(...validateFieldRef(`${field}.fieldRef`, fieldRef, 'file'));
    if (resourceFieldRef !== undefined) {
      errors.push(invalid(field, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
    }
  } else if (resourceFieldRef !== undefined) {
    errors.push(...validateResourceRef(`${field}.resourceFieldRef`, resourceFieldRef, 'file'));
  } else errors.push(required(field, 'one of fieldRef and resourceFieldRef is required'));
  errors.push(...validMode(`${field}.mode`, mode));
  return errors;
}

export function validateProjected(field: string, { defaultMode, sources }: Projected): FieldError[] {
  const taken = new Set<string>();
  const claim: ClaimPath = (path, shown) => {
    if (!path) return [];
    if (taken.has(path)) return [invalid(field, shown, 'conflicting duplicate paths')];
    taken.add(path);
    return [];
  };
  return [
    ...validMode(`${field}.defaultMode`, defaultMode),
    ...each(`${field}.sources`, sources, (source, at) => validateProjection(source, at, field, claim)),
  ];
}

function validateProjection(source: Projection, at: string, field: string, claim: ClaimPath): FieldError[] {
  const errors: FieldError[] = [];
  for (const kind of ['secret', 'configMap'] as const) {
    const files = source[kind];
    if (files === undefined) continue;
    const { name = '', items = [] } = files;
    if (name === '') errors.push(required(`${at}.${kind}.name`));
    for (const [index, item] of items.entries()) {
      errors.push(...validateItem(item, `${at}.${kind}.items[${index}]`), ...claim(item.path, name));
    }
  }
  for (const file of source.downwardAPI?.items ?? []) {
    errors.push(...validateDownwardFile(`${at}.downwardAPI`, file), ...claim(file.path, file.path));
  }
  const token = source.serviceAccountToken;
  if (token !== undefined) {
    errors.push(...validateLifetime(`${at}.serviceAccountToken.expirationSeconds`, token.expirationSeconds));
    // The path of a token is said to be the volume's own, as upstream says it.
    errors.push(...(token.path ? validFilePath(`${field}.path`, token.path) : [required(`${field}.path`)]));
  }
  const { clusterTrustBundle: bundle, podCertificate: certificate } = source;
  if (bundle !== undefined) {
    errors.push(...validateTrustBundle(`${at}.clusterTrustBundle`, bundle), ...claim(bundle.path, bundle.path));
  }
  if (certificate !== undefined) {
    errors.push(...validatePodCertificate(`${at}.podCertificate`, certificate, claim));
  }
  if (Object.keys(source).length > 1) errors.push(forbidden(at, 'may not specify more than 1 volume type per source'));
  return errors;
}

function validateLifetime(field: string, seconds: number | undefined): FieldError[] {
  if (seconds === undefined) return [];
  if (seconds < minTokenSeconds) return [invalid(field, seconds, 'may not specify a duration less than 10 minutes')];
  if (seconds <= maxTokenSeconds) return [];
  return [invalid(field, seconds, 'may not specify a duration larger than 2^32 seconds')];
}
