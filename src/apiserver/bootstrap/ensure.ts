// Creating what is missing, and changing what is not as it should be.

import type { KindOf, KubeObject, ObjectMeta } from '../../api/index.ts';
import type { ObjectWriter } from '../contracts.ts';

export type Named<T extends KubeObject> = T & { readonly metadata: ObjectMeta };

/** Creates `want`, or changes what is there by `reconcile` (undefined: as it should be). */
export async function ensureReconciled<T extends KubeObject>(
  writer: ObjectWriter,
  kind: KindOf<T>,
  want: Named<T>,
  reconcile: (have: T) => T | undefined,
): Promise<void> {
  const have = await writer.ensure<T>(kind, want);
  if (reconcile(have) === undefined) return;
  await writer.update<T>(kind, want.metadata.namespace, want.metadata.name ?? '', reconcile);
}
