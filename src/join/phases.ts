// The phases of join, in order.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { kinds } from '../api/index.ts';
import { CodedError } from '../base/index.ts';
import { runPreflight, setUpHost, startAgent, waitForReady, whyNodeNotReady } from '../bootstrap/index.ts';
import { type ApiClient, ApiStatusError } from '../client/index.ts';
import {
  addressTowards,
  agentService,
  configMapNames,
  defaultAddress,
  paths,
  readClusterConfig,
} from '../config/index.ts';
import { buildKubeconfig } from '../kubeconfig/index.ts';
import { formatToken } from '../tokens/index.ts';
import type { Phase } from '../workflow/index.ts';
import { type JoinContext, need } from './context.ts';
import { discover } from './discover.ts';

const preflight: Phase<JoinContext> = {
  name: 'preflight',
  title: 'Checking this machine',
  run: async ({ host, services, nodeName, criSocket, ignoredChecks, say }, { signal }) =>
    runPreflight(
      { host, services, role: 'worker', nodeName, criSocket, ports: [10250], ignored: ignoredChecks, say },
      signal,
    ),
};

const discovery: Phase<JoinContext> = {
  name: 'discovery',
  title: 'Finding the cluster',
  run: async (context, progress) => {
    const { found, endpoint, token, caCertHashes, skipCaVerification } = context;
    found.discovered = await discover({ endpoint, token, caCertHashes, skipCaVerification, progress });
    await requireSameCluster(context, found.discovered.caPem);
  },
};

/** Reads with the bootstrap token, so that what a token may do is proven before the machine is changed. */
const downloadConfig: Phase<JoinContext> = {
  name: 'download-config',
  title: "Reading the cluster's configuration",
  run: async ({ found, connect, token, endpoint, nodeName, host }, { signal }) => {
    const client = await connect(need(found, 'discovered', 'discovery'), token);
    found.client = client;
    const read = (name: string) => client.get(kinds.configMap, { namespace: 'kube-system', name }, { signal });
    const kubeadm = await explained(configMapNames.kubeadm, read(configMapNames.kubeadm));
    const k8ts = await read(configMapNames.k8ts).catch(absentInKubeadmClusters);
    found.cluster = readClusterConfig({ kubeadm, k8ts }, endpoint);
    if ((await host.stat(paths.kubeletConf)) === undefined) await requireFreeName(client, nodeName, signal);
  },
};

const hostSetup: Phase<JoinContext> = {
  name: 'host-setup',
  title: 'Installing k8ts, preparing kernel modules and settings',
  run: async ({ host, installProgram }) => {
    await installProgram(host);
    await setUpHost(host);
  },
};

const agent: Phase<JoinContext> = {
  name: 'kubelet-start',
  title: 'Starting the node agent',
  run: async (context) => {
    const { host, services, program, nodeName, criSocket, labels, taints, token, found } = context;
    const { server, caPem } = need(found, 'discovered', 'discovery');
    await startAgent({
      host,
      services,
      program,
      cluster: need(found, 'cluster', 'download-config'),
      node: { name: nodeName, ip: await ownAddress(context, server), criSocket, labels, taints },
      caPem,
      bootstrapKubeconfig: buildKubeconfig({
        server,
        user: 'tls-bootstrap-token-user',
        ca: { text: caPem },
        token: { text: formatToken(token) },
      }),
    });
  },
};

const waitNode: Phase<JoinContext> = {
  name: 'wait-node',
  title: 'Waiting for the node to be Ready',
  run: async ({ services, nodeName, found, say }, progress) => {
    const client = need(found, 'client', 'download-config');
    await waitForReady({ client, services, service: agentService, node: nodeName, progress, deadline: 120_000 });
    say(`\nThis machine is node ${nodeName} of the cluster now. See it on the master: kubectl get nodes\n`);
  },
};

export const joinPhases: readonly Phase<JoinContext>[] = [
  preflight,
  discovery,
  downloadConfig,
  hostSetup,
  agent,
  waitNode,
];

/** Refuses to mix two clusters on one machine. */
export async function requireSameCluster({ host }: JoinContext, caPem: string): Promise<void> {
  const have = (await host.readFileIfExists(paths.caFile))?.toString('utf8');
  if (have === undefined || have.trim() === caPem.trim()) return;
  throw new CodedError('OTHER_CLUSTER', `${paths.caFile} is that of another cluster`, {
    exit: 'preflight',
    hint: 'if this machine shall leave that cluster, run: k8ts reset',
  });
}

async function requireFreeName(client: ApiClient, name: string, signal: AbortSignal): Promise<void> {
  const node = await client.get(kinds.node, { name }, { signal }).catch((error: unknown) => {
    if (error instanceof ApiStatusError && (error.reason === 'NotFound' || error.reason === 'Forbidden'))
      return undefined;
    throw error;
  });
  if (node === undefined || whyNodeNotReady(node) !== undefined) return;
  throw new CodedError('NODE_NAME_TAKEN', `the cluster has a node ${name} that is Ready: it must be another machine`, {
    hint: `pass --node-name with another name; or, if that machine is gone, on the master: kubectl delete node ${name}`,
  });
}

/** The address that the API server sees this machine under. */
async function ownAddress({ host, nodeIp }: JoinContext, server: string): Promise<string> {
  if (nodeIp !== undefined) return nodeIp;
  const { hostname } = new URL(server);
  const target = isIP(hostname) === 4 ? hostname : (await lookup(hostname, { family: 4 })).address;
  return (await addressTowards(host, target)) ?? defaultAddress(host);
}

async function explained<T>(name: string, read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (!(error instanceof ApiStatusError)) throw error;
    throw new CodedError('CONFIG_NOT_READABLE', `ConfigMap kube-system/${name} cannot be read: ${error.message}`, {
      hint: 'on the master run `k8ts init` again (phase upload-config), or make a token whose group is the default one',
      cause: error,
    });
  }
}

function absentInKubeadmClusters(error: unknown): undefined {
  if (error instanceof ApiStatusError && (error.reason === 'NotFound' || error.reason === 'Forbidden'))
    return undefined;
  throw error;
}
