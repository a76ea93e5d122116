// How long `k8ts up` takes for a master and N workers in network namespaces, over SSH, and what each phase costs: once from
// bare hosts, once with nothing to do. All hosts share this machine's processors, so this is the sum of their work.
// usage, as root:  node bench/up.ts [N]     default 20 workers

import { readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { dump } from 'js-yaml';
import { openKnownHosts } from '../src/host/index.ts';
import { createReach, describeFailures, parseClusterFile, runUp, type UpReport } from '../src/up/index.ts';
import { createLab, mustSucceed } from '../test/e2e/lab.ts';
import { createSshLab } from '../test/e2e/ssh-lab.ts';

const quiet = {
  step: () => undefined,
  passing: () => undefined,
  done: () => undefined,
  failed: () => undefined,
  say: () => undefined,
  end: async () => undefined,
};

const [first = '20', file] = process.argv.slice(2);
if (first === '--inside' && file !== undefined) await measure(file);
else await outside(Number(first));

async function outside(workers: number): Promise<void> {
  const lab = createLab('bench-up');
  const ssh = createSshLab(lab);
  const names = ['master', ...Array.from({ length: workers }, (_, n) => `node${n + 1}`)];
  try {
    await lab.down();
    await lab.up('admin', ...names);
    await ssh.startSshd(...names);
    const hosts = await Promise.all(
      names.map(async (name) => {
        const address = await lab.addressOf(name);
        return { name, address, ...(name === 'master' ? { role: 'control-plane' } : {}) };
      }),
    );
    const path = join(ssh.dir, 'cluster.yaml');
    const cluster = { apiVersion: 'k8ts.dev/v1', kind: 'Cluster', metadata: { name: 'bench' } };
    writeFileSync(path, dump({ ...cluster, ssh: { key: './id' }, hosts }));
    const inside = [
      'env',
      `HOME=${ssh.dir}`,
      'SSH_AUTH_SOCK=',
      process.execPath,
      import.meta.filename,
      '--inside',
      path,
    ];
    process.stdout.write(mustSucceed(await lab.on('admin', inside, { timeout: 600_000 })).stdout);
  } finally {
    await lab.down();
    ssh.remove();
  }
}

/** On a host of the lab. */
async function measure(path: string): Promise<void> {
  const file = parseClusterFile(readFileSync(path, 'utf8'), path);
  const once = async (what: string): Promise<void> => {
    const start = performance.now();
    const report = await runUp({
      file,
      reachOf: createReach(file, { source: path, env: process.env }),
      ssh: { knownHosts: await openKnownHosts([join(homedir(), 'known_hosts')]), acceptNewHostKeys: true },
      programRoot: resolve(import.meta.dirname, '..'),
      concurrency: 30,
      dryRun: false,
      mayRemove: async () => false,
      startProgress: async () => quiet,
      signal: new AbortController().signal,
    });
    show(what, performance.now() - start, report);
  };
  await once('from bare hosts');
  await once('nothing to do');
}

function show(what: string, ms: number, { times, failures, machines }: UpReport): void {
  const seconds = (value: number): string => `${(value / 1000).toFixed(1)} s`.padStart(8);
  console.log(`${what}, ${machines} machines: ${seconds(ms).trim()}, ${failures.length} failures`);
  for (const line of describeFailures(failures)) console.log(line);
  for (const phase of new Set(times.map((time) => time.phase))) {
    const list = times.filter((time) => time.phase === phase).map((time) => time.ms);
    const sorted = list.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
    console.log(`  ${phase.padEnd(8)} median ${seconds(median)}   longest ${seconds(sorted.at(-1) ?? 0)}`);
  }
}
