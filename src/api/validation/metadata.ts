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
import { immutable, invalidFor, validLabels } from './rules.ts';

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
  const { name, namespace } = metadata;
  const errors: FieldError[] = [];
  if (!name) errors.push(required('metadata.name', 'name or generateName is required'));
  else errors.push(...invalidFor('metadata.name', name, nameRules[kind.nameRule ?? 'dns-subdomain'](name)));
  if (kind.namespaced) {
    if (!namespace) errors.push(required('metadata.namespace'));
    else errors.push(...invalidFor('metadata.namespace', namespace, whyNotDnsLabel(namespace)));
  } else if (namespace) errors.push(forbidden('metadata.namespace', 'not allowed on this type'));
  errors.push(...validLabels('metadata.labels', metadata.labels));
  errors.push(...validateAnnotations('metadata.annotations', metadata.annotations));
  errors.push(...validateOwners(metadata.ownerReferences ?? []));
  for (const [index, finalizer] of (metadata.finalizers ?? []).entries()) {
    errors.push(...invalidFor(`metadata.finalizers[${index}]`, finalizer, whyNotQualifiedName(finalizer)));
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

function validateOwners(owners: NonNullable<ObjectMeta['ownerReferences']>): FieldError[] {
  const errors: FieldError[] = [];
  let controller: string | undefined;
  for (const [index, owner] of owners.entries()) {
    const field = `metadata.ownerReferences[${index}]`;
    if (!owner.apiVersion)
      errors.push(invalid(`${field}.apiVersion`, owner.apiVersion ?? '', 'version must not be empty'));
    for (const key of ['kind', 'name', 'uid'] as const) {
      if (!owner[key]) errors.push(invalid(`${field}.${key}`, owner[key] ?? '', 'must not be empty'));
    }
    if (owner.controller !== true) continue;
    const text = `${owner.kind}/${owner.name}`;
    if (controller !== undefined) {
      errors.push(
        invalid(
          'metadata.ownerReferences',
          owners,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${text}`,
        ),
      );
    }
    controller = text;
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
