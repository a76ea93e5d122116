// The scheduler's life: watches pods and nodes, decides one pod after the other (place.ts), and carries decisions out.
// A decision is made in memory at once (the pod is assumed on its node) and bound in the background, many at a time, so
// that the next decision does not wait for the API server. When a binding fails the assumption is taken back.

import { kinds, type Node, type Pod, type Stored } from '../api/index.ts';
import { type Clock, type Logger, silentLogger, systemClock } from '../base/index.ts';
import { type ApiClient, ApiStatusError, type EventRecorder, type InformerFactory } from '../client/index.ts';
import { bindPod, endVictim, markUnschedulable, nominate, selectNode } from './binding.ts';
import { createClusterState, isFinished, type NodeState } from './cluster-state.ts';
import { volumeBinding, waitingClaims } from './filters/volumes.ts';
import { nodeEvents } from './node-events.ts';
import { createNominations } from './nominations.ts';
import { place } from './place.ts';
import { type PodNeeds, podKey, podNeeds } from './pod-needs.ts';
import { planPreemption } from './preemption.ts';
import { createSchedulingQueue, type QueuedPod } from './queue.ts';

export interface SchedulerOptions {
  readonly client: ApiClient;
  /** Started by the caller; the scheduler asks it for pods and nodes. */
  readonly informers: InformerFactory;
  readonly recorder: EventRecorder;
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Pods that name another scheduler are left alone. Default `default-scheduler`. */
  readonly schedulerName?: string;
  /** Bindings on their way at a time. Default 64. */
  readonly maxBindings?: number;
}

/** Decisions in one go before other work of the process gets its turn, ms. */
const turn = 10;

