// All pods of this node: one record each, worked through a queue that never has the same pod twice. What brings a pod to
// the queue: the cluster changed it, the runtime reported something, a probe changed its mind, a task ended, a time came.
// Once a minute the runtime is listed as a whole, in case an event was lost; that is the only thing done without cause.

import { readdir } from 'node:fs/promises';
import type { Pod, Stored } from '../../api/index.ts';
import { createBackoff, messageOf } from '../../base/index.ts';
import { createWorkQueue, type Informer } from '../../client/index.ts';
import { type NodeRoom, whyUnfit } from './fit.ts';
import { nameOf } from './identity.ts';
import { listRuntimePods, type RuntimePodSummary } from './observe.ts';
import { createRecord, type PodRecord, referenceTo } from './record.ts';
import { allocatedPod } from './resize.ts';
import { podRequests } from './resources.ts';
import { isLeaving, refreshVolumes, syncPod } from './sync.ts';
import type { PodWorld } from './world.ts';

export interface Pods {
  /** Works until the signal of the world aborts. */
  run(informer: Informer<Pod>): Promise<void>;
  list(): readonly PodRecord[];
  find(namespace: string, name: string): PodRecord | undefined;
  /** Something that the pod depends on has changed. */
  changed(uid: string): void;
  /** A ConfigMap or Secret that the pod uses has changed. */
  referencesChanged(uid: string): void;
}

const parallelPods = 16;
const relistEvery = 60_000;

