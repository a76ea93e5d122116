// Lists as a table, JSON or YAML.

import { dump } from 'js-yaml';

export interface Column<Row> {
  readonly header: string;
  readonly value: (row: Row) => string;
}

export function formatRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  format: 'table' | 'json' | 'yaml',
): string {
  if (format === 'json') return JSON.stringify(rows, null, 2);
  if (format === 'yaml') return dump(rows, { lineWidth: -1 }).trimEnd();
  const cells = [columns.map(({ header }) => header), ...rows.map((row) => columns.map(({ value }) => value(row)))];
  const widths = columns.map((_, at) => Math.max(...cells.map((line) => line[at]?.length ?? 0)));
  return cells
    .map((line) =>
      line
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}
