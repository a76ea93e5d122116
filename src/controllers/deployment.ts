// Deployment: rolls a template out through ReplicaSets, one a template. A look at a Deployment does one step: grow the new
// set, or shrink old ones, or tidy the history; the ReplicaSets' own events bring the next look. The parts are in
// deployment-revisions.ts (history), deployment-scaling.ts (sizes) and deployment-status.ts (conditions).

import { type Deployment, kinds, type Pod, type ReplicaSet, type Stored } from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { announce, create, later, patch, update, updateSubresource } from './actions.ts';
import { type Action, type Announcement, type Controller, type Failure, type View, watch } from './controller.ts';
import {
  annotationsFor,
  currentSet,
  expiredSets,
  newSet,
  newSetName,
  nextRevision,
  revisionAnnotation,
  sizeAnnotations,
} from './deployment-revisions.ts';
import {
  allToZero,
  boundsOf,
  isScaling,
  replicasOf,
  rollingNewSize,
  rollingOldSizes,
  type Sets,
  type Sizes,
  scaledSizes,
  sizeOf,
} from './deployment-scaling.ts';
import { deploymentStatus, isComplete, progressCheckIn, type StatusRequest } from './deployment-status.ts';
import { isSame } from './equality.ts';
import { selectorOf } from './labels.ts';
import { claim, controllerOf, orphansOf } from './ownership.ts';
import { isFinished, needsPodsByController, podsByController } from './pod-state.ts';
import { needsReplicaSetsByController, replicaSetsByController } from './replicaset.ts';

export const deploymentController: Controller = {
  name: 'deployment-controller',
  parallel: 10,
  indexes: [needsPodsByController, needsReplicaSetsByController],
  watches: [
    watch(kinds.deployment, (deployment) => [keyOf(deployment)]),
    watch(kinds.replicaSet, deploymentsOf),
    watch(kinds.pod, (pod, view, { type }) => (type === 'deleted' || isFinished(pod) ? recreatingFor(pod, view) : [])),
  ],
  reconcile(key, { view, failure, now }) {
    const deployment = view.get(kinds.deployment, key);
    if (deployment === undefined) return [];
    const name = `${deployment.metadata.namespace}/${newSetName(deployment)}`;
    return reconcileDeployment({
      deployment,
      candidates: [
        ...view.byIndex(replicaSetsByController, deployment.metadata.uid),
        ...view.byIndex(replicaSetsByController, orphansOf(deployment.metadata.namespace)),
      ],
      holderOfNewName: view.get(kinds.replicaSet, name),
      podsOf: (set) => view.byIndex(podsByController, set.metadata.uid),
      failure,
      now,
    });
  },
};

function deploymentsOf(set: Stored<ReplicaSet>, view: View): readonly string[] {
  const { namespace, labels } = set.metadata;
  const controller = controllerOf(set);
  if (controller !== undefined) return controller.kind === 'Deployment' ? [`${namespace}/${controller.name}`] : [];
  return view
    .list(kinds.deployment, namespace)
    .filter((deployment) => selectorOf(deployment.spec?.selector).matches(labels))
    .map(keyOf);
}

/** A Deployment with strategy Recreate waits for pods to be gone, which no ReplicaSet's status tells exactly. */
function recreatingFor(pod: Stored<Pod>, view: View): readonly string[] {
  const owner = controllerOf(pod);
  if (owner?.kind !== 'ReplicaSet') return [];
  const set = view.get(kinds.replicaSet, `${pod.metadata.namespace}/${owner.name}`);
  const keys = set === undefined ? [] : deploymentsOf(set, view);
  return keys.filter((key) => view.get(kinds.deployment, key)?.spec?.strategy?.type === 'Recreate');
}

export interface DeploymentRequest {
  readonly deployment: Stored<Deployment>;
  /** ReplicaSets that the Deployment controls, and ones that nobody controls. */
  readonly candidates: readonly Stored<ReplicaSet>[];
  /** The ReplicaSet that has the name which the next new one would get. */
  readonly holderOfNewName: Stored<ReplicaSet> | undefined;
  readonly podsOf: (set: Stored<ReplicaSet>) => readonly Pod[];
  readonly failure: Failure | undefined;
  readonly now: number;
}

