// Tables: what `kubectl get` prints, one row per object, cells from the kind's columns.
// Source: k8s.io/apimachinery meta/v1 Table; "Kubernetes API concepts", receiving resources as Tables.

import { type KindSpec, type KubeObject, tableColumns, tableRow } from '../../api/index.ts';
import type { CachedObject } from '../cache/index.ts';

/** Which part of each object goes along with its row. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface TableMeta {
  readonly resourceVersion: string;
  readonly continue?: string | undefined;
  readonly remainingItemCount?: number | undefined;
}

export interface TableOptions {
  readonly meta: TableMeta;
  readonly include: IncludeObject;
  /** Milliseconds since the epoch, for ages. */
  readonly now: number;
  /** Column definitions; a watch sends them with its first event only. */
  readonly headers: boolean;
}

export function tableJson(kind: KindSpec, objects: readonly CachedObject[], options: TableOptions): string {
  const { meta, include, now, headers } = options;
  const head = JSON.stringify({
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: meta,
    columnDefinitions: headers ? tableColumns(kind) : null,
  });
  const rows = objects.map((cached) => {
    const object = cached.parsed();
    return `{"cells":${JSON.stringify(tableRow(kind, object, now))},"object":${included(cached, object, include)}}`;
  });
  return `${head.slice(0, -1)},"rows":[${rows.join(',')}]}`;
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
