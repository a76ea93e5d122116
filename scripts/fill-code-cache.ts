// Fills dist/.cache with V8's bytecode, which init and join copy along with the program: a server and an agent that start
// for the first time on a machine would compile for a third of a second each. What a control plane calls until it is
// ready is in it, and of everything else what loading calls.
// usage: node scripts/fill-code-cache.ts

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const dist = join(import.meta.dirname, '../dist');
const entryPoints = new Set(['k8ts.js', 'store-worker.js', 'components-worker.js', 'testing.js']);
// The same flags as bin/k8ts, because V8 refuses code that was compiled with others.
const node = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  spawn(process.execPath, ['--max-semi-space-size=4', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });

rmSync(join(dist, '.cache'), { recursive: true, force: true });
await runControlPlane();
await loadChunks();

async function runControlPlane(): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'k8ts-build-'));
  try {
    const server = node([
      join(dist, 'k8ts.js'),
      ...['run', 'control-plane', '--data-dir', dataDir, '--bind-address', '127.0.0.1'],
      ...['--port', String(await freePort()), '--write-kubeconfig', join(dataDir, 'kubeconfig')],
    ]);
    const exited = once(server, 'exit');
    const log = text(server.stderr);
    await Promise.race([once(server.stdout, 'data'), exited]);
    server.kill('SIGTERM');
    const [code] = await exited;
    if (code !== 0) throw new Error(`the control plane ended with ${code}: ${await log}`);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function loadChunks(): Promise<void> {
  const chunks = readdirSync(dist).filter((name) => name.endsWith('.js') && !entryPoints.has(name));
  const script = chunks.map((name) => `await import(${JSON.stringify(join(dist, name))});`).join('\n');
  const loading = node(['--input-type=module', '--eval', script], {
    NODE_COMPILE_CACHE: join(dist, '.cache/k8ts'),
    NODE_COMPILE_CACHE_PORTABLE: '1',
  });
  const [log, [code]] = await Promise.all([text(loading.stderr), once(loading, 'exit')]);
  if (code !== 0) throw new Error(`loading the chunks ended with ${code}: ${log}`);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
