// A Deployment's history: which ReplicaSet is the current revision, what a new one looks like, and which old ones may go.
// Revisions are numbers in annotations; a rollback is an old template that becomes the newest revision again, and its
// earlier numbers stay readable in revision-history. kubectl rollout history, undo and status read just these.

import { type Deployment, kinds, type PodTemplateSpec, type ReplicaSet, type Stored } from '../api/index.ts';
import { remove } from './actions.ts';
import type { Action } from './controller.ts';
import { canonical } from './equality.ts';
import { nameHash } from './name-hash.ts';
import { controllerRefTo } from './ownership.ts';
import { timeOf } from './wire-time.ts';

export const revisionAnnotation = 'deployment.kubernetes.io/revision';
const historyAnnotation = 'deployment.kubernetes.io/revision-history';
export const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas';
export const maxAnnotation = 'deployment.kubernetes.io/max-replicas';
const hashLabel = 'pod-template-hash';

/** Annotations of the Deployment that its ReplicaSets do not get. */
const ownAnnotations = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  maxAnnotation,
]);

/** Longest revision-history, characters; upstream's bound for one annotation. */
const longestHistory = 2000;

export function oldestFirst(sets: readonly Stored<ReplicaSet>[]): readonly Stored<ReplicaSet>[] {
  return [...sets].sort(
    (a, b) =>
      timeOf(a.metadata.creationTimestamp) - timeOf(b.metadata.creationTimestamp) ||
      (a.metadata.name < b.metadata.name ? -1 : 1),
  );
}

/** The set that has the Deployment's present template; the oldest, should there be several. */
export function currentSet(
  deployment: Deployment,
  sets: readonly Stored<ReplicaSet>[],
): Stored<ReplicaSet> | undefined {
  const wanted = templateText(deployment.spec?.template);
  return oldestFirst(sets).find((set) => templateText(set.spec?.template) === wanted);
}

/** A template as text that is equal for equal templates, whatever hash label they carry. */
function templateText(template: PodTemplateSpec | undefined): string {
  const { labels = {}, creationTimestamp: _never, ...metadata } = template?.metadata ?? {};
  const { [hashLabel]: _hash, ...own } = labels;
  return canonical({ ...template, metadata: { ...metadata, labels: own } });
}

export function revisionOf(set: ReplicaSet): number {
  const revision = Number(set.metadata?.annotations?.[revisionAnnotation] ?? '0');
  return Number.isSafeInteger(revision) ? revision : 0;
}

export function nextRevision(oldSets: readonly ReplicaSet[]): number {
  return Math.max(0, ...oldSets.map(revisionOf)) + 1;
}

/** What the current set's annotations should be; a set that becomes current again keeps its earlier numbers as history. */
export function annotationsFor(
  deployment: Deployment,
  set: ReplicaSet | undefined,
  revision: number,
): Readonly<Record<string, string>> {
  const copied = Object.entries(deployment.metadata?.annotations ?? {}).filter(([key]) => !ownAnnotations.has(key));
  const present = set?.metadata?.annotations ?? {};
  const annotations = { ...present, ...Object.fromEntries(copied) };
  const old = present[revisionAnnotation];
  if (set !== undefined && revisionOf(set) >= revision) return annotations;
  const numbered = { ...annotations, [revisionAnnotation]: String(revision) };
  return old === undefined ? numbered : { ...numbered, [historyAnnotation]: extended(present[historyAnnotation], old) };
}

function extended(history: string | undefined, revision: string): string {
  let numbers = history === undefined || history === '' ? [revision] : [...history.split(','), revision];
  while (numbers.join(',').length > longestHistory) numbers = numbers.slice(1);
  return numbers.join(',');
}

/** desired-replicas and max-replicas: what the set was last sized for, so that scaling can be told from rolling. */
export function sizeAnnotations(deployment: Deployment, surge: number): Readonly<Record<string, string>> {
  const desired = deployment.spec?.replicas ?? 1;
  return { [desiredAnnotation]: String(desired), [maxAnnotation]: String(desired + surge) };
}

export function newSetName(deployment: Stored<Deployment>): string {
  return `${deployment.metadata.name}-${templateHash(deployment)}`;
}

export interface NewSetRequest {
  readonly deployment: Stored<Deployment>;
  readonly revision: number;
  readonly replicas: number;
  readonly surge: number;
}

export function newSet({ deployment, revision, replicas, surge }: NewSetRequest): ReplicaSet {
  const { template, selector, minReadySeconds } = deployment.spec ?? {};
  const labels = { ...template?.metadata?.labels, [hashLabel]: templateHash(deployment) };
  const { namespace } = deployment.metadata;
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: newSetName(deployment),
      ...(namespace === undefined ? {} : { namespace }),
      labels,
      annotations: { ...annotationsFor(deployment, undefined, revision), ...sizeAnnotations(deployment, surge) },
      ownerReferences: [controllerRefTo(kinds.deployment, deployment)],
    },
    spec: {
      replicas,
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: {
        ...selector,
        matchLabels: { ...selector?.matchLabels, [hashLabel]: templateHash(deployment) },
      },
      template: { ...template, metadata: { ...template?.metadata, labels } },
    },
  };
}

/** Old sets past revisionHistoryLimit, the oldest revision first; those with pods stay whatever the limit. */
export function expiredSets(deployment: Deployment, oldSets: readonly Stored<ReplicaSet>[]): readonly Action[] {
  const limit = deployment.spec?.revisionHistoryLimit;
  if (limit === undefined) return [];
  const alive = oldSets.filter((set) => set.metadata.deletionTimestamp === undefined);
  const excess = alive.length - limit;
  if (excess <= 0) return [];
  return [...alive]
    .sort((a, b) => revisionOf(a) - revisionOf(b))
    .slice(0, excess)
    .filter((set) => isEmpty(set))
    .map((set) => remove(kinds.replicaSet, set, { options: { propagationPolicy: 'Background' } }));
}

function isEmpty({ metadata, spec, status }: Stored<ReplicaSet>): boolean {
  const isObserved = (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0);
  return (status?.replicas ?? 0) === 0 && (spec?.replicas ?? 1) === 0 && isObserved;
}

/** Only its stability matters: sets are found by template. */
function templateHash(deployment: Deployment): string {
  const collisions = deployment.status?.collisionCount;
  return nameHash(`${templateText(deployment.spec?.template)}${collisions === undefined ? '' : `\n${collisions}`}`);
}
