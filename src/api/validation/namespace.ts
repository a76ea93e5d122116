// Namespaces: what may hold one, and what its phase says. Source: kubernetes pkg/apis/core/validation.

import { type FieldError, invalid } from '../field-error.ts';
import type { Namespace } from '../types.ts';
import { whyNotQualifiedName } from './names.ts';
import { each, invalidFor } from './rules.ts';

/** Names without a domain that are fine. */
const standardFinalizers = ['kubernetes', 'foregroundDeletion', 'orphan'];

export function validateNamespace({ spec }: Namespace): readonly FieldError[] {
  // All of them are told of by the path of the list.
  return each('', spec?.finalizers, (finalizer) => validFinalizer('spec.finalizers', finalizer));
}

function validFinalizer(field: string, finalizer: string): FieldError[] {
  const errors = invalidFor(field, finalizer, whyNotQualifiedName(finalizer));
  if (finalizer.includes('/') || standardFinalizers.includes(finalizer)) return errors;
  const why = 'name is neither a standard finalizer name nor is it fully qualified';
  return [...errors, invalid(field, finalizer, why)];
}

/** For /finalize, which alone changes them later. */
export function validateNamespaceFinalizers({ spec }: Namespace): readonly FieldError[] {
  return each('spec.finalizers', spec?.finalizers, (finalizer, at) => validFinalizer(at, finalizer));
}

/** For /status: the phase follows from whether the namespace is being deleted. */
export function validateNamespaceStatus({ metadata, status }: Namespace): readonly FieldError[] {
  const isDeleted = metadata?.deletionTimestamp !== undefined;
  const [phase, empty] = isDeleted ? ['Terminating', 'not empty'] : ['Active', 'empty'];
  if (status?.phase === phase) return [];
  const why = `may only be '${phase}' if \`deletionTimestamp\` is ${empty}`;
  return [invalid('status.Phase', status?.phase ?? '', why)];
}
