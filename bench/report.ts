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

export interface Measured {
  readonly runs: readonly Run[];
  /** Of the Go implementation, on this machine, in turn with ours; empty: its figures from another day stand there. */
  readonly peers: readonly Run[];
  readonly limit: ClientLimit;
  readonly memory: WatchMemory | undefined;
}

export function report({ runs, peers, limit, memory }: Measured): string {
  const names = [...(runs[0]?.samples.keys() ?? [])];
  const process = peers.length === 0 ? goProcess : processOf(peers);
  const when = peers.length === 0 ? '' : ', in turn with as many of Go on the same machine';
  return [
    `Medians of ${runs.length} runs on empty data${when}; smallest and largest in brackets.`,
    '',
    '| workload | per second | Go | ratio | p50 ms | Go | p99 ms | Go | server CPU ms/op | Go |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...names.map((name) => row(name, runs, peers.length === 0 ? goFigures[name] : figureOf(name, peers))),
    '',
    '| process | k8ts | Go |',
    '|---|---|---|',
    `| exec → ready, certificates made, ms | ${spread(runs.map(({ readyMs }) => readyMs))} | ${process.readyMs} |`,
    `| resident when ready, MB | ${spread(runs.map(({ idle }) => idle / 2 ** 20))} | ${process.idleMb} |`,
    `| resident after everything, MB | ${spread(runs.map(({ after }) => after / 2 ** 20))} | ${process.afterMb} |`,
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

function processOf(peers: readonly Run[]): Record<keyof typeof goProcess, string> {
  return {
    readyMs: spread(peers.map(({ readyMs }) => readyMs)),
    idleMb: spread(peers.map(({ idle }) => idle / 2 ** 20)),
    afterMb: spread(peers.map(({ after }) => after / 2 ** 20)),
  };
}

/** undefined: it never got through. */
function figureOf(name: WorkloadName, peers: readonly Run[]): Figure | undefined {
  const samples = peers.flatMap(({ samples }) => samples.get(name) ?? []);
  if (samples.length === 0) return undefined;
  return {
    perSecond: median(samples.map((one) => one.perSecond)),
    p50: median(samples.map((one) => one.p50)),
    p99: median(samples.map((one) => one.p99)),
    cpu: median(samples.map((one) => one.serverCpu)),
  };
}

function row(name: WorkloadName, runs: readonly Run[], go: Figure | undefined): string {
  const samples = runs.flatMap(({ samples }) => samples.get(name) ?? []);
  const perSecond = samples.map((one) => one.perSecond);
  const cells = [
    name,
    spread(perSecond),
    go === undefined ? 'fails' : shown(go.perSecond),
    go === undefined ? '' : `${(median(perSecond) / go.perSecond).toFixed(1)} ×`,
    spread(samples.map((one) => one.p50)),
    go?.p50 === undefined ? '' : shown(go.p50),
    spread(samples.map((one) => one.p99)),
    go?.p99 === undefined ? '' : shown(go.p99),
    spread(samples.map((one) => one.serverCpu)),
    go?.cpu === undefined ? '' : shown(go.cpu),
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
