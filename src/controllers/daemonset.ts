// daemonset: one pod on each node that the template fits. Pods are made for a node and then scheduled like any other.
// Updates replace them node by node (daemonset-update.ts); the template's history is kept in revisions.ts.

import { type DaemonSet, kinds, type Node, type Pod, type Stored } from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { announce, batch, create, later, remove, updateSubresource } from './actions.ts';
import { type Action, type Controller, type View, watch } from './controller.ts';
import { daemonPod, nodeOf, tolerant } from './daemonset-pod.ts';
import { isAvailable, isUpdated, type NodePods, rolloutOf } from './daemonset-update.ts';
import { isSame } from './equality.ts';
import { selectorOf } from './labels.ts';
import { type Fit, fitOn } from './node-fit.ts';
import { claim, controllerOf, orphansOf } from './ownership.ts';
import { availableAt, isFinished, isReady, needsPodsByController, podsByController } from './pod-state.ts';
import {
  expiredRevisions,
  type History,
  hashOf,
  historyOf,
  needsRevisionsByController,
  revisionHashLabel,
} from './revisions.ts';
import { timeOf } from './wire-time.ts';

/** Creations and deletions of one look. */
const burst = 250;
/** A pod that ends by itself is replaced no sooner than this after it was made, ms. */
const replacementPause = 10_000;

export const daemonSetController: Controller = {
  name: 'daemonset-controller',
  parallel: 2,
  indexes: [needsPodsByController, needsRevisionsByController],
  watches: [
    watch(kinds.daemonSet, (set) => [keyOf(set)]),
    watch(kinds.pod, setsOf),
    watch(kinds.controllerRevision, ({ metadata }) => {
      const owner = metadata.ownerReferences?.find(
        ({ controller, kind }) => controller === true && kind === 'DaemonSet',
      );
      return owner === undefined ? [] : [`${metadata.namespace}/${owner.name}`];
    }),
    watch(kinds.node, (_node, view, { type, previous, object }) =>
      type === 'updated' && previous !== undefined && isSame(placeOf(previous), placeOf(object))
        ? []
        : view.list(kinds.daemonSet).map(keyOf),
    ),
  ],
  reconcile(key, { view, now }) {
    const set = view.get(kinds.daemonSet, key);
    if (set === undefined) return [];
    const selector = selectorOf(set.spec?.selector);
    const candidates = [
      ...view.byIndex(podsByController, set.metadata.uid),
      ...view.byIndex(podsByController, orphansOf(set.metadata.namespace)),
    ];
    const matches = (pod: Stored<Pod>): boolean => selector.matches(pod.metadata.labels);
    const { owned, actions } = claim({ ownerKind: kinds.daemonSet, owner: set, kind: kinds.pod, candidates, matches });
    const history = historyOf(kinds.daemonSet, set, view);
    const nodes = view.list(kinds.node);
    return [...actions, ...history.actions, ...reconcileDaemonSet({ set, pods: owned, nodes, history, now })];
  },
};

/** What of a node decides where daemons run. */
function placeOf({ metadata, spec }: Node): unknown {
  return [metadata?.labels, spec?.taints];
}

function setsOf(pod: Stored<Pod>, view: View): readonly string[] {
  const { namespace, labels } = pod.metadata;
  const owner = controllerOf(pod);
  if (owner !== undefined) return owner.kind === 'DaemonSet' ? [`${namespace}/${owner.name}`] : [];
  return view
    .list(kinds.daemonSet, namespace)
    .filter((set) => selectorOf(set.spec?.selector).matches(labels))
    .map(keyOf);
}

interface DaemonSetRequest {
  readonly set: Stored<DaemonSet>;
  readonly pods: readonly Stored<Pod>[];
  readonly nodes: readonly Stored<Node>[];
  readonly history: History;
  readonly now: number;
}

interface Place extends NodePods {
  readonly fit: Fit;
}

function reconcileDaemonSet(request: DaemonSetRequest): readonly Action[] {
  const { set, pods, history, now } = request;
  const hash = hashOf(history.current);
  const places = placesOf(request);
  const status = statusOf(request, places, hash);
  const report = isSame(status, set.status) ? [] : [updateSubresource(kinds.daemonSet, 'status', { ...set, status })];
  const wait = nextAvailability(set, pods, now);
  if (set.metadata.deletionTimestamp !== undefined) return report;
  const inUse = new Set(pods.map(({ metadata }) => `${set.metadata.name}-${metadata.labels?.[revisionHashLabel]}`));
  return [
    ...(wait === undefined ? [] : [later(wait)]),
    ...report,
    ...(history.isStored ? managePods(request, places, hash) : []),
    ...expiredRevisions(set, history, inUse),
  ];
}

function placesOf({ set, pods, nodes }: DaemonSetRequest): readonly Place[] {
  const byNode = Map.groupBy(pods, nodeOf);
  const spec = set.spec?.template.spec;
  const fitting = spec === undefined ? undefined : tolerant(spec);
  return nodes.map((node) => ({
    node: node.metadata.name,
    pods: oldestFirst(byNode.get(node.metadata.name) ?? []),
    fit: fitOn(node, fitting),
  }));
}

function oldestFirst(pods: readonly Stored<Pod>[]): readonly Stored<Pod>[] {
  const madeAt = ({ metadata }: Stored<Pod>): number => timeOf(metadata.creationTimestamp);
  return [...pods].sort((a, b) => madeAt(a) - madeAt(b) || (a.metadata.name < b.metadata.name ? -1 : 1));
}

