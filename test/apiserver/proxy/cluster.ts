// An API server with the test agent as its one node, and stock kubectl against it.

import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApiServer } from '../../../src/apiserver/index.ts';
import { createNodeProxy } from '../../../src/apiserver/proxy/index.ts';
import { createMemoryStore } from '../../../src/store/index.ts';
import { createTestPki } from '../pki.ts';
import { startTestAgent, type TestAgent } from './test-agent.ts';

export interface Answer {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface TestCluster {
  readonly agent: TestAgent;
  readonly kubeconfig: string;
  /** Runs kubectl as the administrator. */
  kubectl(args: readonly string[], input?: string | Buffer, env?: Readonly<Record<string, string>>): Promise<Answer>;
  close(): Promise<void>;
}

const root = join(import.meta.dirname, '..', '..', '..');
export const kubectlPath = join(root, '.cache', 'bin', 'kubectl');

/** Why tests with kubectl cannot run; false when they can. */
export const noKubectl = existsSync(kubectlPath) ? false : `${kubectlPath} is not there: run scripts/setup`;

export async function startTestCluster(): Promise<TestCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'k8ts-proxy-'));
  const pki = await createTestPki();
  const agent = await startTestAgent({ ...pki.server, ca: pki.ca });
  const apiClient = await pki.client('kube-apiserver-kubelet-client', ['system:masters']);
  const store = await createMemoryStore();
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = await startApiServer({
    store,
    host: '127.0.0.1',
    port: 0,
    tls: { ...pki.server, clientCa: pki.ca },
    serviceCidr: '10.96.0.0/12',
    security: {
      mode: 'rbac',
      serviceAccounts: {
        signingKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
        issuer: 'https://kubernetes.default.svc.cluster.local',
      },
    },
    nodeProxy: ({ reader }) =>
      createNodeProxy({ reader, clientCert: apiClient.cert, clientKey: apiClient.key, clusterCa: pki.ca }),
  });
  await server.ready;
  const admin = await pki.client('admin', ['system:masters']);
  const kubeconfig = join(folder, 'kubeconfig');
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  await writeFile(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: server.url, 'certificate-authority-data': base64(pki.ca) } }],
      users: [
        { name: 'u', user: { 'client-certificate-data': base64(admin.cert), 'client-key-data': base64(admin.key) } },
      ],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  );
  const kubectl: TestCluster['kubectl'] = (args, input = '', env = {}) =>
    run(kubectlPath, args, input, { ...env, KUBECONFIG: kubeconfig, HOME: folder, PATH: process.env['PATH'] ?? '' });
  const must = async (args: readonly string[], input = ''): Promise<void> => {
    const { code, stderr } = await kubectl(args, input);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  };
  await must(['create', '--validate=false', '-f', '-'], JSON.stringify(objects()));
  const status = {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: agent.port } },
  };
  await must(['patch', 'node', 'n1', '--subresource=status', '--type=merge', '-p', JSON.stringify({ status })]);
  for (const pod of ['web', 'broken', 'waiting', 'lost']) {
    const running = { status: { phase: 'Running', podIP: '127.0.0.1' } };
    await must(['patch', 'pod', pod, '--subresource=status', '--type=merge', '-p', JSON.stringify(running)]);
  }
  return {
    agent,
    kubeconfig,
    kubectl,
    async close() {
      await server.stop(100);
      await agent.close();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function objects(): object {
  const pod = (name: string, nodeName: string | undefined, containers: readonly string[]): object => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { ...(nodeName && { nodeName }), containers: containers.map((one) => ({ name: one, image: 'x' })) },
  });
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'default' } },
      { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } },
      pod('web', 'n1', ['main']),
      pod('broken', 'n1', ['main']),
      pod('waiting', 'n1', ['main']),
      pod('two', 'n1', ['a', 'b']),
      pod('lost', 'gone', ['main']),
      pod('unbound', undefined, ['main']),
    ],
  };
}

function run(
  program: string,
  args: readonly string[],
  input: string | Buffer,
  env: Readonly<Record<string, string>>,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (part: Buffer) => out.push(part));
    child.stderr.on('data', (part: Buffer) => err.push(part));
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({ code: code ?? -1, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }),
    );
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
