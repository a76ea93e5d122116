// Keeping N pods of a template alive: what ReplicaSets and ReplicationControllers share. They differ only in their
// selector's form, so everything here works on the fields they have in common.

import {
  type KindOf,
  type KubeObject,
  kinds,
  type Pod,
  type PodTemplateSpec,
  type Stored,
  timestamp,
} from '../api/index.ts';
import { batch, create, later, remove, updateSubresource } from './actions.ts';
import type { Action, Failure } from './controller.ts';
import { isSame } from './equality.ts';
import { containsLabels } from './labels.ts';
import { claim, controllerRefTo } from './ownership.ts';
import { deletionOrder } from './pod-ranking.ts';
import { availableAt, isActive, isReady } from './pod-state.ts';

/** Creations and deletions of one look; as upstream's BurstReplicas. */
const burst = 500;

interface ReplicasCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

interface ReplicasStatus {
  readonly replicas: number;
  readonly fullyLabeledReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly observedGeneration?: number;
  readonly conditions?: readonly ReplicasCondition[];
}

/** The common fields of ReplicaSet and ReplicationController. */
export interface Replicated extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly minReadySeconds?: number;
    readonly template?: PodTemplateSpec;
  };
  readonly status?: ReplicasStatus;
}

export interface ReplicasRequest<T extends Replicated> {
  readonly kind: KindOf<T>;
  readonly owner: Stored<T>;
  readonly matches: (pod: Stored<Pod>) => boolean;
  /** Pods that the owner controls, and pods that nobody controls. */
  readonly candidates: readonly Stored<Pod>[];
  /** Active pods of the whole application, for ranking; the owner's own are added. */
  readonly related: () => readonly Pod[];
  readonly failure: Failure | undefined;
  readonly now: number;
}

export function reconcileReplicas<T extends Replicated>(request: ReplicasRequest<T>): readonly Action[] {
  const { kind, owner, matches, failure, now } = request;
  const candidates = request.candidates.filter(isActive);
  const { owned, actions: claims } = claim({ ownerKind: kind, owner, kind: kinds.pod, candidates, matches });
  const missing = (owner.spec?.replicas ?? 1) - owned.length;
  const manage = owner.metadata.deletionTimestamp === undefined ? changeReplicas(request, owned, missing) : [];
  const status = statusOf(owner, owned, missing === 0 ? undefined : failure, now);
  const report = isSame(status, owner.status)
    ? []
    : [updateSubresource<KubeObject>(kind, 'status', { ...owner, status } as Stored<KubeObject>)];
  const wait = nextAvailability(owner, owned, now);
  // After a failure the status goes first: what follows is likely to fail again.
  const ordered = failure === undefined ? [...manage, ...report] : [...report, ...manage];
  return [...claims, ...(wait === undefined ? [] : [later(wait)]), ...ordered];
}

function changeReplicas<T extends Replicated>(
  { kind, owner, related, now }: ReplicasRequest<T>,
  owned: readonly Stored<Pod>[],
  missing: number,
): readonly Action[] {
  if (missing === 0) return [];
  if (missing > 0) {
    const one = createPod(kind, owner);
    return [batch(Array.from({ length: Math.min(missing, burst) }, () => one))];
  }
  const ids = new Set(owned.map(({ metadata }) => metadata.uid));
  const others = related().filter((pod) => isActive(pod) && !ids.has(pod.metadata?.uid ?? ''));
  const order = deletionOrder({ pods: owned, related: [...owned, ...others], now });
  return [batch(order.slice(0, Math.min(-missing, burst)).map((pod) => deletePod(owner, pod)))];
}

function createPod<T extends Replicated>(kind: KindOf<T>, owner: Stored<T>): Action {
  return create(kinds.pod, podFrom(kind, owner, owner.spec?.template), {
    about: owner,
    done: (pod) => ({
      type: 'Normal',
      reason: 'SuccessfulCreate',
      message: `Created pod: ${pod?.metadata?.name}`,
    }),
    failed: (message) => ({ type: 'Warning', reason: 'FailedCreate', message: `Error creating: ${message}` }),
  });
}

function deletePod(owner: KubeObject, pod: Stored<Pod>): Action {
  return remove(kinds.pod, pod, {
    event: {
      about: owner,
      done: () => ({ type: 'Normal', reason: 'SuccessfulDelete', message: `Deleted pod: ${pod.metadata.name}` }),
      failed: (message) => ({ type: 'Warning', reason: 'FailedDelete', message: `Error deleting: ${message}` }),
    },
  });
}

/** A pod of `template`, controlled by `owner` and named after it by the API server. */
function podFrom<T extends KubeObject>(kind: KindOf<T>, owner: Stored<T>, template: PodTemplateSpec | undefined): Pod {
  const { labels, annotations, finalizers } = template?.metadata ?? {};
  const { namespace, name } = owner.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [controllerRefTo(kind, owner)],
    },
    ...(template?.spec === undefined ? {} : { spec: template.spec }),
  };
}

function statusOf(
  owner: Stored<Replicated>,
  owned: readonly Stored<Pod>[],
  failure: Failure | undefined,
  now: number,
): ReplicasStatus {
  const { minReadySeconds = 0, template } = owner.spec ?? {};
  const templateLabels = template?.metadata?.labels ?? {};
  const fullyLabeled = owned.filter((pod) => containsLabels(pod.metadata.labels, templateLabels)).length;
  const ready = owned.filter(isReady).length;
  const available = owned.filter(
    (pod) => (availableAt(pod, minReadySeconds) ?? Number.POSITIVE_INFINITY) <= now,
  ).length;
  const conditions = conditionsOf(owner.status?.conditions ?? [], failure, now);
  const generation = owner.metadata.generation;
  return {
    replicas: owned.length,
    ...(fullyLabeled === 0 ? {} : { fullyLabeledReplicas: fullyLabeled }),
    ...(ready === 0 ? {} : { readyReplicas: ready }),
    ...(available === 0 ? {} : { availableReplicas: available }),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}

function conditionsOf(
  current: readonly ReplicasCondition[],
  failure: Failure | undefined,
  now: number,
): readonly ReplicasCondition[] {
  const others = current.filter(({ type }) => type !== 'ReplicaFailure');
  const held = current.find(({ type }) => type === 'ReplicaFailure');
  const reason = failure?.action === 'delete' ? 'FailedDelete' : 'FailedCreate';
  if (failure === undefined || (failure.action !== 'create' && failure.action !== 'delete')) return others;
  // As upstream: the first failure stays until it is over, so that its time and message are those of the cause.
  if (held?.reason === reason) return current;
  const { message } = failure;
  return [...others, { type: 'ReplicaFailure', status: 'True', reason, message, lastTransitionTime: timestamp(now) }];
}

/** How long until the next pod has been ready for minReadySeconds, ms. */
function nextAvailability(owner: Replicated, owned: readonly Pod[], now: number): number | undefined {
  const { minReadySeconds = 0 } = owner.spec ?? {};
  const waits = owned.map((pod) => (availableAt(pod, minReadySeconds) ?? 0) - now).filter((wait) => wait > 0);
  return waits.length === 0 ? undefined : Math.min(...waits);
}