export function reconcileDeployment(request: DeploymentRequest): readonly Action[] {
  const { deployment, candidates } = request;
  const selector = selectorOf(deployment.spec?.selector);
  if (selector.everything) return refuseEmptySelector(deployment);
  const { owned, actions: claims } = claim({
    ownerKind: kinds.deployment,
    owner: deployment,
    kind: kinds.replicaSet,
    candidates,
    matches: (set) => selector.matches(set.metadata.labels),
  });
  const current = currentSet(deployment, owned);
  const old = owned.filter((set) => set !== current);
  const step = { ...request, current, old, sets: owned };
  if (deployment.metadata.deletionTimestamp !== undefined) return [...claims, ...report(step, false, undefined)];
  if (deployment.spec?.paused === true || isScaling(deployment, owned)) return [...claims, ...scale(step)];
  return [...claims, ...(deployment.spec?.strategy?.type === 'Recreate' ? recreate(step) : roll(step))];
}

interface Step extends DeploymentRequest {
  readonly current: Stored<ReplicaSet> | undefined;
  readonly old: Sets;
  readonly sets: Sets;
}

function refuseEmptySelector(deployment: Stored<Deployment>): readonly Action[] {
  const { generation } = deployment.metadata;
  const text = {
    type: 'Warning',
    reason: 'SelectingAll',
    message: 'This deployment is selecting all pods. A non-empty selector is required.',
  } as const;
  const status = { ...deployment.status, ...(generation === undefined ? {} : { observedGeneration: generation }) };
  const isSeen = isSame(status, deployment.status);
  return [
    announce(deployment, text),
    ...(isSeen ? [] : [updateSubresource(kinds.deployment, 'status', { ...deployment, status })]),
  ];
}

/** Paused, or spec.replicas changed: sizes only, no new ReplicaSet and no judgement of progress. */
function scale(step: Step): readonly Action[] {
  const { deployment, current, old } = step;
  const sizes = scaledSizes(deployment, current, old);
  const tidy = deployment.spec?.paused === true ? expiredSets(deployment, old) : [];
  return [...resize(step, sizes, true), ...tidy, ...report(step, false, undefined)];
}

function roll(step: Step): readonly Action[] {
  const { deployment, current, old } = step;
  const size = rollingNewSize(deployment, sizeOf(current), old);
  if (current === undefined) return startRevision(step, size);
  const grown = size !== sizeOf(current);
  const sizes = grown ? new Map([[current.metadata.uid, size]]) : rollingOldSizes(deployment, current, old);
  return [...resize(step, sizes, false), ...tidyWhenComplete(step), ...report(step, true, undefined)];
}

function recreate(step: Step): readonly Action[] {
  const { deployment, current, old } = step;
  const shrink = allToZero(old);
  if (shrink.size > 0) return [...resize(step, shrink, false), ...report(step, true, undefined)];
  const isWaiting = old.some(
    (set) => (set.status?.replicas ?? 0) > 0 || step.podsOf(set).some((pod) => !isFinished(pod)),
  );
  if (isWaiting) return [...resize(step, new Map(), false), ...report(step, true, undefined)];
  const size = replicasOf(deployment);
  if (current === undefined) return startRevision(step, size);
  return [
    ...resize(step, new Map([[current.metadata.uid, size]]), false),
    ...tidyWhenComplete(step),
    ...report(step, true, undefined),
  ];
}

function tidyWhenComplete({ deployment, old }: Step): readonly Action[] {
  return isComplete(deployment, deployment.status) ? expiredSets(deployment, old) : [];
}

