// Starts the bundle, runs the workloads, several times over, and writes what came out beside the figures of the Go
// implementation. See bench/apiserver for the flags.

import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Identity, openClient, readIdentity } from './client.ts';
import type { WorkloadName } from './go-figures.ts';
import { drive, measure, processUse, type Sample } from './measure.ts';
import { startPeerProcess } from './peer-process.ts';
import { type ClientLimit, type Run, report } from './report.ts';
import { firstLine, type ServerProcess, startServerProcess } from './server-process.ts';
import { measureWatchMemory } from './watch-memory.ts';
import { type Load, workloads } from './workloads.ts';

const { values: flags } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    only: { type: 'string' },
    scale: { type: 'string', default: '1' },
    peer: { type: 'string' },
    'no-write': { type: 'boolean', default: false },
  },
});
const scale = Number(flags.scale);
const letters = flags.only?.split(',');
const chosen = workloads.filter(({ name }) => letters === undefined || letters.includes(name.slice(0, 1)));
const apiServerOnly = ['--controllers=none', '--no-scheduler'];
const settleMs = 2000;

const runs: Run[] = [];
const peers: Run[] = [];
let limit: ClientLimit | undefined;
for (let run = 1; run <= Number(flags.runs); run += 1) {
  if (flags.peer !== undefined) {
    console.error(`run ${run}, Go`);
    peers.push(await runOn(await startPeerProcess(flags.peer), true));
  }
  console.error(`run ${run}`);
  runs.push(await runOn(await startServerProcess(apiServerOnly), false));
}
if (limit === undefined) throw new Error('--runs must be at least 1');
const memory = flags.only === undefined ? await measureWatchMemory(apiServerOnly) : undefined;
const table = report({ runs, peers, limit, memory });
console.log(table);
if (!flags['no-write']) await writeTable(table);

/** A workload that is too much for the peer is left out of its figures. */
async function runOn(server: ServerProcess, isPeer: boolean): Promise<Run> {
  try {
    const identity = await readIdentity(server.kubeconfig);
    if (!isPeer) limit ??= await clientLimit(identity, dirname(server.kubeconfig));
    return await oneRun(server, identity, isPeer);
  } finally {
    await server.stop();
  }
}

async function oneRun({ pid, readyMs }: ServerProcess, identity: Identity, isPeer: boolean): Promise<Run> {
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const idle = (await processUse(pid)).resident;
  const load: Load = {
    identity,
    client: openClient(identity, 16),
    many: openClient(identity, 32),
    namespace: 'load',
    scale,
    versions: { configMaps: [], leases: [] },
  };
  await load.client.ask('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: load.namespace },
  });
  await load.client.ask('POST', `/api/v1/namespaces/${load.namespace}/serviceaccounts`, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default' },
  });
  const samples = new Map<WorkloadName, Sample>();
  for (const workload of chosen) {
    const { name } = workload;
    const prepared = await workload.prepare?.(load);
    const run = prepared?.run ?? workload.run;
    if (run === undefined) throw new Error(`${name} does nothing`);
    await openConnections(load);
    const sample = await measure(pid, () => run(load)).catch((error: unknown) => {
      if (!isPeer) throw error;
      console.error(`  ${name}: failed: ${String(error)}`);
    });
    await prepared?.close();
    if (sample === undefined) continue;
    samples.set(name, sample);
    console.error(`  ${name}: ${Math.round(sample.perSecond)}/s, p99 ${sample.p99.toFixed(1)} ms`);
  }
  await Promise.all([load.client.close(), load.many.close()]);
  const after = (await processUse(pid)).resident;
  return { samples, readyMs, idle, after };
}

/** Before the clock starts: the client closes those that a workload with fewer workers has left idle. */
async function openConnections({ client, many }: Load): Promise<void> {
  await drive(16, 16, () => client.ask('GET', '/version'));
  await drive(32, 32, () => many.ask('GET', '/version'));
}

/** What the client measures of a server that does nothing. */
async function clientLimit(identity: Identity, folder: string): Promise<ClientLimit> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'trivial-server.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const port = await firstLine(child);
    const client = openClient({ ...identity, origin: `https://127.0.0.1:${port}` }, 16);
    const body = { data: 'x'.repeat(1000) };
    await drive(2000, 16, () => client.ask('POST', '/', body));
    const pid = child.pid ?? 0;
    const get = await measure(pid, async () => ({ latencies: await drive(8000, 16, () => client.ask('GET', '/')) }));
    const post = await measure(pid, async () => ({
      latencies: await drive(8000, 16, () => client.ask('POST', '/', body)),
    }));
    await client.close();
    return { get, post };
  } finally {
    child.kill();
  }
}

/** Between the two marks of docs/performance.md. */
async function writeTable(text: string): Promise<void> {
  const file = join(import.meta.dirname, '../docs/performance.md');
  const page = await readFile(file, 'utf8');
  const [begin, end] = ['<!-- bench/apiserver -->', '<!-- end -->'];
  const at = page.indexOf(begin) + begin.length;
  await writeFile(file, `${page.slice(0, at)}\n\n${text}\n\n${page.slice(page.indexOf(end))}`);
}
