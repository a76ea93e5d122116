// How long bringing up, growing and removing a cluster takes, per phase, on a lab of namespace hosts (scripts/lab) with every
// package in place. Times are taken from outside: from the start of the command to the line that says a phase is done, so that
// starting Node and loading the program count.
// usage, as root:  node bench/bootstrap.ts [RUNS]     prints the tables of docs/bootstrap.md
// Build first (scripts/build), or the program runs from its sources and compiles them at every start; K8TS=path measures another.

import { spawn } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '..');
const lab = join(root, 'scripts', 'lab');
const k8ts = process.env['K8TS'] ?? join(root, 'bin', 'k8ts');
const images = ['pause', 'busybox'].map((name) => join(root, '.cache', 'images', `${name}.tar`));
const runs = Number(process.argv[2] ?? 5);

interface Timed {
  /** ms from the start of the command to its end. */
  readonly total: number;
  /** Phase name to ms from the start of the command to the end of the phase, in order. */
  readonly phases: ReadonlyMap<string, number>;
  readonly output: string;
}

/** Runs a command to its end. @throws Error with its output when it fails */
function timed(program: string, args: readonly string[]): Promise<Timed> {
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    const child = spawn(program, args, {
      env: { ...process.env, LAB: 'bench-bootstrap' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const phases = new Map<string, number>();
    const lines: string[] = [];
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line);
      const name = /^\[([a-z-]+)\] .* … \d+\.\d\d s$/.exec(line)?.[1];
      if (name !== undefined) phases.set(name, performance.now() - begun);
    });
    child.stderr.on('data', (chunk) => lines.push(String(chunk)));
    child.on('error', reject);
    child.on('close', (code) => {
      const output = lines.join('\n');
      if (code === 0) resolve({ total: performance.now() - begun, phases, output });
      else reject(new Error(`${[program, ...args].join(' ')} ended with ${code}\n${output}`));
    });
  });
}

const on = (host: string, ...args: readonly string[]): Promise<Timed> => timed(lab, ['exec', host, k8ts, ...args]);

interface Run {
  readonly init: Timed;
  readonly join: Timed;
  readonly resetNode: Timed;
  readonly resetMaster: Timed;
}

async function once(): Promise<Run> {
  const init = await on('master', 'init');
  const { output: string } = await on('master', 'token', 'create', '--print-join-string');
  const joined = await on('node1', 'join', string.trim());
  const resetNode = await on('node1', 'reset', '--force');
  const resetMaster = await on('master', 'reset', '--force');
  return { init, join: joined, resetNode, resetMaster };
}

const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
const seconds = (ms: number): string => (ms / 1000).toFixed(2);
const spread = (list: readonly number[]): string =>
  `${seconds(median(list))} (${seconds(Math.min(...list))}–${seconds(Math.max(...list))})`;

function table(all: readonly Run[]): string {
  const at = (name: string) => all.map(({ init }) => init.phases.get(name) ?? 0);
  const rows: readonly (readonly [string, readonly number[], string])[] = [
    ['init → API ready', at('wait-control-plane'), ''],
    ['init → node Ready', at('wait-node'), '3'],
    ['join → node Ready', all.map(({ join }) => join.phases.get('wait-node') ?? 0), '1.5'],
    ['reset of a node', all.map(({ resetNode }) => resetNode.total), '3'],
    ['reset of the master', all.map(({ resetMaster }) => resetMaster.total), '3'],
  ];
  return [
    `Medians of ${all.length} runs in seconds, smallest and largest in brackets; ${cpus().length} processors, load ${loadavg()[0]?.toFixed(1)}.`,
    '',
    '| from the start of the command | s | aim |',
    '|---|---|---|',
    ...rows.map(([what, list, aim]) => `| ${what} | ${spread(list)} | ${aim} |`),
  ].join('\n');
}

/** Each phase by itself: from the end of the one before it. */
function phaseTable(title: string, all: readonly Timed[]): string {
  const names = [...(all[0]?.phases.keys() ?? [])];
  const own = (name: string): number[] =>
    all.map(({ phases }) => {
      const ends = [...phases];
      const index = ends.findIndex(([one]) => one === name);
      return (ends[index]?.[1] ?? 0) - (ends[index - 1]?.[1] ?? 0);
    });
  return [
    `| phase of ${title} | s |`,
    '|---|---|',
    ...names.map(
      (name, index) => `| ${name}${index === 0 ? ' (with the start of the program)' : ''} | ${spread(own(name))} |`,
    ),
  ].join('\n');
}

await timed(lab, ['down']);
await timed(lab, ['up', 'master', 'node1']);
try {
  const all: Run[] = [];
  for (let n = 0; n < runs; n += 1) {
    for (const host of ['master', 'node1']) await on(host, 'image', 'import', ...images);
    all.push(await once());
    process.stderr.write(`run ${n + 1} of ${runs}\n`);
  }
  const parts = [
    table(all),
    phaseTable(
      'init',
      all.map(({ init }) => init),
    ),
    phaseTable(
      'join',
      all.map(({ join }) => join),
    ),
    phaseTable(
      'reset of the master',
      all.map(({ resetMaster }) => resetMaster),
    ),
  ];
  process.stdout.write(`${parts.join('\n\n')}\n`);
} finally {
  await timed(lab, ['down']);
}
