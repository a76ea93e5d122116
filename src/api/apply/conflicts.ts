// Fields that an applied configuration wants to change and others own. The words are part of the protocol: kubectl shows
// them as they are. Source: apimachinery managedfields/internal/conflict.go.

import { type FieldSet, pathsOf } from './field-set.ts';
import type { ManagedFields } from './managed-fields.ts';
import { pathText } from './path-element.ts';

export interface OwnerConflict {
  readonly owner: ManagedFields;
  /** Never empty. */
  readonly fields: FieldSet;
}

interface ConflictCause {
  readonly reason: 'FieldManagerConflict';
  /** `conflict with "kubectl" using apps/v1` */
  readonly message: string;
  /** `.spec.replicas` */
  readonly field: string;
}

/** Applying without `force` met fields of others. */
export class ApplyConflictError extends Error {
  readonly conflicts: readonly OwnerConflict[];
  readonly causes: readonly ConflictCause[];

  constructor(conflicts: readonly OwnerConflict[]) {
    const shown = conflicts
      .map(({ owner, fields }) => ({ who: ownerText(owner), paths: [...pathsOf(fields)].map(pathText) }))
      .sort((a, b) => (a.who < b.who ? -1 : 1));
    super(messageOf(shown));
    this.name = 'ApplyConflictError';
    this.conflicts = conflicts;
    this.causes = shown.flatMap(({ who, paths }) =>
      paths.map((field) => ({ reason: 'FieldManagerConflict' as const, message: `conflict with ${who}`, field })),
    );
  }
}

function messageOf(shown: readonly { readonly who: string; readonly paths: readonly string[] }[]): string {
  const count = shown.reduce((sum, { paths }) => sum + paths.length, 0);
  const [first] = shown;
  if (count === 1 && first !== undefined) {
    return `Apply failed with 1 conflict: conflict with ${first.who}: ${first.paths[0]}`;
  }
  const lines = shown.flatMap(({ who, paths }) => [`conflicts with ${who}:`, ...paths.map((path) => `- ${path}`)]);
  return `Apply failed with ${count} conflicts: ${lines.join('\n')}`;
}

function ownerText({ manager, operation, apiVersion, subresource }: ManagedFields): string {
  const name = JSON.stringify(manager);
  const who = subresource === undefined ? name : `${name} with subresource ${JSON.stringify(subresource)}`;
  return operation === 'Update' ? `${who} using ${apiVersion}` : who;
}
