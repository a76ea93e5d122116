// Keeps this machine's Node and Lease in the cluster: registers, tells changes at once and everything every five minutes,
// renews the Lease every ten seconds. While the node is not Ready the runtime is asked again soon, and then less and less
// often, so that the node becomes Ready as soon as its network configuration is there. Source: kubernetes.io/docs/concepts/architecture/nodes.

import { isDeepStrictEqual } from 'node:util';
import { kinds, type Lease, microTimestamp, type Node, type NodeCondition, type Stored } from '../../api/index.ts';
import { type Clock, createBackoff, type Logger, messageOf } from '../../base/index.ts';
import { type ApiClient, ApiStatusError } from '../../client/index.ts';
import type { Cri, Image } from '../../cri/index.ts';
import type { Host } from '../../host/index.ts';
import type { NodeEvents } from '../events.ts';
import type { AgentOptions } from '../options.ts';
import { readPressure } from './node-facts.ts';
import {
  type NodeFacts,
  type NodeState,
  newNode,
  nodeConditions,
  nodeLabels,
  nodeStatus,
  whyNotReady,
} from './node-object.ts';

export interface NodeKeeperOptions {
  readonly client: ApiClient;
  readonly cri: Cri;
  readonly host: Host;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: Pick<NodeEvents, 'record'>;
  readonly options: AgentOptions;
  readonly facts: NodeFacts;
  /** Of the HTTPS server. */
  readonly port: number;
  readonly signal: AbortSignal;
}

const tick = 10_000;
const fullReportEvery = 300_000;
const leaseSeconds = 40;
const leaseNamespace = 'kube-node-lease';

/** Works until `signal` aborts. */
export async function keepNode(keeper: NodeKeeperOptions): Promise<void> {
  const { clock, signal } = keeper;
  const node = await persistently(keeper, 'node not registered yet', () => register(keeper));
  if (node === undefined) return;
  const { name, uid } = node.metadata;
  keeper.events.record({ kind: 'Node', name, uid: name }, 'Normal', 'Starting', 'Starting kubelet.');
  await Promise.all([reportStatus(keeper, node), renewLease(keeper, { name, uid })]);

  async function renewLease(
    { client, logger }: NodeKeeperOptions,
    owner: { name: string; uid: string },
  ): Promise<void> {
    let lease: Stored<Lease> | undefined;
    while (!signal.aborted) {
      try {
        lease = await renew(client, lease, owner, clock.now(), signal);
      } catch (error) {
        if (signal.aborted) return;
        lease = undefined;
        logger.warn('node lease not renewed, trying again', { error: messageOf(error) });
        await clock.sleep(1000, signal).catch(() => undefined);
        continue;
      }
      await clock.sleep(tick, signal).catch(() => undefined);
    }
  }
}

async function persistently<T>(
  keeper: NodeKeeperOptions,
  what: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  const { clock, logger, signal } = keeper;
  const backoff = createBackoff({ initial: 200, max: 7000, jitter: 0.2 });
  while (!signal.aborted) {
    try {
      return await work();
    } catch (error) {
      if (!signal.aborted) logger.warn(what, { error: messageOf(error) });
      await clock.sleep(backoff.next(), signal).catch(() => undefined);
    }
  }
  return undefined;
}

/** Creates the Node, or sets the labels that belong to the agent on the one that is there. */
async function register({ client, options, facts, signal }: NodeKeeperOptions): Promise<Stored<Node>> {
  try {
    return await client.create(kinds.node, newNode(facts, options), { signal });
  } catch (error) {
    if (!(error instanceof ApiStatusError) || error.reason !== 'AlreadyExists') throw error;
  }
  const there = await client.get(kinds.node, { name: options.nodeName }, { signal });
  const labels = nodeLabels(facts, options);
  if (Object.entries(labels).every(([key, value]) => there.metadata.labels?.[key] === value)) return there;
  return await client.patch(kinds.node, { name: options.nodeName }, 'merge', { metadata: { labels } }, { signal });
}

