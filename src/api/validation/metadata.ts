// What every object's metadata must be. Source: k8s.io/apimachinery pkg/api/validation/objectmeta.go.

import { type FieldError, forbidden, invalid, required, tooLong } from '../field-error.ts';
import type { KindSpec, NameRule } from '../kind.ts';
import type { KubeObject, ObjectMeta } from '../types.ts';
import {
  whyNotDns1035Label,
  whyNotDnsLabel,
  whyNotDnsSubdomain,
  whyNotPathSegment,
  whyNotQualifiedName,
} from './names.ts';
import { immutable, invalidFor, nonNegative, validLabels } from './rules.ts';

const nameRules: Readonly<Record<NameRule, (name: string) => readonly string[]>> = {
  'dns-subdomain': whyNotDnsSubdomain,
  'dns-label': whyNotDnsLabel,
  'dns-1035-label': whyNotDns1035Label,
  'path-segment': whyNotPathSegment,
  any: () => [],
};

const maxAnnotationBytes = 256 * 1024;

export function validateMetadata(kind: KindSpec, object: KubeObject): FieldError[] {
  const { metadata = {} } = object;
  const { name, namespace, generateName, ownerReferences, finalizers } = metadata;
  const whyNot = nameRules[kind.nameRule ?? 'dns-subdomain'];
  const errors: FieldError[] = [];
  if (generateName) {
    // Only the beginning of a name: a dash at its end is fine.
    const base = generateName.length > 1 && generateName.endsWith('-') ? `${generateName.slice(0, -2)}a` : generateName;
    errors.push(...invalidFor('metadata.generateName', generateName, whyNot(base)));
  }
  if (!name) errors.push(required('metadata.name', 'name or generateName is required'));
  else errors.push(...invalidFor('metadata.name', name, whyNot(name)));
  if (kind.namespaced) {
    if (!namespace) errors.push(required('metadata.namespace'));
    else errors.push(...invalidFor('metadata.namespace', namespace, whyNotDnsLabel(namespace)));
  } else if (namespace) errors.push(forbidden('metadata.namespace', 'not allowed on this type'));
  errors.push(...nonNegative('metadata.generation', metadata.generation));
  errors.push(...validLabels('metadata.labels', metadata.labels));
  errors.push(...validateAnnotations('metadata.annotations', metadata.annotations));
  if (ownerReferences !== undefined) errors.push(...validateOwners(ownerReferences));
  if (finalizers !== undefined) errors.push(...validateFinalizers(kind, finalizers));
  return errors;
}

const standardFinalizers = ['kubernetes', 'orphan', 'foregroundDeletion'];
/** Groups whose kinds may have any finalizer: they are checked by upstream's libraries alone. */
const libraryGroups = [
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'coordination.k8s.io',
  'policy',
];

function validateFinalizers(kind: KindSpec, finalizers: readonly string[]): FieldError[] {
  const at = 'metadata.finalizers';
  const errors = finalizers.flatMap((one) => invalidFor(at, one, whyNotQualifiedName(one)));
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(invalid(at, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'));
  }
  if (kind.custom !== undefined || libraryGroups.includes(kind.group)) return errors;
  for (const [index, one] of finalizers.entries()) {
    if (one.includes('/') || standardFinalizers.includes(one)) continue;
    const why = 'name is neither a standard finalizer name nor is it fully qualified';
    errors.push(invalid(`${at}[${index}]`, one, why));
  }
  return errors;
}

export function validateAnnotations(
  field: string,
  annotations: Readonly<Record<string, string>> | undefined,
): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
    errors.push(...invalidFor(field, key, whyNotQualifiedName(key.toLowerCase())));
  }
  return size > maxAnnotationBytes ? [...errors, tooLong(field, maxAnnotationBytes)] : errors;
}

/** Which of them is meant is not said, as upstream does not. */
function validateOwners(owners: NonNullable<ObjectMeta['ownerReferences']>): FieldError[] {
  const field = 'metadata.ownerReferences';
  const errors: FieldError[] = [];
  let controller: string | undefined;
  for (const owner of owners) {
    const { apiVersion = '', kind } = owner;
    const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
    if (version === '') errors.push(invalid(`${field}.apiVersion`, apiVersion, 'version must not be empty'));
    for (const key of ['kind', 'name', 'uid'] as const) {
      if (!owner[key]) errors.push(invalid(`${field}.${key}`, owner[key] ?? '', 'must not be empty'));
    }
    if (apiVersion === 'v1' && kind === 'Event') {
      errors.push(invalid(field, owner, '/v1, Kind=Event is disallowed from being an owner'));
    }
    if (owner.controller !== true) continue;
    const text = `${owner.kind}/${owner.name}`;
    if (controller !== undefined) {
      const both = `Found "true" in references for ${controller} and ${text}`;
      errors.push(invalid(field, owners, `Only one reference can have Controller set to true. ${both}`));
    } else controller = text;
  }
  return errors;
}

/** What may never change. Whether resourceVersion is current is the registry's question. */
export function validateMetadataUpdate(
  { metadata = {} }: KubeObject,
  { metadata: old = {} }: KubeObject,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['name', 'namespace', 'uid', 'creationTimestamp'] as const) {
    errors.push(...immutable(`metadata.${field}`, metadata[field], old[field]));
  }
  if ((metadata.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(invalid('metadata.generation', metadata.generation, 'must not be decremented'));
  }
  return errors;
}
