// Stock kubectl as an administrator of a test server.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestServer } from './harness.ts';
import { kubectlPath } from './proxy/cluster.ts';

export interface Kubectl {
  run(
    args: readonly string[],
    input?: string,
  ): Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
  close(): Promise<void>;
}

export async function kubectlFor({ server, pki }: TestServer): Promise<Kubectl> {
  const folder = await mkdtemp(join(tmpdir(), 'k8ts-kubectl-'));
  const admin = await pki.client('admin', ['system:masters']);
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const kubeconfig = join(folder, 'config');
  const user = { 'client-certificate-data': base64(admin.cert), 'client-key-data': base64(admin.key) };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: server.url, 'certificate-authority-data': base64(pki.ca) } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  return {
    run: (args, input = '') =>
      new Promise((resolve, reject) => {
        const child = spawn(kubectlPath, args, {
          env: { PATH: process.env['PATH'], KUBECONFIG: kubeconfig, HOME: folder },
        });
        let [out, err] = ['', ''];
        child.stdout.on('data', (chunk) => (out += chunk));
        child.stderr.on('data', (chunk) => (err += chunk));
        child.on('error', reject);
        child.on('close', (code) => resolve({ code: code ?? -1, out, err }));
        child.stdin.end(input);
      }),
    close: () => rm(folder, { recursive: true }),
  };
}