/** Schedules until `signal` aborts; resolves when the last binding has been answered. */
export async function startScheduler(options: SchedulerOptions, signal: AbortSignal): Promise<void> {
  const { client, informers, recorder, logger = silentLogger, clock = systemClock } = options;
  const { schedulerName = 'default-scheduler', maxBindings = 64 } = options;
  const [claims, volumes, classes] = [
    informers.informer(kinds.persistentVolumeClaim),
    informers.informer(kinds.persistentVolume),
    informers.informer(kinds.storageClass),
  ];
  const cluster = createClusterState({
    claim: (namespace, name) => claims.get(`${namespace}/${name}`),
    volume: (name) => volumes.get(name),
    volumes: () => volumes.list(),
    storageClass: (name) => classes.get(name),
  });
  const queue = createSchedulingQueue(() => clock.now());
  const nominations = createNominations();
  const assumed = new Set<string>();
  const requests = new Set<Promise<void>>();
  let bindings = 0;
  let start = 0;
  let ready = false;
  let turnAhead = false;
  let alarm: { readonly at: number; readonly stop: AbortController } | undefined;

  const pods = informers.informer(kinds.pod);
  const nodes = informers.informer(kinds.node);
  const budgets = informers.informer(kinds.podDisruptionBudget);
  nodes.addHandler({
    added: onNodeAdded,
    updated: onNodeUpdated,
    deleted: ({ metadata }) => cluster.removeNode(metadata.name),
  });
  const onStorage = (): void => {
    queue.onEvent('storage');
    wake();
  };
  claims.addHandler({ added: onStorage, updated: onStorage });
  volumes.addHandler({ added: onStorage, updated: onStorage, deleted: onStorage });
  classes.addHandler({ added: onStorage });
  pods.addHandler({ added: (pod) => onPod(pod), updated: onPod, deleted: onPodDeleted });
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  // Deciding before both caches are full would take a busy node for an empty one.
  await Promise.race([Promise.all([pods, nodes, claims, volumes, classes].map((one) => one.synced())), stopped]);
  ready = true;
  wake();
  await stopped;
  alarm?.stop.abort();
  await Promise.all(requests);

  function onNodeAdded(node: Stored<Node>): void {
    cluster.putNode(node);
    queue.onEvent('node-added');
    wake();
  }

  function onNodeUpdated(node: Stored<Node>, previous: Stored<Node>): void {
    const events = nodeEvents(node, previous);
    if (events.length === 0) return;
    cluster.putNode(node);
    for (const event of events) queue.onEvent(event);
    wake();
  }

  function onPod(pod: Stored<Pod>, previous?: Stored<Pod>): void {
    const key = podKey(pod);
    const nodeName = pod.spec?.nodeName ?? '';
    if (isFinished(pod)) onPodDeleted(pod);
    else if (nodeName !== '') onPodPlaced(pod, key, nodeName, previous);
    else if (!assumed.has(key) && isOurs(pod)) onPodWaiting(pod, key, previous);
    else if (!isOurs(pod)) queue.remove(key);
    wake();
  }

  function onPodPlaced(pod: Stored<Pod>, key: string, nodeName: string, previous: Stored<Pod> | undefined): void {
    const confirmed = assumed.delete(key);
    const known = cluster.nodeOf(key) === nodeName && !confirmed;
    queue.remove(key);
    // Most updates of a running pod are of its status, which decides nothing here.
    if (known && previous !== undefined && sameNeeds(pod, previous)) return;
    cluster.placePod(podNeeds(pod), nodeName);
    queue.onEvent(known ? 'pod-labels' : 'pod-added');
  }

  function onPodWaiting(pod: Stored<Pod>, key: string, previous: Stored<Pod> | undefined): void {
    const needs = podNeeds(pod);
    const { nominatedNodeName = '' } = pod.status ?? {};
    if (nominatedNodeName !== '') nominations.set(needs, nominatedNodeName);
    if (queue.has(key) && previous !== undefined && sameNeeds(pod, previous)) queue.refresh(needs);
    else queue.add(needs);
  }

  function onPodDeleted(pod: Stored<Pod>): void {
    const key = podKey(pod);
    queue.remove(key);
    nominations.delete(key);
    assumed.delete(key);
    if (cluster.removePod(key)) queue.onEvent('pod-removed');
    wake();
  }

  function isOurs({ spec, metadata }: Stored<Pod>): boolean {
    return (
      (spec?.schedulerName ?? 'default-scheduler') === schedulerName &&
      metadata.deletionTimestamp === undefined &&
      (spec?.schedulingGates ?? []).length === 0
    );
  }

  function wake(): void {
    if (!ready || turnAhead || signal.aborted) return;
    turnAhead = true;
    setImmediate(takeTurn);
  }

  function takeTurn(): void {
    turnAhead = false;
    if (signal.aborted) return;
    setAlarm(queue.tick());
    const end = performance.now() + turn;
    while (bindings < maxBindings) {
      const pod = queue.pop();
      if (pod === undefined) {
        setAlarm(queue.tick());
        return;
      }
      decide(pod);
      if (performance.now() >= end) break;
    }
    // At the limit of bindings, the next answer wakes; otherwise it was only the turn that ended.
    if (bindings < maxBindings) wake();
  }

  function decide(queued: QueuedPod): void {
    const { needs } = queued;
    const placement = nominations.respecting(needs, cluster, () => place(needs, cluster, { start }));
    start = (start + 1) % Math.max(cluster.nodes.length, 1);
    if (placement.node === undefined) {
      queue.putUnschedulable(queued, placement.refusedBy);
      recorder.event(needs.pod, 'Warning', 'FailedScheduling', placement.message);
      track(
        markUnschedulable(client, needs.pod, placement.message, { clock, logger, signal }).then(() => makeRoom(needs)),
      );
      return;
    }
    const waiting = waitingClaims(needs, cluster.storage);
    if (waiting.length > 0) {
      queue.putUnschedulable(queued, new Set([volumeBinding]));
      track(selectNodes(waiting, placement.node, queued));
      return;
    }
    nominations.delete(needs.key);
    assumed.add(needs.key);
    cluster.placePod(needs, placement.node.name);
    bindings += 1;
    track(bind(queued, placement.node));
  }

  /** The pod is tried again when its claims are bound. */
  async function selectNodes(
    waiting: ReturnType<typeof waitingClaims>,
    { name }: NodeState,
    queued: QueuedPod,
  ): Promise<void> {
    try {
      for (const claim of waiting) await selectNode(client, claim, name, signal);
    } catch (error) {
      if (signal.aborted) return;
      logger.warn('a claim was not told its node', { pod: queued.needs.key, node: name, error });
    }
  }

  /** Ends pods of lower priority; theirs are the events that wake this one up. */
  async function makeRoom(needs: PodNeeds): Promise<void> {
    if (signal.aborted || !queue.has(needs.key)) return;
    const plan = nominations.respecting(needs, cluster, () => planPreemption(needs, cluster, budgets.list()));
    if (plan === undefined) return;
    const { node, victims } = plan;
    nominations.set(needs, node.name);
    try {
      await Promise.all(victims.map((victim) => endOne(victim, needs, node)));
      for (const other of nominations.below(needs.priority, node.name)) {
        nominations.delete(other.key);
        await nominate(client, other.pod, undefined, signal);
      }
      await nominate(client, needs.pod, node.name, signal);
    } catch (error) {
      if (signal.aborted) return;
      nominations.delete(needs.key);
      logger.warn('room could not be made', { pod: needs.key, node: node.name, error });
    }
  }

  async function endOne(victim: PodNeeds, needs: PodNeeds, node: NodeState): Promise<void> {
    // It may have gone by itself.
    await endVictim(client, victim.pod, needs.pod, { clock, signal }).catch((error: unknown) => {
      if (!(error instanceof ApiStatusError && error.code === 404)) throw error;
    });
    recorder.event(
      victim.pod,
      'Normal',
      'Preempted',
      `Preempted by pod ${needs.pod.metadata.uid} on node ${node.name}`,
    );
  }

  async function bind(queued: QueuedPod, { name }: NodeState): Promise<void> {
    const { key, pod } = queued.needs;
    try {
      await bindPod(client, pod, name, signal);
      recorder.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${key} to ${name}`);
    } catch (error) {
      onBindFailed(queued, error);
    } finally {
      bindings -= 1;
      wake();
    }
  }

  function onBindFailed(queued: QueuedPod, error: unknown): void {
    const { key, pod } = queued.needs;
    if (signal.aborted || !assumed.delete(key)) return;
    cluster.removePod(key);
    queue.onEvent('pod-removed');
    logger.warn('binding failed', { pod: key, error });
    if (error instanceof ApiStatusError && error.code === 404) return;
    recorder.event(
      pod,
      'Warning',
      'FailedScheduling',
      `binding rejected: ${error instanceof Error ? error.message : error}`,
    );
    queue.putBackoff(queued);
  }

  function track(request: Promise<void>): void {
    const tracked = request.finally(() => requests.delete(tracked));
    requests.add(tracked);
  }

  /** One timer for the earliest pod that is due. */
  function setAlarm(at: number | undefined): void {
    if (alarm !== undefined && (at === undefined || alarm.at !== at)) {
      alarm.stop.abort();
      alarm = undefined;
    }
    if (at === undefined || alarm !== undefined) return;
    const stop = new AbortController();
    alarm = { at, stop };
    clock.sleep(Math.max(0, at - clock.now()), stop.signal).then(
      () => {
        alarm = undefined;
        wake();
      },
      () => undefined,
    );
  }
}

/** Whether nothing changed that scheduling looks at. */
function sameNeeds(pod: Stored<Pod>, previous: Stored<Pod>): boolean {
  return (
    (pod.spec === previous.spec || JSON.stringify(pod.spec) === JSON.stringify(previous.spec)) &&
    JSON.stringify(pod.metadata.labels) === JSON.stringify(previous.metadata.labels) &&
    pod.metadata.deletionTimestamp === previous.metadata.deletionTimestamp
  );
}
