// Tables: what the API server answers when kubectl asks for columns instead of objects. A row is made from one object
// alone, so a watch can be answered row by row. Source: meta/v1 Table; upstream's TableConvertor.

import { age } from './columns/column.ts';
import type { Cell, Column, KindSpec } from './kind.ts';
import type { KubeObject } from './types.ts';

export interface TableColumnDefinition {
  readonly name: string;
  readonly type: Column['type'];
  /** '' unless the column is the name. */
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name of the object, unique within its namespace.',
  value: ({ metadata }) => metadata?.name ?? '',
};

/** The columns of a kind, Name first unless the kind brings its own (Events put it last). */
function columnsOf(kind: KindSpec): readonly Column[] {
  // The table's functions are typed for their own kind, and rows are made of objects of that kind.
  const own = (kind.columns ?? [age]) as readonly Column[];
  return own.some(({ name }) => name === nameColumn.name) ? own : [nameColumn, ...own];
}

export function tableColumns(kind: KindSpec): readonly TableColumnDefinition[] {
  return columnsOf(kind).map(({ name, type, format = '', description, priority = 0 }) => ({
    name,
    type,
    format,
    description,
    priority,
  }));
}

/** @param now milliseconds since the epoch, for ages. */
export function tableRow(kind: KindSpec, object: KubeObject, now: number): readonly Cell[] {
  return columnsOf(kind).map((column) => column.value(object, now));
}