/** @param room what the node has, and its labels; asked for each pod that comes new. */
export function createPods(world: PodWorld, room: () => Omit<NodeRoom, 'others'>): Pods {
  const { cri, clock, logger, signal } = world;
  const records = new Map<string, PodRecord>();
  /** Container or sandbox id → pod uid. */
  const owners = new Map<string, string>();
  const queue = createWorkQueue({
    name: 'pods',
    work,
    parallel: parallelPods,
    initialDelay: 100,
    maxDelay: 5000,
    logger,
    clock,
  });

  return {
    async run(informer) {
      const left = await untilListed();
      await informer.synced(signal);
      for (const pod of informer.list()) take(pod, left.has(nameOf(pod).uid));
      for (const orphan of await orphans(left)) adopt(orphan);
      informer.addHandler({ added: (pod) => take(pod, false), updated: (pod) => take(pod, false), deleted: drop });
      await Promise.all([queue.run(signal), followRuntime(), relist()]);
    },
    list: () => [...records.values()],
    find: (namespace, name) =>
      [...records.values()].find(
        ({ pod, inCluster }) => inCluster && nameOf(pod).name === name && nameOf(pod).namespace === namespace,
      ),
    changed: (uid) => queue.add(uid),
    referencesChanged(uid) {
      const record = records.get(uid);
      if (record === undefined) return;
      for (const memo of record.memos.values()) memo.retryAt = 0;
      void refreshVolumes(world, record);
      queue.add(uid);
    },
  };

  async function work(uid: string): Promise<void> {
    const record = records.get(uid);
    if (record === undefined) return;
    if (record.removed) {
      noteRoom(record);
      if (!record.inCluster) records.delete(uid);
      return;
    }
    const refresh = world.tokens.refreshAt(uid);
    if (refresh !== undefined && refresh <= clock.now()) await refreshVolumes(world, record);
    await syncPod(world, record, {
      again: (key, ms = 0) => (ms <= 0 ? queue.add(key) : queue.addAfter(key, ms)),
      seen: (key, ids) => {
        for (const id of ids) owners.set(id, key);
      },
      others,
    });
    noteRoom(record);
  }

  /** Pods that wait for room to grow look again when another one takes less than it did. */
  function noteRoom(record: PodRecord): void {
    const held = heldBy(record);
    if (held === record.held) return;
    record.held = held;
    for (const { uid, resize } of records.values()) if (resize.pending?.reason === 'Deferred') queue.add(uid);
  }

  /** The pods but this one that have not ended, as they are allocated. */
  function others(uid: string): readonly Pod[] {
    return [...records.values()].filter((one) => one.uid !== uid && !hasEnded(one)).map(allocatedPod);
  }

  function take(pod: Stored<Pod>, stale: boolean): void {
    const { uid } = nameOf(pod);
    const known = records.get(uid);
    if (known === undefined) {
      const record = createRecord(pod, { now: clock.now(), inCluster: true, stale });
      if (!stale) admit(record);
      records.set(uid, record);
    } else {
      const labels = labelsOf(known.pod);
      known.pod = pod;
      // Files of the downward API say what labels and annotations are.
      if (labels !== labelsOf(pod)) void refreshVolumes(world, known);
      // A start under way is of no use to a pod that has to go.
      if (isLeaving(known)) known.starting?.abort();
    }
    queue.add(uid);
  }

  function admit(record: PodRecord): void {
    const { pod } = record;
    if (pod.metadata?.deletionTimestamp !== undefined || (pod.status?.containerStatuses ?? []).length > 0) return;
    if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return;
    record.verdict = whyUnfit(pod, { ...room(), others: others(record.uid) });
    if (record.verdict !== undefined) {
      world.events.record(referenceTo(pod), 'Warning', record.verdict.reason, record.verdict.message);
    }
  }

  function drop(pod: Stored<Pod>): void {
    const record = records.get(nameOf(pod).uid);
    if (record === undefined) return;
    record.pod = pod;
    record.inCluster = false;
    record.starting?.abort();
    world.status.forget(record.uid);
    queue.add(record.uid);
  }

  /** Takes what an earlier agent left of a pod that the cluster no longer has, to end it. */
  function adopt({ uid, name, namespace }: Pick<RuntimePodSummary, 'uid' | 'name' | 'namespace'>): void {
    if (records.has(uid)) return;
    const pod: Pod = { metadata: { uid, name, namespace }, spec: { containers: [] } };
    records.set(uid, createRecord(pod, { now: clock.now(), inCluster: false, stale: true }));
    queue.add(uid);
  }

  async function orphans(left: ReadonlyMap<string, RuntimePodSummary>) {
    const folders = await readdir(world.paths.pods).catch(() => []);
    const found = folders.map((uid) => left.get(uid) ?? { uid, name: '', namespace: '' });
    return [...found, ...left.values()];
  }

  async function untilListed(): Promise<ReadonlyMap<string, RuntimePodSummary>> {
    const backoff = createBackoff({ initial: 100, max: 5000 });
    for (;;) {
      try {
        return await listRuntimePods(cri);
      } catch (error) {
        signal.throwIfAborted();
        logger.warn('container runtime not ready yet', { error: messageOf(error) });
        await clock.sleep(backoff.next(), signal);
      }
    }
  }

  async function followRuntime(): Promise<void> {
    const backoff = createBackoff({ initial: 100, max: 5000 });
    while (!signal.aborted) {
      try {
        for await (const { type, id } of cri.events(signal)) {
          backoff.reset();
          const uid = owners.get(id);
          const record = uid === undefined ? undefined : records.get(uid);
          if (type === 'deleted') owners.delete(id);
          if (record === undefined) continue;
          if (type === 'stopped') record.exits.set(id, 0);
          record.stale = true;
          queue.add(record.uid);
        }
      } catch (error) {
        if (!signal.aborted) logger.warn('runtime events ended, subscribing again', { error: messageOf(error) });
      }
      await clock.sleep(backoff.next(), signal).catch(() => undefined);
      await compareAll();
    }
  }

  async function relist(): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(relistEvery, signal).catch(() => undefined);
      await compareAll();
    }
  }

  /** Looks again at every pod that the runtime shows differently from how it was seen. */
  async function compareAll(): Promise<void> {
    if (signal.aborted) return;
    try {
      const there = await listRuntimePods(cri);
      for (const orphan of there.values()) if (!records.has(orphan.uid)) adopt(orphan);
      for (const record of records.values()) {
        const parts = there.get(record.uid)?.parts ?? new Map<string, string>();
        const seen = new Map<string, string>([
          ...record.runtime.sandboxes.map(({ id, ready }) => [id, ready ? 'ready' : 'notReady'] as const),
          ...record.runtime.containers.map(({ id, state }) => [id, state] as const),
        ]);
        if (parts.size === seen.size && [...parts].every(([id, state]) => seen.get(id) === state)) continue;
        record.stale = true;
        queue.add(record.uid);
      }
      for (const [id, uid] of owners) if (there.get(uid)?.parts.has(id) !== true) owners.delete(id);
    } catch (error) {
      if (!signal.aborted) logger.debug('runtime not listed', { error: messageOf(error) });
    }
  }
}

function labelsOf({ metadata }: Pod): string {
  return JSON.stringify([metadata?.labels, metadata?.annotations]);
}

/** What the pod takes of the node, for comparison. */
function heldBy(record: PodRecord): string {
  return hasEnded(record) ? '' : Object.values(podRequests(allocatedPod(record))).join();
}

function hasEnded({ pod, tornDown, verdict }: PodRecord): boolean {
  return tornDown || verdict !== undefined || pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}
