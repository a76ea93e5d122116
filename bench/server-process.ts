// The server under measurement: the bundle as a process of its own on an empty folder.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface ServerProcess {
  readonly pid: number;
  readonly kubeconfig: string;
  /** From exec to ready, ms. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

const root = join(import.meta.dirname, '..');
/** As bin/k8ts has them. */
const nodeFlags = ['--max-semi-space-size=4'];

export async function startServerProcess(flags: readonly string[]): Promise<ServerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'k8ts-bench-'));
  const start = performance.now();
  // The bundle by name: bin/k8ts would take the sources when one of them is newer.
  const command = [
    ...nodeFlags,
    join(root, 'dist/k8ts.js'),
    'run',
    'control-plane',
    '--data-dir',
    folder,
    '--port',
    '0',
  ];
  const child = spawn(process.execPath, [...command, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await firstLine(child);
  const readyMs = performance.now() - start;
  const [, , , kubeconfig = ''] = line.split(' ');
  return {
    pid: child.pid ?? 0,
    kubeconfig,
    readyMs,
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true });
    },
  };
}

/** The line that a child says when it is ready. Rejects when it ends before. */
export async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the process has no standard output');
  const lines = createInterface(child.stdout);
  const [line] = await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the process ended with ${String(code)} before it was ready`);
    }),
  ]);
  return String(line);
}
