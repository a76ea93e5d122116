// The door of validation: metadata and the kind's own rules, for a new object and for a change.

import type { FieldError } from '../field-error.ts';
import type { KindSpec } from '../kind.ts';
import type { KubeObject } from '../types.ts';
import { validateMetadata, validateMetadataUpdate } from './metadata.ts';
import { withoutOldErrors } from './ratchets.ts';

/** Fills in upstream's defaults in place; `object` must belong to the caller. */
export function applyDefaults(kind: KindSpec, object: KubeObject): void {
  kind.defaults?.(object as never);
}

/** What is wrong with a new object; empty when nothing is. Defaults must have been applied, and the name be there. */
export function validateCreate(kind: KindSpec, object: KubeObject): readonly FieldError[] {
  return [
    ...validateMetadata(kind, object),
    ...validateContent(kind, object),
    ...(kind.validateNew?.(object as never) ?? []),
  ];
}

/**
 * What is wrong with `object` as the next state of `old`, changed through a subresource unless that is ''. A status with a
 * rule of its own is judged by that alone; what the old object had wrong already may be let through (ratchets.ts).
 */
export function validateUpdate(
  kind: KindSpec,
  object: KubeObject,
  old: KubeObject,
  subresource = '',
): readonly FieldError[] {
  const part = kind.subresources?.find(({ name }) => name === subresource);
  const rule = part?.validateUpdate === undefined ? kind : part;
  const isJudged = kind.custom === undefined && (subresource !== 'status' || rule === kind);
  let completed: KubeObject | undefined;
  const before = (): KubeObject => {
    completed ??= withDefaults(kind, old);
    return completed;
  };
  const changes = rule.validateUpdate?.(object as never, old as never) ?? [];
  return [
    // The name was judged when it came, and stays.
    ...validateMetadata(kind, object).filter(({ field }) => field !== 'metadata.name'),
    ...validateMetadataUpdate(object, old),
    ...(isJudged ? withoutOldErrors(kind, validateContent(kind, object), () => validateContent(kind, before())) : []),
    ...(changes.length === 0 || kind.custom !== undefined
      ? changes
      : (rule.validateUpdate?.(object as never, before() as never) ?? [])),
  ];
}

/** An object that was stored before a default came has it as soon as it is written: that is no change of the user's. */
function withDefaults(kind: KindSpec, stored: KubeObject): KubeObject {
  const object = structuredClone(stored);
  applyDefaults(kind, object);
  return object;
}

function validateContent(kind: KindSpec, object: KubeObject): readonly FieldError[] {
  return kind.validate?.(object as never) ?? [];
}
