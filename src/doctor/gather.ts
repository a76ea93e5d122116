// Looks at everything, at once where it can. Nothing is changed, and no part that fails keeps the others from being seen:
// it becomes a finding, or a line of what was not looked at.

import { kinds, type Lease, type Node, type Stored } from '../api/index.ts';
import { messageOf } from '../base/index.ts';
import { type ApiClient, ApiStatusError } from '../client/index.ts';
import type { AgentConfig } from '../config/index.ts';
import type { Cri } from '../cri/index.ts';
import type { Host, Services } from '../host/index.ts';
import { examineNode, type NodeReport } from '../probe/index.ts';
import { observeMachine } from './gather-machine.ts';
import { targetsOf } from './nodes.ts';
import type { ClusterObservations, Observations } from './observations.ts';

export interface DoctorDeps {
  readonly host: Host;
  /** The node that this machine is; absent: none, or only root may look. */
  readonly node?: {
    readonly config: AgentConfig;
    readonly services: Services;
    readonly cri: Pick<Cri, 'version' | 'status' | 'cgroupDriver'>;
  };
  /** Absent: there is no kubeconfig. */
  readonly client?: Pick<ApiClient, 'list' | 'raw'>;
  readonly now?: () => number;
}

type Reports = ClusterObservations['reports'];

/** ms for the API server's first answer. */
const apiPatience = 10_000;
/** ms for a node's report: 64 targets, 16 at a time, take at most eight seconds each, four to connect and four to answer. */
const reportPatience = 45_000;
/** Targets that an agent takes in one request. */
const targetsAtOnce = 64;

export async function gather(deps: DoctorDeps, signal: AbortSignal): Promise<Observations> {
  const { host, node, client, now = Date.now } = deps;
  const notLookedAt: string[] = [];
  const machine = node === undefined ? undefined : observeMachine(host, node, signal);
  const cluster = client === undefined ? undefined : observeCluster(client, { now, signal });
  const [ofMachine, ofCluster] = await Promise.all([machine, cluster]);
  if (node === undefined) notLookedAt.push('this machine: it is no node, or you are not root');
  if (ofCluster === undefined) notLookedAt.push('the cluster: there is no kubeconfig');
  const nodes = ofCluster?.nodes ?? [];
  const own = node === undefined ? {} : await examineSelf(host, node.config, nodes, { now, signal });
  const others =
    client === undefined ? {} : await askAgents(client, nodes, Object.keys(own), { now, notLookedAt, signal });
  const reports = { ...others, ...own };
  return {
    now: now(),
    machine: ofMachine,
    cluster: ofCluster === undefined ? ownCluster(reports) : { ...ofCluster, reports },
    notLookedAt,
  };
}

/** Without an API server a node still knows about itself. */
function ownCluster(reports: Reports): ClusterObservations | undefined {
  if (Object.keys(reports).length === 0) return undefined;
  return { problem: undefined, clockSkew: undefined, nodes: [], leases: [], reports };
}

interface Looking {
  readonly now: () => number;
  readonly notLookedAt: string[];
  readonly signal: AbortSignal;
}

async function observeCluster(
  client: Pick<ApiClient, 'list' | 'raw'>,
  { now, signal }: Omit<Looking, 'notLookedAt'>,
): Promise<ClusterObservations> {
  const patience = { signal: AbortSignal.any([signal, AbortSignal.timeout(apiPatience)]) };
  const empty = { problem: undefined, clockSkew: undefined, nodes: [], leases: [], reports: {} };
  try {
    const sent = now();
    const { date } = await client.raw('GET', '/version', undefined, patience);
    // The header has whole seconds: on average half of one is over.
    const clockSkew = date === undefined ? undefined : Math.round(date + 500 - (sent + now()) / 2);
    const nodes: readonly Stored<Node>[] = (await client.list(kinds.node, patience)).items;
    const leases = await readLeases(client, patience);
    return { ...empty, clockSkew, nodes, leases };
  } catch (error) {
    signal.throwIfAborted();
    return { ...empty, problem: `it cannot be used: ${messageOf(error)}` };
  }
}

