// Tables: what `kubectl get` prints, one row per object, cells from the kind's columns.
// Source: k8s.io/apimachinery meta/v1 Table; "Kubernetes API concepts", receiving resources as Tables.

import type { Cell, Column, KindSpec, KubeObject } from '../../api/index.ts';
import type { CachedObject } from '../cache/index.ts';

/** Which part of each object goes along with its row. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. It is set when the object is created and cannot be changed afterwards.',
  value: (object) => object.metadata?.name ?? '',
};

const ageOnly: readonly Column[] = [
  {
    name: 'Created At',
    type: 'date',
    description: 'When the object was created, by the clock of the server.',
    value: (object) => (object.metadata?.creationTimestamp as string | undefined) ?? '',
  },
];

export interface TableMeta {
  readonly resourceVersion: string;
  readonly continue?: string | undefined;
  readonly remainingItemCount?: number | undefined;
}

export function tableJson(
  kind: KindSpec,
  objects: readonly CachedObject[],
  options: {
    readonly meta: TableMeta;
    readonly include: IncludeObject;
    readonly now: number;
    readonly headers: boolean;
  },
): string {
  const columns = columnsOf(kind);
  const rows = objects.map((object) => rowOf(object, columns, options));
  const definitions = options.headers
    ? columns.map(({ name, type, format = '', description, priority = 0 }) => ({
        name,
        type,
        format,
        description,
        priority,
      }))
    : null;
  const head = JSON.stringify({ kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata: options.meta });
  return `${head.slice(0, -1)},"columnDefinitions":${JSON.stringify(definitions)},"rows":[${rows.join(',')}]}`;
}

function columnsOf(kind: KindSpec): readonly Column[] {
  // The table's functions are typed for their own kind, and only objects of it come here.
  return [nameColumn, ...((kind.columns as unknown as readonly Column[] | undefined) ?? ageOnly)];
}

function rowOf(
  cached: CachedObject,
  columns: readonly Column[],
  { include, now }: { readonly include: IncludeObject; readonly now: number },
): string {
  const object = cached.parsed();
  const cells: Cell[] = columns.map((column) => column.value(object, now));
  return `{"cells":${JSON.stringify(cells)},"object":${included(cached, object, include)}}`;
}

function included(cached: CachedObject, object: KubeObject, include: IncludeObject): string {
  switch (include) {
    case 'None':
      return 'null';
    case 'Object':
      return cached.bytes.toString('utf8', 0, cached.bodyLength);
    case 'Metadata':
      return partialJson(object);
  }
}

/** PartialObjectMetadata of an object. */
export function partialJson(object: KubeObject): string {
  return `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":${JSON.stringify(object.metadata)}}`;
}
