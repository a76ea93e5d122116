// The version in which a webhook or policy sees a request: the one its rule was written for, whatever the client spoke and
// whatever is stored. Objects are converted on the way there, and what a webhook made of them on the way back.
// Source: admissionregistration.k8s.io/v1 matchPolicy; k8s.io/api admission/v1 AdmissionRequest, requestKind.

import { apiVersionOf, type GroupVersionKind, type KindSpec, type KubeObject, sameJson } from '../../../api/index.ts';
import type { AdmissionRequest } from '../../contracts.ts';

/** The request with its objects in `version`; throws ConversionPending. */
export function seenIn(version: KindSpec, request: AdmissionRequest): AdmissionRequest {
  const { kind, requested = kind, object, oldObject } = request;
  if (version === kind) return request;
  const typed = { apiVersion: apiVersionOf(kind), kind: kind.kind };
  const converted = (one: KubeObject | undefined): KubeObject | undefined =>
    one && (version.storedAs?.fromStored({ ...typed, ...one }) ?? one);
  return { ...request, kind: version, requested, object: converted(object), oldObject: converted(oldObject) };
}

/**
 * What was made of `seen`, of the kind `version`, as an object of the stored kind; throws ConversionPending. There and back
 * may not be the very same object (autoscaling/v1 has metrics in another order), so only what differs is carried over, as far
 * as conversion is ours.
 * `settle` brings an object of that version into shape, in place.
 */
export function storedFrom(
  version: KindSpec,
  { stored, seen, made }: { readonly stored: KubeObject; readonly seen: KubeObject; readonly made: KubeObject },
  settle: (object: KubeObject) => void,
): KubeObject {
  const { storedAs, custom } = version;
  settle(made);
  if (storedAs === undefined) return made;
  const after = storedAs.toStored(made);
  if (custom?.converts === true) return after;
  const before = structuredClone(seen);
  settle(before);
  return carried(stored, storedAs.toStored(before), after) as KubeObject;
}

/** `onto` with what differs between `before` and `after`, member by member; lists are taken whole. */
function carried(onto: unknown, before: unknown, after: unknown): unknown {
  if (sameJson(before, after)) return onto;
  if (!isFields(onto) || !isFields(before) || !isFields(after)) return after;
  const result: Record<string, unknown> = { ...onto };
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const value = carried(onto[key], before[key], after[key]);
    if (value === undefined) delete result[key];
    else result[key] = value;
  }
  return result;
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** GroupVersionKind and nothing else of a kind. */
export function kindNames({ group, version, kind }: KindSpec): GroupVersionKind {
  return { group, version, kind };
}

/** GroupVersionResource. */
export function resourceNames({ group, version, plural }: KindSpec): {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
} {
  return { group, version, resource: plural };
}
