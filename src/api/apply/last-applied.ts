// The annotation of client-side apply, where it meets server-side apply by kubectl: fields that the annotation names and
// that are still as it says are kubectl's own, and the annotation is kept in step so that one can go back.
// Source: apimachinery managedfields/internal/lastapplied*.go.

import type { KubeObject } from '../types.ts';
import { compare } from './compare.ts';
import { difference, type FieldSet, union } from './field-set.ts';
import { fieldSetOf } from './field-set-of.ts';
import { isFields, TypedError } from './items.ts';
import type { ObjectVersion } from './ownership.ts';

const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
/** Bytes that all annotations of an object may have. */
const annotationsMax = 256 << 10;

/** undefined: there is no annotation, or it can't be used. @param live in the version */
export function conflictsAllowedByLastApplied(
  { apiVersion, type }: ObjectVersion,
  live: KubeObject,
): FieldSet | undefined {
  const applied = parsed(live.metadata?.annotations?.[annotation]);
  if (applied === undefined || applied['apiVersion'] !== apiVersion) return undefined;
  try {
    const { changed, removed } = compare(type, applied, live);
    return difference(fieldSetOf(type, applied), union(changed, removed));
  } catch (error) {
    if (error instanceof TypedError) return undefined;
    throw error;
  }
}

/** The object with the annotation, where it has one, saying what was applied now. */
export function withLastApplied(object: KubeObject, config: KubeObject): KubeObject {
  const annotations = object.metadata?.annotations ?? {};
  if ((annotations[annotation] ?? '') === '') return object;
  const { [annotation]: _old, ...others } = annotations;
  const next = { ...others, [annotation]: `${JSON.stringify(inOrder(withoutAnnotation(config)))}\n` };
  const size = Object.entries(next).reduce((sum, [key, value]) => sum + Buffer.byteLength(key + value), 0);
  return { ...object, metadata: { ...object.metadata, annotations: size > annotationsMax ? others : next } };
}

function withoutAnnotation(config: KubeObject): KubeObject {
  const { metadata = {} } = config;
  if (metadata.annotations?.[annotation] === undefined) return config;
  const { [annotation]: _old, ...annotations } = metadata.annotations;
  return { ...config, metadata: { ...metadata, annotations } };
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, inOrder(value[key])]),
  );
}

function parsed(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
