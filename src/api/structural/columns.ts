// Printer columns of custom resources. Source: apiextensions-apiserver pkg/registry/customresource/tableconvertor.

import { ageOf } from '../duration.ts';
import type { Cell, Column } from '../kind.ts';
import { isFields } from './fields.ts';
import { compileJsonPath } from './json-path.ts';

/** An entry of additionalPrinterColumns. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly description?: string;
  readonly format?: string;
  readonly jsonPath: string;
  readonly priority?: number;
}

const ageColumn: PrinterColumn = {
  name: 'Age',
  type: 'date',
  description: 'Time since the object was created.',
  jsonPath: '.metadata.creationTimestamp',
};

/** Whole columns after Name. */
export function printerColumns(columns: readonly PrinterColumn[] | undefined): readonly Column[] {
  return (columns === undefined || columns.length === 0 ? [ageColumn] : columns).map(columnOf);
}

const columnTypes = ['string', 'integer', 'number', 'boolean', 'date'] as const;

function columnOf({ name, type, description, jsonPath, priority }: PrinterColumn): Column {
  const find = compileJsonPath(jsonPath);
  return {
    name,
    type: columnTypes.find((one) => one === type) ?? 'string',
    description: description ?? `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    ...(priority === undefined ? {} : { priority }),
    value(object, now) {
      const [found] = find(object);
      return found === undefined ? null : cellOf(type, found, now);
    },
  };
}

function cellOf(type: string, value: unknown, now: number): Cell {
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      if (typeof value !== 'string') return null;
      return Number.isNaN(Date.parse(value)) ? '<invalid>' : ageOf(value, now);
    default:
      return Array.isArray(value) || isFields(value) ? JSON.stringify(value) : String(value);
  }
}