/** None where they may not be read: with a node's own kubeconfig. */
async function readLeases(
  client: Pick<ApiClient, 'list'>,
  options: { readonly signal: AbortSignal },
): Promise<readonly Stored<Lease>[]> {
  try {
    return (await client.list(kinds.lease, { ...options, namespace: 'kube-node-lease' })).items;
  } catch (error) {
    if (error instanceof ApiStatusError && error.reason === 'Forbidden') return [];
    throw error;
  }
}

async function examineSelf(
  host: Host,
  config: AgentConfig,
  nodes: readonly Stored<Node>[],
  { now, signal }: Omit<Looking, 'notLookedAt'>,
): Promise<Reports> {
  const targets = targetsOf(nodes, config.nodeName).map(splitTarget);
  try {
    const report = await examineNode(host, { setup: config, targets, signal });
    return { [config.nodeName]: { report, clockSkew: report.time - now() } };
  } catch (error) {
    signal.throwIfAborted();
    return { [config.nodeName]: { problem: messageOf(error) } };
  }
}

/** Every node but `known` is asked by the API server, all at once: each takes as long as its slowest target. */
async function askAgents(
  client: Pick<ApiClient, 'raw'>,
  nodes: readonly Stored<Node>[],
  known: readonly string[],
  { now, notLookedAt, signal }: Looking,
): Promise<Reports> {
  const names = nodes.map(({ metadata }) => metadata.name).filter((name) => !known.includes(name));
  const found = await Promise.all(
    names.map(async (name) => [name, await askAgent(client, name, targetsOf(nodes, name), { now, signal })] as const),
  );
  const forbidden = found.filter(([, answer]) => answer === 'forbidden').map(([name]) => name);
  if (forbidden.length > 0) {
    notLookedAt.push(
      `what ${forbidden.join(', ')} see and what time they have: this kubeconfig may not ask nodes; use admin.conf`,
    );
  }
  return Object.fromEntries(found.flatMap(([name, answer]) => (typeof answer === 'string' ? [] : [[name, answer]])));
}

async function askAgent(
  client: Pick<ApiClient, 'raw'>,
  name: string,
  targets: readonly string[],
  { now, signal }: Omit<Looking, 'notLookedAt'>,
): Promise<Reports[string] | 'forbidden' | 'silent'> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(reportPatience)]);
  let merged: NodeReport | undefined;
  let clockSkew = 0;
  try {
    for (let at = 0; at === 0 || at < targets.length; at += targetsAtOnce) {
      const query = targets.slice(at, at + targetsAtOnce).map((target) => `target=${target}`);
      const path = `/api/v1/nodes/${name}/proxy/k8ts/probe?${query.join('&')}`;
      const { status, body } = await client.raw('GET', path, undefined, { signal: within });
      if (status === 403) return 'forbidden';
      if (status === 404) return { problem: 'its agent is not one of k8ts' };
      if (status === 502 || status === 503 || status === 504) return 'silent'; // a finding of the others: AgentUnreachable
      if (status !== 200) return { problem: `it answered ${status}: ${body.toString('utf8').slice(0, 200)}` };
      const report = JSON.parse(body.toString('utf8')) as NodeReport;
      clockSkew = report.time - now();
      merged = { ...report, reached: [...(merged?.reached ?? []), ...report.reached] };
    }
    return merged === undefined ? 'silent' : { report: merged, clockSkew };
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof ApiStatusError && error.code >= 502 ? 'silent' : { problem: messageOf(error) };
  }
}

function splitTarget(target: string): { readonly address: string; readonly port: number } {
  const at = target.lastIndexOf(':');
  return { address: target.slice(0, at), port: Number(target.slice(at + 1)) };
}
