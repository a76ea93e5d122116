// ControllerRevisions: the templates that a DaemonSet or StatefulSet has had. The newest number is the present template;
// kubectl rollout history and undo read them. A template that comes back is its old revision with a new number.
// `data` is a patch that puts the template back, as upstream writes it, because kubectl applies it.

import {
  type ControllerRevision,
  type KindOf,
  type KubeObject,
  kinds,
  type LabelSelector,
  type PodTemplateSpec,
  type Stored,
} from '../api/index.ts';
import { create, remove, update } from './actions.ts';
import { type Action, needs, type View } from './controller.ts';
import { canonical } from './equality.ts';
import { selectorOf } from './labels.ts';
import { nameHash } from './name-hash.ts';
import { byController, claim, controllerRefTo, orphansOf } from './ownership.ts';

export const revisionHashLabel = 'controller-revision-hash';
const hashLabel = 'controller.kubernetes.io/hash';

const revisionsByController = byController(kinds.controllerRevision);
export const needsRevisionsByController = needs(revisionsByController);

/** The common fields of DaemonSet and StatefulSet. */
export interface Revisioned extends KubeObject {
  readonly spec?: {
    readonly selector: LabelSelector;
    readonly template: PodTemplateSpec;
    readonly revisionHistoryLimit?: number;
  };
  readonly status?: { readonly collisionCount?: number };
}

export interface History {
  /** The revision of the present template, as it is or as it is about to be created. */
  readonly current: ControllerRevision & { readonly metadata: { readonly name: string } };
  /** Whether `current` is stored: until then nothing may be made of it. */
  readonly isStored: boolean;
  /** All that are stored, the oldest number first. */
  readonly stored: readonly Stored<ControllerRevision>[];
  /** Adopts, creates, renumbers. */
  readonly actions: readonly Action[];
}

export function historyOf<T extends Revisioned>(kind: KindOf<T>, owner: Stored<T>, view: View): History {
  const selector = selectorOf(owner.spec?.selector);
  const candidates = [
    ...view.byIndex(revisionsByController, owner.metadata.uid),
    ...view.byIndex(revisionsByController, orphansOf(owner.metadata.namespace)),
  ];
  const claimed = claim({
    ownerKind: kind,
    owner,
    kind: kinds.controllerRevision,
    candidates,
    matches: ({ metadata }) => selector.matches(metadata.labels),
  });
  return planHistory(kind, owner, claimed.owned, claimed.actions);
}

export function planHistory<T extends Revisioned>(
  kind: KindOf<T>,
  owner: Stored<T>,
  owned: readonly Stored<ControllerRevision>[],
  claims: readonly Action[] = [],
): History {
  const stored = [...owned].sort((a, b) => a.revision - b.revision);
  const data = templatePatch(owner.spec?.template);
  const text = canonical(data);
  const equal = stored.findLast((one) => canonical(one.data) === text);
  const newest = stored.at(-1)?.revision ?? 0;
  if (equal === undefined) {
    const current = newRevision(kind, owner, { data, revision: newest + 1 });
    const isDeleting = owner.metadata.deletionTimestamp !== undefined;
    return {
      current,
      isStored: false,
      stored,
      actions: isDeleting ? claims : [...claims, create(kinds.controllerRevision, current)],
    };
  }
  if (equal.revision === newest) return { current: equal, isStored: true, stored, actions: claims };
  const renumbered = update(kinds.controllerRevision, { ...equal, revision: newest + 1 });
  return { current: equal, isStored: true, stored, actions: [...claims, renumbered] };
}

function templatePatch(template: PodTemplateSpec | undefined): object {
  return { spec: { template: { ...template, $patch: 'replace' } } };
}

/** The template that a revision holds; undefined when it cannot be read. */
export function templateIn({ data }: ControllerRevision): PodTemplateSpec | undefined {
  const { spec } = (data ?? {}) as { readonly spec?: { readonly template?: PodTemplateSpec & { $patch?: string } } };
  if (spec?.template === undefined) return undefined;
  const { $patch: _replace, ...template } = spec.template;
  return template;
}

export function hashOf({ metadata }: ControllerRevision): string {
  return metadata?.labels?.[hashLabel] ?? metadata?.labels?.[revisionHashLabel] ?? '';
}

function newRevision<T extends Revisioned>(
  kind: KindOf<T>,
  owner: Stored<T>,
  made: { readonly data: object; readonly revision: number },
): History['current'] {
  const { name, namespace, annotations } = owner.metadata;
  const collisions = owner.status?.collisionCount ?? 0;
  const hash = nameHash(`${canonical(made.data)}${collisions === 0 ? '' : `\n${collisions}`}`);
  const { 'kubectl.kubernetes.io/last-applied-configuration': _applied, ...kept } = annotations ?? {};
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${name}-${hash}`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...owner.spec?.template.metadata?.labels, [hashLabel]: hash, [revisionHashLabel]: hash },
      annotations: kept,
      ownerReferences: [controllerRefTo(kind, owner)],
    },
    ...made,
  };
}

/** Revisions past revisionHistoryLimit that no pod has, the oldest first. */
export function expiredRevisions(
  owner: Revisioned,
  { stored, current }: History,
  inUse: ReadonlySet<string>,
): readonly Action[] {
  const { name } = current.metadata;
  const idle = stored.filter((one) => one.metadata.name !== name && !inUse.has(one.metadata.name));
  const excess = idle.length - (owner.spec?.revisionHistoryLimit ?? 10);
  return excess <= 0 ? [] : idle.slice(0, excess).map((one) => remove(kinds.controllerRevision, one));
}
