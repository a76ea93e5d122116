// Carries out the steps of a plan on one machine. Every step may be repeated: after a crash or Ctrl-C the next run finds what
// is done and continues.

import { createHash } from 'node:crypto';
import { kinds } from '../api/index.ts';
import { CodedError } from '../base/index.ts';
import { type Bundle, type BundleArchitecture, currentLink, installBundle } from '../bundle/index.ts';
import { ApiStatusError } from '../client/index.ts';
import { agentService, serverService } from '../config/index.ts';
import type { SshHost } from '../host/index.ts';
import type { ClusterAccess } from './cluster-access.ts';
import type { ClusterFile, FileHost } from './cluster-file.ts';
import { planNode, type WantedNode } from './node-record.ts';
import { runRemoteK8ts } from './remote-k8ts.ts';

/** Where archives are put until they are installed; removed then. */
const archives = '/var/lib/k8ts-up';
/** Attempts to change a node that others change at the same time. */
const conflicts = 5;

export interface Doing {
  readonly host: SshHost;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

interface Installation {
  readonly architecture: BundleArchitecture;
  readonly bundleOf: (architecture: BundleArchitecture) => Promise<Bundle>;
  /** Services run there, from the version that is replaced. */
  readonly restarts: boolean;
}

export async function install(
  { host, signal, onLine }: Doing,
  { architecture, bundleOf, restarts }: Installation,
): Promise<void> {
  const bundle = await bundleOf(architecture);
  const archive = `${archives}/${bundle.name}.tar.gz`;
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
  await host.upload({
    from: bundle.path,
    to: archive,
    sha256: bundle.sha256,
    signal,
    onProgress: (have, all) => onLine(`copying k8ts: ${megabytes(have)} of ${megabytes(all)} MB`),
  });
  onLine('installing k8ts');
  await installBundle(host, bundle, { archive, signal });
  await host.remove(archives, { recursive: true });
  if (restarts) await host.run('sh', ['-c', restartServices], { signal });
}

/** Pods are not the services' children: they run on. A supervisor starts what ends again, by then from the new version. */
const restartServices = [
  `if [ -d /run/systemd/system ]; then systemctl try-restart ${serverService} ${agentService}`,
  `else pkill -TERM -f '^${currentLink}/bin/node .*${currentLink}/dist/k8ts[.]js run (server|agent) ' || [ $? = 1 ]; fi`,
].join('\n');

/** What init is told, but for what it finds out itself. */
export function initDocument(file: ClusterFile, entry: FileHost): object {
  const { cluster = {} } = file;
  const { certSans = [] } = cluster.apiServer ?? {};
  return {
    apiVersion: 'k8ts.dev/v1',
    kind: 'ClusterConfiguration',
    ...cluster,
    clusterName: cluster.clusterName ?? file.metadata.name,
    apiServer: {
      ...(entry.nodeIp === undefined ? {} : { advertiseAddress: entry.nodeIp }),
      ...cluster.apiServer,
      certSans: [...new Set([...certSans, entry.address])],
    },
    node: nodeOf(entry),
  };
}

/** Hash of what init is told of the cluster; what the node is told besides is settled on the Node. */
export function settingsOf(file: ClusterFile, { name, nodeIp, address }: FileHost): string {
  const text = JSON.stringify(initDocument(file, { name, nodeIp, address }));
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

export async function init({ host, signal, onLine }: Doing, file: ClusterFile, entry: FileHost): Promise<void> {
  const document = initDocument(file, entry);
  await runRemoteK8ts({ host, command: 'init', args: ['--skip-token-print'], document, signal, onLine });
}

export async function join(
  { host, signal, onLine }: Doing,
  file: ClusterFile,
  entry: FileHost,
  joinString: string,
): Promise<void> {
  const ignored = file.cluster?.ignorePreflightErrors;
  const document = {
    apiVersion: 'k8ts.dev/v1',
    kind: 'JoinConfiguration',
    discovery: { joinString },
    node: nodeOf(entry),
    ...(ignored === undefined ? {} : { ignorePreflightErrors: ignored }),
  };
  await runRemoteK8ts({ host, command: 'join', args: [], document, signal, onLine });
}

function nodeOf({ name, nodeIp, labels, taints }: FileHost): object {
  return {
    ...(name === undefined ? {} : { name }),
    ...(nodeIp === undefined ? {} : { ip: nodeIp }),
    ...(labels === undefined ? {} : { labels }),
    ...(taints === undefined ? {} : { taints }),
  };
}

/** Labels, taints and the record. @returns what was changed, for people */
export async function settle(
  { client }: Pick<ClusterAccess, 'client'>,
  name: string,
  want: WantedNode,
  signal: AbortSignal,
): Promise<readonly string[]> {
  for (let attempt = 1; ; attempt += 1) {
    const node = await client.get(kinds.node, { name }, { signal });
    const change = planNode(want, node);
    if (change === undefined) return [];
    const { patch } = change;
    const { resourceVersion } = node.metadata;
    const body = {
      ...patch,
      metadata: { ...('metadata' in patch ? (patch.metadata as object) : {}), resourceVersion },
    };
    try {
      await client.patch(kinds.node, { name }, 'merge', body, { signal });
      return change.lines;
    } catch (error) {
      if (!(error instanceof ApiStatusError) || error.reason !== 'Conflict' || attempt === conflicts) throw error;
    }
  }
}

export async function resetHost({ host, signal, onLine }: Doing): Promise<void> {
  await runRemoteK8ts({ host, command: 'reset', args: ['--force'], signal, onLine });
}

/** Why a machine cannot join: its control plane is not there. */
export function noControlPlane(id: string): CodedError {
  return new CodedError('CONTROL_PLANE_ABSENT', `the control plane ${id} is not ready, so nothing can join it`, {
    hint: `mend what is said about ${id} first`,
  });
}
