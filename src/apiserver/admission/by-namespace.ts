// The objects of one kind by namespace, read once per change: most namespaces have no quota and no limits, and a write into
// one of those must cost no more than a look into a map.

import type { KindOf, KubeObject } from '../../api/index.ts';
import type { ObjectReader } from '../contracts.ts';

/** Past that many namespaces everything is forgotten and read again when asked for. */
const rememberedMax = 10_000;

export function byNamespace<T extends KubeObject, R>(
  reader: ObjectReader,
  kind: KindOf<T>,
  compile: (objects: readonly T[]) => R,
): (namespace: string) => R {
  const known = new Map<string, R>();
  reader.onChange(kind, ({ namespace }) => void known.delete(namespace ?? ''));
  return (namespace) => {
    const found = known.get(namespace);
    if (found !== undefined) return found;
    if (known.size >= rememberedMax) known.clear();
    const compiled = compile(reader.list<T>(kind, namespace));
    known.set(namespace, compiled);
    return compiled;
  };
}
