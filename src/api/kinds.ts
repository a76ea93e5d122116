// The kinds table. Everything that is known about a kind starts here; see kind.ts for what an entry may say. The lookups
// are maps, because a route and each object of a mixed list ask them.

import type { GroupVersionKind, KindSpec } from './kind.ts';
import { clusterKinds } from './kinds/cluster.ts';
import { coreKinds } from './kinds/core.ts';
import { extensionKinds } from './kinds/extension.ts';
import { otherKinds } from './kinds/other.ts';
import { reviewKinds } from './kinds/reviews.ts';
import { storageKinds } from './kinds/storage.ts';
import { workloadKinds } from './kinds/workloads.ts';

export { hiddenKinds } from './kinds/hidden.ts';

export const kinds = {
  ...coreKinds,
  ...workloadKinds,
  ...clusterKinds,
  ...otherKinds,
  ...storageKinds,
  ...extensionKinds,
  ...reviewKinds,
} as const;

/** Every built-in kind, reviews and subresource bodies included. */
export const allKinds: readonly KindSpec[] = Object.values<KindSpec>(kinds);

const byKind = new Map(allKinds.map((kind) => [`${kind.group}/${kind.version}/${kind.kind}`, kind]));
const byResource = new Map(allKinds.map((kind) => [`${kind.group}/${kind.version}/${kind.plural}`, kind]));

export function kindOf({ group, version, kind }: GroupVersionKind): KindSpec | undefined {
  return byKind.get(`${group}/${version}/${kind}`);
}

/** The kind behind `/apis/<group>/<version>/<plural>`. */
export function kindOfResource(at: Pick<KindSpec, 'group' | 'version' | 'plural'>): KindSpec | undefined {
  return at.plural === '' ? undefined : byResource.get(`${at.group}/${at.version}/${at.plural}`);
}