function startRevision(step: Step, replicas: number): readonly Action[] {
  const { deployment, old, holderOfNewName, failure } = step;
  if (holderOfNewName !== undefined) {
    // The name is taken by a set of another template or owner: count the collision, which changes the hash.
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
    const status = { ...deployment.status, collisionCount };
    return [updateSubresource(kinds.deployment, 'status', { ...deployment, status })];
  }
  const { surge } = boundsOf(deployment);
  const revision = nextRevision(old);
  const set = newSet({ deployment, revision, replicas, surge });
  const name = newSetName(deployment);
  const start = create(kinds.replicaSet, set, {
    about: deployment,
    ...(replicas === 0 ? {} : { done: () => scaled(name, 0, replicas) }),
    failed: (message) => ({
      type: 'Warning',
      reason: 'ReplicaSetCreateError',
      message: `Failed to create new replica set "${name}": ${message}`,
    }),
  });
  const tell = report(step, true, name);
  return failure === undefined ? [start, ...tell] : [...tell, start];
}

/** Updates sets whose size, annotations or minReadySeconds are not as they should be. */
function resize(step: Step, sizes: Sizes, renewSizeAnnotations: boolean): readonly Action[] {
  const { deployment, current, old, sets } = step;
  const annotations = sizeAnnotations(deployment, boundsOf(deployment).surge);
  const revision = nextRevision(old);
  return sets.flatMap((set) => {
    const size = sizes.get(set.metadata.uid) ?? sizeOf(set);
    const isChanged = size !== sizeOf(set);
    const base = set === current ? annotationsFor(deployment, set, revision) : set.metadata.annotations;
    const renew = isChanged || (renewSizeAnnotations && sizes.has(set.metadata.uid) && size > 0);
    const wanted = {
      ...set,
      metadata: { ...set.metadata, annotations: renew ? { ...base, ...annotations } : base },
      spec: { ...set.spec, replicas: size, ...(set === current ? { minReadySeconds: readySeconds(deployment) } : {}) },
    } as Stored<ReplicaSet>;
    if (isSame(wanted, { ...set, spec: { ...set.spec, replicas: sizeOf(set), ...ownReadySeconds(set, current) } })) {
      return [];
    }
    const event: Announcement | undefined = isChanged
      ? { about: deployment, done: () => scaled(set.metadata.name, sizeOf(set), size) }
      : undefined;
    return [update(kinds.replicaSet, wanted, event)];
  });
}

function readySeconds(deployment: Deployment): number {
  return deployment.spec?.minReadySeconds ?? 0;
}

/** An absent minReadySeconds is 0; written out, so that comparing does not see a difference. */
function ownReadySeconds(set: ReplicaSet, current: ReplicaSet | undefined): { readonly minReadySeconds?: number } {
  return set === current ? { minReadySeconds: set.spec?.minReadySeconds ?? 0 } : {};
}

function scaled(name: string, from: number, to: number): ReturnType<NonNullable<Announcement['done']>> {
  const direction = to > from ? 'up' : 'down';
  return {
    type: 'Normal',
    reason: 'ScalingReplicaSet',
    message: `Scaled ${direction} replica set ${name} from ${from} to ${to}`,
  };
}

function report(step: Step, isRollout: boolean, creates: string | undefined): readonly Action[] {
  const { deployment, current, sets, failure, now } = step;
  const request: StatusRequest = { deployment, newSet: current, sets, isRollout, creates, failure, now };
  const status = deploymentStatus(request);
  const wait = progressCheckIn(deployment, status, now);
  return [
    ...(wait === undefined ? [] : [later(wait)]),
    ...(isSame(status, deployment.status)
      ? []
      : [updateSubresource(kinds.deployment, 'status', { ...deployment, status })]),
    ...writeRevision(step, creates),
  ];
}

/**
 * The Deployment shows its current revision in an annotation. A merge patch without a resourceVersion, after the status:
 * the other way round the status would meet a version that this very look had made.
 */
function writeRevision({ deployment, current, old }: Step, creates: string | undefined): readonly Action[] {
  if (current === undefined && creates === undefined) return [];
  const annotations = annotationsFor(deployment, current, nextRevision(old));
  const revision = annotations[revisionAnnotation];
  if (deployment.metadata.annotations?.[revisionAnnotation] === revision) return [];
  return [patch(kinds.deployment, deployment, { metadata: { annotations: { [revisionAnnotation]: revision } } })];
}
