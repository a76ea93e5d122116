// The Go implementation under the same measurement: kube-apiserver and etcd as processes of their own on empty folders, with
// certificates made here. etcd listens on loopback without TLS, which is to its advantage.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureCertificates, ensureKubeconfigs } from '../src/certs/index.ts';
import { createLocalHost } from '../src/host/index.ts';
import { openClient, readIdentity } from './client.ts';
import type { ServerProcess } from './server-process.ts';

const address = '127.0.0.1';
/** ms that it gets until it is ready; it needs three seconds on an idle machine. */
const patience = 60_000;

/** @param bin folder with `kube-apiserver`; `etcd` is looked for in PATH */
export async function startPeerProcess(bin: string): Promise<ServerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'k8ts-bench-peer-'));
  const [port, clientPort, peerPort] = await freePorts();
  const kubeconfig = await makeIdentities(folder, port);
  const etcd = start('etcd', etcdFlags(folder, clientPort, peerPort));
  const began = performance.now();
  const server = start(join(bin, 'kube-apiserver'), serverFlags(join(folder, 'pki'), port, clientPort));
  const stop = async (): Promise<void> => {
    for (const child of [server, etcd]) {
      if (child.exitCode !== null) continue;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    }
    await rm(folder, { recursive: true });
  };
  try {
    await untilReady(kubeconfig, server);
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid: server.pid ?? 0, kubeconfig, readyMs: performance.now() - began, stop };
}

function start(program: string, flags: Readonly<Record<string, string>>): ChildProcess {
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  return spawn(program, args, { stdio: 'ignore' });
}

async function makeIdentities(folder: string, port: number): Promise<string> {
  const host = createLocalHost();
  const context = {
    nodeName: 'bench',
    advertiseAddress: address,
    controlPlaneEndpoint: `${address}:${port}`,
    serviceCidr: '10.96.0.0/12',
    clusterDomain: 'cluster.local',
  };
  const places = { context, certDir: join(folder, 'pki') };
  const name = 'super-admin.conf'; // system:masters: nobody has bound the other groups yet
  await ensureCertificates(host, places);
  await ensureKubeconfigs(host, { ...places, kubeconfigDir: folder, bindPort: port, names: [name] });
  return join(folder, name);
}

function etcdFlags(folder: string, clientPort: number, peerPort: number): Readonly<Record<string, string>> {
  const [client, peer] = [`http://${address}:${clientPort}`, `http://${address}:${peerPort}`];
  return {
    'data-dir': join(folder, 'etcd'),
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `default=${peer}`,
  };
}

function serverFlags(pki: string, port: number, etcdPort: number): Readonly<Record<string, string>> {
  return {
    'etcd-servers': `http://${address}:${etcdPort}`,
    'bind-address': address,
    'secure-port': String(port),
    'client-ca-file': join(pki, 'ca.crt'),
    'tls-cert-file': join(pki, 'apiserver.crt'),
    'tls-private-key-file': join(pki, 'apiserver.key'),
    'service-account-key-file': join(pki, 'sa.pub'),
    'service-account-signing-key-file': join(pki, 'sa.key'),
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'service-cluster-ip-range': '10.96.0.0/12',
    'authorization-mode': 'Node,RBAC',
  };
}

async function untilReady(kubeconfig: string, server: ChildProcess): Promise<void> {
  const client = openClient(await readIdentity(kubeconfig), 1);
  const end = performance.now() + patience;
  try {
    for (;;) {
      try {
        await client.ask('GET', '/readyz');
        return;
      } catch (error) {
        if (server.exitCode !== null || performance.now() > end)
          throw new Error('kube-apiserver did not become ready', { cause: error });
        await sleep(50);
      }
    }
  } finally {
    await client.close();
  }
}

async function freePorts(): Promise<readonly [number, number, number]> {
  const probes = [createServer(), createServer(), createServer()];
  const ports = await Promise.all(
    probes.map(async (probe) => {
      await once(probe.listen(0, address), 'listening');
      const place = probe.address();
      return typeof place === 'object' && place !== null ? place.port : 0;
    }),
  );
  for (const probe of probes) probe.close();
  return ports as [number, number, number];
}
