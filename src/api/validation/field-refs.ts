// What containers may be told of their pod, in variables and files: fields of the pod, resources of its containers.
// Source: kubernetes pkg/apis/core/validation (validateObjectFieldSelector, validateContainerResourceFieldSelector),
// pkg/apis/core/pods (ConvertDownwardAPIFieldLabel), pkg/fieldpath.

import { type FieldError, invalid, notSupported, required } from '../field-error.ts';
import { canonicalQuantity } from '../quantity.ts';
import type { Volume } from '../types.ts';
import { whyNotQualifiedName } from './names.ts';
import { invalidFor } from './rules.ts';

type File = NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number];
type FieldRef = NonNullable<File['fieldRef']>;
type ResourceRef = NonNullable<File['resourceFieldRef']>;

const shared = ['metadata.name', 'metadata.namespace', 'metadata.uid'] as const;
const places = {
  env: [
    ...shared,
    'spec.nodeName',
    'spec.serviceAccountName',
    'status.hostIP',
    'status.hostIPs',
    'status.podIP',
    'status.podIPs',
  ],
  file: ['metadata.annotations', 'metadata.labels', ...shared],
} as const;
/** Where a field is read. */
export type RefPlace = keyof typeof places;

/** Fields that exist under this name, though not every place may read them. */
const known: readonly string[] = [
  ...places.env,
  ...places.file,
  'spec.host',
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
];
const maps = ['metadata.annotations', 'metadata.labels'];

export function validateFieldRef(field: string, { apiVersion, fieldPath }: FieldRef, place: RefPlace): FieldError[] {
  if (!apiVersion) return [required(`${field}.apiVersion`)];
  if (!fieldPath) return [required(`${field}.fieldPath`)];
  const [, path = fieldPath, key] = /^(.+?)\['(.*)'\]$/s.exec(fieldPath) ?? [];
  const why = whyNotReadable(apiVersion, path, fieldPath, key);
  if (why !== undefined) return [invalid(`${field}.fieldPath`, fieldPath, `error converting fieldPath: ${why}`)];
  if (key !== undefined) {
    return invalidFor(field, key, whyNotQualifiedName(path === 'metadata.annotations' ? key.toLowerCase() : key));
  }
  const readable: readonly string[] = places[place];
  const name = path === 'spec.host' ? 'spec.nodeName' : path;
  return readable.includes(name) ? [] : [notSupported(`${field}.fieldPath`, name, readable)];
}

function whyNotReadable(version: string, path: string, label: string, key: string | undefined): string | undefined {
  if (version !== 'v1') return `unsupported pod version: ${version}`;
  if (key !== undefined) return maps.includes(path) ? undefined : `field label does not support subscript: ${label}`;
  return known.includes(label) ? undefined : `field label not supported: ${label}`;
}

const resources = ['limits', 'requests'].flatMap((side) => [
  `${side}.cpu`,
  `${side}.ephemeral-storage`,
  `${side}.memory`,
]);
const hugePages = /^(limits|requests)\.hugepages-/;
const bytes = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

export function validateResourceRef(field: string, ref: ResourceRef, place: RefPlace): FieldError[] {
  const { containerName, resource, divisor = '0' } = ref;
  const errors: FieldError[] = [];
  if (place === 'file' && !containerName) errors.push(required(`${field}.containerName`));
  else if (!resource) errors.push(required(`${field}.resource`));
  else if (!resources.includes(resource) && !hugePages.test(resource)) {
    errors.push(notSupported(`${field}.resource`, resource, resources));
  }
  const why = resource ? whyNotDivisor(resource, canonicalQuantity(divisor)) : undefined;
  if (why !== undefined) errors.push(invalid(`${field}.divisor`, resource, why));
  return errors;
}

function whyNotDivisor(resource: string, divisor: string): string | undefined {
  if (divisor === '0') return undefined;
  const name = resource.slice(resource.indexOf('.') + 1);
  if (name === 'cpu') {
    const allowed = divisor === '1' || divisor === '1m';
    return allowed ? undefined : "only divisor's values 1m and 1 are supported with the cpu resource";
  }
  const unit = hugePages.test(resource)
    ? 'hugepages'
    : { memory: 'memory', 'ephemeral-storage': 'local ephemeral storage' }[name];
  if (unit === undefined || bytes.includes(divisor)) return undefined;
  return `only divisor's values ${bytes.join(', ')} are supported with the ${unit} resource`;
}
