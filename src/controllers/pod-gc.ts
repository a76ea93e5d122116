// pod-garbage-collector: removes pods that no node will ever finish. Keys say which question to ask:
//   node/NAME    the node is gone: after a quarantine and a live look, its pods are failed and deleted
//   pod/NS/NAME  being deleted, but never on a node, or on a node that an operator declared out of service
//   finished     more finished pods than the threshold: the oldest go

import { kinds, type Node, type Pod, type Stored, timestamp } from '../api/index.ts';
import { ApiStatusError, keyOf } from '../client/index.ts';
import { batch, later, patch, remove } from './actions.ts';
import {
  type Action,
  type Controller,
  type Index,
  type LiveReader,
  needs,
  type View,
  type World,
  watch,
} from './controller.ts';
import { readyStatus } from './node-taints.ts';
import { isFinished, needsPodsByNode, podsByNode, withPodCondition } from './pod-state.ts';
import { timeOf } from './wire-time.ts';

const outOfService = 'node.kubernetes.io/out-of-service';
const finishedKey = 'finished';

const finishedPods: Index<Pod> = {
  kind: kinds.pod,
  name: 'finished',
  valuesOf: (pod) => (isFinished(pod) ? [finishedKey] : []),
};

export const podGcController: Controller = {
  name: 'pod-garbage-collector-controller',
  indexes: [needsPodsByNode, needs(finishedPods)],
  watches: [
    watch(kinds.pod, keysOfPod),
    watch(kinds.node, (node, view, { type }) => [
      ...(type === 'updated' ? [] : [`node/${node.metadata.name}`]),
      ...(isOutOfService(node)
        ? view.byIndex(podsByNode, node.metadata.name).flatMap((pod) => keysOfPod(pod, view))
        : []),
    ]),
  ],
  reconcile(key, world) {
    const { view, options, now } = world;
    if (key === finishedKey)
      return collectFinished(view.byIndex(finishedPods, finishedKey), options.terminatedPodThreshold);
    if (key.startsWith('node/')) return lookAtNode(key.slice('node/'.length), world);
    const pod = view.get(kinds.pod, key.slice('pod/'.length));
    return pod === undefined ? [] : collectStuck(pod, view.get(kinds.node, pod.spec?.nodeName ?? ''), now);
  },
};

function keysOfPod(pod: Stored<Pod>, view: View): readonly string[] {
  const { nodeName = '' } = pod.spec ?? {};
  const node = view.get(kinds.node, nodeName);
  const isDeleting = pod.metadata.deletionTimestamp !== undefined;
  return [
    ...(nodeName !== '' && node === undefined ? [`node/${nodeName}`] : []),
    ...(isDeleting && (nodeName === '' || (node !== undefined && isOutOfService(node))) ? [`pod/${keyOf(pod)}`] : []),
    ...(isFinished(pod) ? [finishedKey] : []),
  ];
}

function isOutOfService(node: Node): boolean {
  return (node.spec?.taints ?? []).some(({ key }) => key === outOfService);
}

async function lookAtNode(
  name: string,
  { view, live, options, now, unchangedSince }: World,
): Promise<readonly Action[]> {
  const isThere = view.get(kinds.node, name) !== undefined;
  const since = unchangedSince(name, isThere ? 'there' : 'absent');
  const pods = view.byIndex(podsByNode, name);
  if (isThere || pods.length === 0) return [];
  const wait = since + options.orphanQuarantine - now;
  if (wait > 0) return [later(wait)];
  return (await isNodeGone(name, live)) ? collectOrphans(pods, now) : [];
}

async function isNodeGone(name: string, live: LiveReader): Promise<boolean> {
  try {
    await live.get(kinds.node, { name });
    return false;
  } catch (error) {
    if (error instanceof ApiStatusError && error.reason === 'NotFound') return true;
    throw error;
  }
}

export function collectOrphans(pods: readonly Stored<Pod>[], now: number): readonly Action[] {
  return pods.flatMap((pod) => failAndDelete(pod, 'PodGC: node no longer exists', now));
}

/** @param node where the pod was put; undefined when nowhere */
export function collectStuck(pod: Stored<Pod>, node: Stored<Node> | undefined, now: number): readonly Action[] {
  if (pod.metadata.deletionTimestamp === undefined) return [];
  if ((pod.spec?.nodeName ?? '') === '') return failAndDelete(pod, 'PodGC: pod was deleted before it got a node', now);
  if (node === undefined || !isOutOfService(node) || readyStatus(node) === 'True') return [];
  return failAndDelete(pod, 'PodGC: node is out of service', now);
}

/** The oldest of the finished pods past the threshold; 0 keeps all. */
export function collectFinished(pods: readonly Stored<Pod>[], threshold: number): readonly Action[] {
  const finished = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const excess = finished.length - threshold;
  if (threshold <= 0 || excess <= 0) return [];
  const oldest = [...finished].sort(
    (a, b) => timeOf(a.metadata.creationTimestamp) - timeOf(b.metadata.creationTimestamp),
  );
  return [batch(oldest.slice(0, excess).map(forceDelete))];
}

function failAndDelete(pod: Stored<Pod>, message: string, now: number): readonly Action[] {
  if (isFinished(pod)) return [forceDelete(pod)];
  const condition = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC', message };
  const conditions = withPodCondition(pod, condition, timestamp(now));
  const status = { phase: 'Failed', conditions };
  return [patch(kinds.pod, pod, { status }, { subresource: 'status' }), forceDelete(pod)];
}

/** No kubelet is left to end the pod's grace period. */
function forceDelete(pod: Stored<Pod>): Action {
  return remove(kinds.pod, pod, { options: { gracePeriodSeconds: 0 } });
}
