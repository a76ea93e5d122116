// Objects in memory behind the reader and writer that the parts of the API server take.

import type { KindSpec, KubeObject } from '../../src/api/index.ts';
import type { ObjectChange, ObjectReader, ObjectWriter } from '../../src/apiserver/contracts.ts';

export interface FakeObjects {
  readonly reader: ObjectReader;
  readonly writer: ObjectWriter;
  put(kind: KindSpec, object: KubeObject): void;
  remove(kind: KindSpec, namespace: string | undefined, name: string): void;
  /** How many writes the writer made. */
  readonly writes: number;
}

export function createFakeObjects(): FakeObjects {
  const objects = new Map<string, KubeObject>();
  const handlers = new Map<string, ((change: ObjectChange) => void)[]>();
  let writes = 0;
  const key = (kind: KindSpec, namespace: string | undefined, name: string): string =>
    `${kind.group}/${kind.plural}/${kind.namespaced ? (namespace ?? '') : ''}/${name}`;
  const tell = (kind: KindSpec, change: ObjectChange): void => {
    for (const handler of handlers.get(`${kind.group}/${kind.plural}`) ?? []) handler(change);
  };
  const put = (kind: KindSpec, object: KubeObject): void => {
    const { namespace, name = '' } = object.metadata ?? {};
    objects.set(key(kind, namespace, name), object);
    tell(kind, { type: 'put', namespace, name });
  };
  const reader: ObjectReader = {
    get: <T extends KubeObject>(kind: KindSpec, namespace: string | undefined, name: string) =>
      objects.get(key(kind, namespace, name)) as T | undefined,
    list: <T extends KubeObject>(kind: KindSpec, namespace?: string) =>
      [...objects]
        .filter(([id]) =>
          id.startsWith(`${kind.group}/${kind.plural}/${namespace === undefined ? '' : `${namespace}/`}`),
        )
        .map(([, object]) => object as T),
    versionsOf: (kind) => [kind],
    onChange(kind, handler) {
      const id = `${kind.group}/${kind.plural}`;
      handlers.set(id, [...(handlers.get(id) ?? []), handler]);
    },
  };
  async function update<T extends KubeObject>(
    kind: KindSpec,
    namespace: string | undefined,
    name: string,
    change: (object: T) => T | undefined,
  ): Promise<T | undefined> {
    const have = reader.get<T>(kind, namespace, name);
    const next = have === undefined ? undefined : change(have);
    if (next === undefined) return have;
    writes += 1;
    put(kind, next);
    return next;
  }
  const writer: ObjectWriter = {
    async ensure(kind, object) {
      const have = reader.get<typeof object>(kind, object.metadata.namespace, object.metadata.name ?? '');
      if (have !== undefined) return have;
      writes += 1;
      put(kind, object);
      return object;
    },
    update,
    updateStatus: update,
  };
  return {
    reader,
    writer,
    put,
    remove(kind, namespace, name) {
      objects.delete(key(kind, namespace, name));
      tell(kind, { type: 'delete', namespace, name });
    },
    get writes() {
      return writes;
    },
  };
}
