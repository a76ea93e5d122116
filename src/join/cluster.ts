// What a joining machine asks of the cluster: its configuration, and whether there is room for a node like this one.

import { kinds, type Node, type Stored } from '../api/index.ts';
import { CodedError } from '../base/index.ts';
import { runClusterPreflight } from '../bootstrap/index.ts';
import { type ApiClient, ApiStatusError } from '../client/index.ts';
import { type ClusterConfig, configMapNames, readClusterConfig, servedRelease } from '../config/index.ts';
import { type JoinContext, need } from './context.ts';

/** @throws CodedError CONFIG_NOT_READABLE, CONFIG_INVALID */
export async function readCluster(client: ApiClient, server: string, signal: AbortSignal): Promise<ClusterConfig> {
  const read = (name: string) => client.get(kinds.configMap, { namespace: 'kube-system', name }, { signal });
  const [kubeadm, k8ts] = await Promise.all([
    explained(configMapNames.kubeadm, read(configMapNames.kubeadm)),
    read(configMapNames.k8ts).catch(notThere), // clusters of kubeadm have none
  ]);
  return readClusterConfig({ kubeadm, k8ts }, new URL(server).host);
}

/** @throws CodedError PREFLIGHT_FAILED: another machine has this name, or this machine another name there, … */
export async function checkAgainstCluster(context: JoinContext, signal: AbortSignal): Promise<void> {
  const { host, nodeName, ignoredChecks, say, found } = context;
  const client = need(found, 'client', 'download-config');
  const config = need(found, 'cluster', 'download-config');
  const [nodes, serverVersion] = await Promise.all([readNodes(client, nodeName, signal), readVersion(client, signal)]);
  const { podCidr, serviceCidr, clusterDns, clusterDomain, dns, overlay } = config;
  await runClusterPreflight(
    {
      host,
      ignored: ignoredChecks,
      say,
      cluster: {
        nodeName,
        nodeIp: need(found, 'nodeIp', 'download-config'),
        podCidr,
        serviceCidr,
        clusterDns,
        clusterDomain,
        dns,
        overlay,
        clockSkew: need(found, 'discovered', 'discovery').clockSkew,
        serverVersion,
        release: servedRelease,
        nodes,
      },
    },
    signal,
  );
}

/** All nodes; in a cluster of kubeadm a token may only look at the one of a name that it knows. */
async function readNodes(
  client: ApiClient,
  name: string,
  signal: AbortSignal,
): Promise<readonly Stored<Node>[] | undefined> {
  const all = await client.list(kinds.node, { signal }).catch(notThere);
  if (all !== undefined) return all.items;
  const own = await client.get(kinds.node, { name }, { signal }).catch(notThere);
  return own === undefined ? undefined : [own];
}

async function readVersion(client: ApiClient, signal: AbortSignal): Promise<string | undefined> {
  const { status, body } = await client.raw('GET', '/version', undefined, { signal });
  return status === 200 ? /"gitVersion":\s*"([^"]+)"/.exec(body.toString('utf8'))?.[1] : undefined;
}

async function explained<T>(name: string, read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (!(error instanceof ApiStatusError)) throw error;
    throw new CodedError('CONFIG_NOT_READABLE', `ConfigMap kube-system/${name} cannot be read: ${error.message}`, {
      hint: 'on the master run: k8ts init phase upload-config; or make a token whose group is the default one',
      cause: error,
    });
  }
}

function notThere(error: unknown): undefined {
  if (error instanceof ApiStatusError && (error.reason === 'NotFound' || error.reason === 'Forbidden'))
    return undefined;
  throw error;
}
