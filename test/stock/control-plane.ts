// `k8ts run control-plane` as its own process on a free port, for clients that are not ours.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ControlPlane {
  readonly url: string;
  readonly kubeconfig: string;
  /** Removed by close(). */
  readonly folder: string;
  /** Ends the process and starts it again on the same data and port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

const root = join(import.meta.dirname, '..', '..');
const startWithinMs = 60_000;

export async function startControlPlane(args: readonly string[] = []): Promise<ControlPlane> {
  const folder = await mkdtemp(join(tmpdir(), 'k8ts-stock-'));
  const kubeconfig = join(folder, 'kubeconfig');
  const port = await freePort();
  const start = (): Promise<ChildProcess> =>
    ready(['--data-dir', join(folder, 'data'), '--port', String(port), '--write-kubeconfig', kubeconfig, ...args]);
  let child = await start();
  return {
    url: `https://127.0.0.1:${port}`,
    kubeconfig,
    folder,
    async restart() {
      await ended(child);
      child = await start();
    },
    async close() {
      await ended(child);
      await rm(folder, { recursive: true });
    },
  };
}

function ready(args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(join(root, 'bin', 'k8ts'), ['run', 'control-plane', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    let said = '';
    const late = setTimeout(() => fail('was not ready in time'), startWithinMs);
    const fail = (why: string): void => {
      child.kill('SIGKILL');
      reject(new Error(`the control plane ${why}: ${said}`));
    };
    const listen = (chunk: Buffer): void => {
      said = (said + chunk.toString()).slice(-4000);
      if (!/^ready /m.test(said)) return;
      clearTimeout(late);
      resolve(child);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.on('exit', (code) => {
      clearTimeout(late);
      fail(`ended with ${code}`);
    });
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.on('exit', () => resolve());
    child.kill('SIGTERM');
  });
}

/** For programs that cannot be told to take any port. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
