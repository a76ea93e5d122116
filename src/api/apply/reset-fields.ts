// Fields that a write can't give an owner. Some nobody ever owns, because only the server sets them; others depend on what
// is written to: a write of the object does not touch its status, a write of its status nothing else.
// Source: apimachinery managedfields/internal/stripmeta.go; the GetResetFields of k8s.io/kubernetes pkg/registry.

import { groupResourceOf, type KindSpec } from '../kind.ts';
import { emptySet, type FieldSet, setOf, union } from './field-set.ts';

/** What is taken out of each set, path by path. */
export const untrackedSet: FieldSet = setOf(
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((name) => ['f:metadata', `f:${name}`]),
);

const status = setOf(['f:status']);
const spec = setOf(['f:spec']);

/** Beside spec, for writes of status; by `<plural>.<group>`. */
const keptByStatus: Readonly<Record<string, FieldSet>> = {
  pods: setOf(['f:metadata', 'f:deletionTimestamp'], ['f:metadata', 'f:ownerReferences']),
  'deployments.apps': setOf(['f:metadata', 'f:labels']),
  'certificatesigningrequests.certificates.k8s.io': setOf(['f:status', 'f:conditions']),
};

/** What a write through `subresource` ('' for the object) leaves alone, with all below. */
export function resetFieldsOf(kind: KindSpec, subresource: string): FieldSet {
  switch (subresource) {
    case 'status':
      return union(spec, keptByStatus[groupResourceOf(kind)] ?? emptySet);
    case 'approval':
      return union(spec, setOf(['f:status', 'f:certificate']));
    default:
      return kind.subresources?.some(({ name }) => name === 'status') === true ? status : emptySet;
  }
}