function managePods(request: DaemonSetRequest, places: readonly Place[], hash: string): readonly Action[] {
  const { set, now } = request;
  const creations: string[] = [];
  const deletions: Stored<Pod>[] = [];
  const others: Action[] = [];
  for (const { node, pods, fit } of places) {
    if (!fit.stay) {
      deletions.push(...pods.filter(isAlive));
      continue;
    }
    if (fit.start && pods.length === 0) creations.push(node);
    const ended = pods.filter((pod) => isAlive(pod) && isFinished(pod));
    for (const pod of ended) {
      const left = timeOf(pod.metadata.creationTimestamp) + replacementPause - now;
      if (left > 0) others.push(later(left));
      else {
        deletions.push(pod);
        others.push(endedPod(set, pod, node));
      }
    }
    const running = pods.filter((pod) => isAlive(pod) && !isFinished(pod));
    deletions.push(...surplusOf(set, running, hash));
  }
  const strays = straysOf(request, places);
  if (set.spec?.updateStrategy?.type !== 'OnDelete') {
    const nodes = places.filter(({ fit }) => fit.start);
    const rollout = rolloutOf({ set, hash, nodes, now });
    deletions.push(...rollout.remove.filter((pod) => !deletions.includes(pod)));
    creations.push(...rollout.createOn);
  }
  return [
    ...others,
    batch([...deletions, ...strays].slice(0, burst).map((pod) => deletePod(set, pod))),
    batch(creations.slice(0, burst).map((node) => createPod(set, node, hash))),
  ].filter((action) => action.do !== 'batch' || action.actions.length > 0);
}

/** All but the oldest of each side of an update; without surge there is only one side. */
function surplusOf(set: DaemonSet, running: readonly Stored<Pod>[], hash: string): readonly Stored<Pod>[] {
  const surge = set.spec?.updateStrategy?.rollingUpdate?.maxSurge ?? 0;
  if (surge === 0 || surge === '0%' || set.spec?.updateStrategy?.type === 'OnDelete') return running.slice(1);
  const fresh = running.filter((pod) => isUpdated(pod, hash));
  const old = running.filter((pod) => !isUpdated(pod, hash));
  return [...fresh.slice(1), ...old.slice(1)];
}

/** Pods that wait for a node that is gone. */
function straysOf({ pods }: DaemonSetRequest, places: readonly Place[]): readonly Stored<Pod>[] {
  const known = new Set(places.map(({ node }) => node));
  return pods.filter((pod) => {
    const node = nodeOf(pod);
    return isAlive(pod) && (pod.spec?.nodeName ?? '') === '' && node !== undefined && !known.has(node);
  });
}

function isAlive({ metadata }: Stored<Pod>): boolean {
  return metadata.deletionTimestamp === undefined;
}

function endedPod(set: Stored<DaemonSet>, pod: Stored<Pod>, node: string): Action {
  const hasFailed = pod.status?.phase === 'Failed';
  const message = `Found ${hasFailed ? 'failed' : 'succeeded'} daemon pod ${keyOf(pod)} on node ${node}, will try to ${hasFailed ? 'kill' : 'delete'} it`;
  return announce(set, {
    type: hasFailed ? 'Warning' : 'Normal',
    reason: hasFailed ? 'FailedDaemonPod' : 'SucceededDaemonPod',
    message,
  });
}

function createPod(set: Stored<DaemonSet>, node: string, hash: string): Action {
  return create(kinds.pod, daemonPod(set, node, hash), {
    about: set,
    done: (pod) => ({ type: 'Normal', reason: 'SuccessfulCreate', message: `Created pod: ${pod?.metadata?.name}` }),
    failed: (message) => ({ type: 'Warning', reason: 'FailedCreate', message: `Error creating: ${message}` }),
  });
}

function deletePod(set: Stored<DaemonSet>, pod: Stored<Pod>): Action {
  return remove(kinds.pod, pod, {
    event: {
      about: set,
      done: () => ({ type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted pod: ${pod.metadata.name}` }),
      failed: (message) => ({ type: 'Warning', reason: 'FailedDelete', message: `Error deleting: ${message}` }),
    },
  });
}

function statusOf(
  { set, now }: DaemonSetRequest,
  places: readonly Place[],
  hash: string,
): NonNullable<DaemonSet['status']> {
  const meant = places.filter(({ fit }) => fit.start);
  const first = meant.map(({ pods }) => pods[0]).filter((pod) => pod !== undefined);
  const available = first.filter((pod) => isReady(pod) && isAvailable(pod, set, now)).length;
  const updated = first.filter((pod) => isUpdated(pod, hash)).length;
  const { generation } = set.metadata;
  const { collisionCount } = set.status ?? {};
  return {
    currentNumberScheduled: first.length,
    numberMisscheduled: places.filter(({ fit, pods }) => !fit.start && pods.length > 0).length,
    desiredNumberScheduled: meant.length,
    numberReady: first.filter(isReady).length,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(updated === 0 ? {} : { updatedNumberScheduled: updated }),
    ...(available === 0 ? {} : { numberAvailable: available }),
    ...(meant.length === available ? {} : { numberUnavailable: meant.length - available }),
    ...(collisionCount === undefined ? {} : { collisionCount }),
  };
}

/** How long until the next ready pod has been so for minReadySeconds, ms. */
function nextAvailability({ spec }: DaemonSet, pods: readonly Pod[], now: number): number | undefined {
  const waits = pods.map((pod) => (availableAt(pod, spec?.minReadySeconds ?? 0) ?? 0) - now).filter((wait) => wait > 0);
  return waits.length === 0 ? undefined : Math.min(...waits);
}
