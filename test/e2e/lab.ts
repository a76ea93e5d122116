// The three-host lab for end-to-end tests: scripts/lab driven from a test, with k8ts and stock kubectl run on its hosts.

import { spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const script = join(root, 'scripts', 'lab');
const kubectlPath = join(root, '.cache', 'bin', 'kubectl');
const k8tsPath = join(root, 'bin', 'k8ts');

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams, in the order they came. */
  readonly all: string;
}

export interface RunOptions {
  readonly stdin?: string;
  /** ms; the process is killed after it. Default 90,000. */
  readonly timeout?: number;
}

export interface Lab {
  readonly images: readonly string[];
  readonly kubectlPath: string;
  up(...hosts: readonly string[]): Promise<void>;
  down(...hosts: readonly string[]): Promise<void>;
  addressOf(host: string): Promise<string>;
  /** A program on a host; never throws for an exit code. */
  on(host: string, args: readonly string[], options?: RunOptions): Promise<Output>;
  /** k8ts on a host. */
  k8ts(host: string, args: readonly string[], options?: RunOptions): Promise<Output>;
  /** kubectl as the cluster's administrator, on the master; throws when it fails. */
  kubectl(args: readonly string[], options?: RunOptions): Promise<string>;
  tryKubectl(args: readonly string[], options?: RunOptions): Promise<Output>;
}

export function createLab(name: string): Lab {
  const lab = async (args: readonly string[], options: RunOptions = {}): Promise<Output> =>
    run(script, args, { ...options, env: { LAB: name } });
  const on: Lab['on'] = (host, args, options) => lab(['exec', host, ...args], options);
  const tryKubectl: Lab['tryKubectl'] = (args, options) =>
    on('master', ['env', 'KUBECONFIG=/etc/kubernetes/admin.conf', kubectlPath, ...args], options);
  return {
    images: ['pause', 'web-1', 'web-2', 'busybox'].map((image) => join(root, '.cache', 'images', `${image}.tar`)),
    kubectlPath,
    up: async (...hosts) => void mustSucceed(await lab(['up', ...hosts])),
    down: async (...hosts) => void mustSucceed(await lab(['down', ...hosts])),
    async addressOf(host) {
      const { stdout } = mustSucceed(await lab(['list']));
      const line = stdout.split('\n').find((entry) => entry.startsWith(`${host}\t`));
      if (line === undefined) throw new Error(`no host ${host} in the lab`);
      return line.slice(host.length + 1);
    },
    on,
    k8ts: (host, args, options) => on(host, [k8tsPath, ...args], options),
    tryKubectl,
    kubectl: async (args, options) => mustSucceed(await tryKubectl(args, options)).stdout,
  };
}

export function mustSucceed(output: Output): Output {
  if (output.code !== 0) throw new Error(`exit code ${output.code}\n${output.all}`);
  return output;
}

/** Tries until `attempt` gives something other than undefined. What it waits for and what was last thrown are in the error when it never does. */
export async function eventually<T>(what: string, timeout: number, attempt: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + timeout;
  let lastError: unknown;
  while (Date.now() < end) {
    try {
      const result = await attempt();
      if (result !== undefined) return result;
    } catch (error) {
      lastError = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`never happened in ${timeout} ms: ${what}${lastError === undefined ? '' : `; last: ${lastError}`}`);
}

function run(
  program: string,
  args: readonly string[],
  { stdin = '', timeout = 90_000, env }: RunOptions & { readonly env: Readonly<Record<string, string>> },
): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, ...env }, timeout, killSignal: 'SIGKILL' });
    let stdout = '';
    let stderr = '';
    let all = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk;
      all += chunk;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk;
      all += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 137, stdout, stderr, all }));
    child.stdin.on('error', () => undefined); // a program that does not read its input
    child.stdin.end(stdin);
  });
}
