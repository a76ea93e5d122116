// Versions that Kubernetes gave up and that are still read by old clients. They have the form of a later one: its schema, and
// its protobuf messages, whose numbers did not change.

import type { GroupVersionKind } from '../kind.ts';

type GroupVersion = Pick<GroupVersionKind, 'group' | 'version'>;

const forms: readonly (GroupVersion & { readonly as: string })[] = [{ group: 'policy', version: 'v1beta1', as: 'v1' }];

/** The version whose form this one has; mostly itself. */
export function formOf<T extends GroupVersion>(kind: T): T {
  const known = forms.find(({ group, version }) => group === kind.group && version === kind.version);
  return known === undefined ? kind : { ...kind, version: known.as };
}