async function reportStatus(keeper: NodeKeeperOptions, registered: Stored<Node>): Promise<void> {
  const { client, clock, logger, options, facts, port, signal } = keeper;
  let told: readonly NodeCondition[] = registered.status?.conditions ?? [];
  let toldStatus: unknown;
  let fullReport = 0;
  let images: readonly Image[] = [];
  const untilReady = createBackoff({ initial: 20, max: 500, factor: 1.2 });
  while (!signal.aborted) {
    const state = await readState(keeper);
    const now = clock.now();
    const conditions = nodeConditions(state, now, told);
    const isDue = now - fullReport >= fullReportEvery;
    if (isDue) images = await keeper.cri.listImages(signal).catch(() => images);
    const status = nodeStatus(facts, options, port, images);
    if (isDue || !isDeepStrictEqual(status, toldStatus) || !areAlike(conditions, told)) {
      try {
        await client.patch(
          kinds.node,
          { name: options.nodeName },
          'strategic',
          { status: { ...status, conditions } },
          { subresource: 'status', signal },
        );
        announce(keeper, told, conditions);
        told = conditions;
        toldStatus = status;
        fullReport = now;
      } catch (error) {
        if (signal.aborted) return;
        logger.warn('node status not stored, trying again', { error: messageOf(error) });
        // Somebody deleted the Node: an agent that runs is a node.
        if (error instanceof ApiStatusError && error.code === 404) await register(keeper).catch(() => undefined);
        await clock.sleep(1000, signal).catch(() => undefined);
        continue;
      }
    }
    const isReady = whyNotReady(state) === undefined;
    if (isReady) untilReady.reset();
    await clock.sleep(isReady ? tick : untilReady.next(), signal).catch(() => undefined);
  }
}

async function readState({ cri, host, options, signal }: NodeKeeperOptions): Promise<NodeState> {
  const pressure = await readPressure(host, options.dataDir);
  try {
    const { conditions } = await cri.status(signal);
    return { runtimeConditions: conditions, runtimeError: '', pressure };
  } catch (error) {
    return { runtimeConditions: undefined, runtimeError: messageOf(error), pressure };
  }
}

/** True when only heartbeats differ. */
function areAlike(a: readonly NodeCondition[], b: readonly NodeCondition[]): boolean {
  const essence = (list: readonly NodeCondition[]) =>
    list.map(({ type, status, reason, message }) => ({ type, status, reason, message }));
  return isDeepStrictEqual(essence(a), essence(b));
}

function announce(
  { events, options }: NodeKeeperOptions,
  before: readonly NodeCondition[],
  after: readonly NodeCondition[],
): void {
  const name = options.nodeName;
  for (const { type, status, reason } of after) {
    if (before.find((one) => one.type === type)?.status === status) continue;
    const shown = type === 'Ready' ? (status === 'True' ? 'NodeReady' : 'NodeNotReady') : reason;
    if (shown === undefined) continue;
    events.record({ kind: 'Node', name, uid: name }, 'Normal', shown, `Node ${name} status is now: ${shown}`);
  }
}

async function renew(
  client: ApiClient,
  held: Stored<Lease> | undefined,
  { name, uid }: { readonly name: string; readonly uid: string },
  now: number,
  signal: AbortSignal,
): Promise<Stored<Lease>> {
  const spec = { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime: microTimestamp(now) };
  const known =
    held ?? (await client.get(kinds.lease, { namespace: leaseNamespace, name }, { signal }).catch(ifAbsent));
  if (known !== undefined)
    return await client.update(kinds.lease, { ...known, spec: { ...known.spec, ...spec } } as Stored<Lease>, {
      signal,
    });
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name,
      namespace: leaseNamespace,
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }],
    },
    spec,
  };
  return await client.create(kinds.lease, lease as unknown as Lease, { signal });
}

function ifAbsent(error: unknown): undefined {
  if (error instanceof ApiStatusError && error.code === 404) return undefined;
  throw error;
}
