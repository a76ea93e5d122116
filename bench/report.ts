// Medians with their spread, as the Markdown table of docs/performance.md.

import { type Figure, goFigures, goProcess, type WorkloadName } from './go-figures.ts';
import type { Sample } from './measure.ts';
import type { WatchMemory } from './watch-memory.ts';

export interface Run {
  readonly samples: ReadonlyMap<WorkloadName, Sample>;
  readonly readyMs: number;
  /** Bytes resident: when ready, and after everything. */
  readonly idle: number;
  readonly after: number;
}

export interface ClientLimit {
  readonly get: Sample;
  readonly post: Sample;
}

export function report(runs: readonly Run[], limit: ClientLimit, memory: WatchMemory | undefined): string {
  const names = [...(runs[0]?.samples.keys() ?? [])];
  return [
    `Medians of ${runs.length} runs on empty data, smallest and largest in brackets.`,
    '',
    '| workload | per second | Go | ratio | p50 ms | Go | p99 ms | Go | server CPU ms/op | Go |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...names.map((name) => row(name, runs)),
    '',
    '| process | k8ts | Go |',
    '|---|---|---|',
    `| exec → ready, certificates made, ms | ${spread(runs.map(({ readyMs }) => readyMs))} | ${goProcess.readyMs} |`,
    `| resident when ready, MB | ${spread(runs.map(({ idle }) => idle / 2 ** 20))} | ${goProcess.idleMb} |`,
    `| resident after everything, MB | ${spread(runs.map(({ after }) => after / 2 ** 20))} | ${goProcess.afterMb} |`,
    ...(memory === undefined ? [] : memoryRows(memory)),
    '',
    `The client alone, against a server that does nothing: GET ${shown(limit.get.perSecond)}/s, POST ${shown(limit.post.perSecond)}/s.`,
  ].join('\n');
}

function memoryRows({ watches, apart, shared, connections }: WatchMemory): readonly string[] {
  return [
    `| ${watches} watches over ${connections} connections (HTTP/2, as client-go), MB more | ${shown(shared / 2 ** 20)} | |`,
    `| ${watches} watches, a connection each (HTTP/1.1), MB more | ${shown(apart / 2 ** 20)} | |`,
  ];
}

function row(name: WorkloadName, runs: readonly Run[]): string {
  const samples = runs.flatMap(({ samples }) => samples.get(name) ?? []);
  const go: Figure = goFigures[name];
  const perSecond = samples.map((one) => one.perSecond);
  const cells = [
    name,
    spread(perSecond),
    shown(go.perSecond),
    `${(median(perSecond) / go.perSecond).toFixed(1)} ×`,
    spread(samples.map((one) => one.p50)),
    go.p50 === undefined ? '' : shown(go.p50),
    spread(samples.map((one) => one.p99)),
    go.p99 === undefined ? '' : shown(go.p99),
    spread(samples.map((one) => one.serverCpu)),
    go.cpu === undefined ? '' : shown(go.cpu),
  ];
  return `| ${cells.join(' | ')} |`;
}

function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[0] ?? Number.NaN, sorted.at(-1) ?? Number.NaN];
  return sorted.length < 2 ? shown(low) : `${shown(median(sorted))} (${shown(low)}–${shown(high)})`;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
}

/** Three figures are more than such a measurement says. */
function shown(value: number): string {
  return Number(value.toPrecision(3)).toString();
}
