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

/** What is left, in its largest unit: `45s`, `12h`, `364d`, `9y`; `<invalid>` when it is over. @param ms */
export function timeLeft(ms: number): string {
  if (ms < 0) return '<invalid>';
  const seconds = Math.floor(ms / 1000);
  const days = Math.floor(seconds / 86_400);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (days < 1) return `${Math.floor(seconds / 3600)}h`;
  return days < 365 ? `${days}d` : `${Math.floor(days / 365)}y`;
}
