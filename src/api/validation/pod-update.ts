// How a pod may change: directly, and through `ephemeralcontainers`. Source: kubernetes pkg/apis/core/validation
// (ValidatePodUpdate, ValidatePodEphemeralContainersUpdate, validateNodeAffinityMutation).

import { type FieldError, forbidden, invalid } from '../field-error.ts';
import type { Container, Pod, PodSpec, Toleration } from '../types.ts';
import { mirrorAnnotation, validatePodAnnotationsUpdate } from './pod-annotations.ts';
import { sameJson } from './rules.ts';

type Fields = Readonly<Record<string, unknown>>;
type NodeAffinity = NonNullable<PodSpec['affinity']>['nodeAffinity'];

const maxInt32 = 2_147_483_647;
const mutable =
  '`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

const noSpec: PodSpec = Object.freeze({ containers: [] });

export function annotationChanges({ metadata }: Pod, { metadata: old }: Pod): FieldError[] {
  return validatePodAnnotationsUpdate(metadata?.annotations ?? {}, old?.annotations ?? {});
}

export function validatePodUpdate(pod: Pod, before: Pod): readonly FieldError[] {
  const errors = annotationChanges(pod, before);
  const { spec = noSpec } = pod;
  const { spec: old = noSpec } = before;
  for (const list of ['containers', 'initContainers'] as const) {
    const now = spec[list] ?? [];
    if (now.length !== (old[list] ?? []).length) {
      errors.push(forbidden(`spec.${list}`, 'pod updates may not add or remove containers'));
      return errors;
    }
  }
  const { activeDeadlineSeconds: deadline } = spec;
  const at = 'spec.activeDeadlineSeconds';
  if (deadline !== undefined) {
    if (deadline < 0 || deadline > maxInt32) {
      errors.push(invalid(at, deadline, `must be between 0 and ${maxInt32}, inclusive`));
      return errors;
    }
    if (old.activeDeadlineSeconds !== undefined && deadline > old.activeDeadlineSeconds) {
      errors.push(invalid(at, deadline, 'must be less than or equal to previous value'));
      return errors;
    }
  } else if (old.activeDeadlineSeconds !== undefined) {
    errors.push(invalid(at, 'null', 'must not update from a positive integer to nil value'));
  }
  const kept = (old.tolerations ?? []).every((toleration) =>
    (spec.tolerations ?? []).some((one) => sameToleration(one, toleration)),
  );
  if (!kept) {
    errors.push(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'));
  }
  errors.push(...addedGates(spec, old));
  const gated = (old.schedulingGates ?? []).length > 0;
  if (gated) errors.push(...whereItRuns(spec, old));
  const [now, then] = [fixed(spec, old, gated), fixed(old, old, gated)];
  if (!sameJson(now, then)) {
    errors.push(forbidden('spec', `pod updates may not change fields other than ${mutable}\n${difference(now, then)}`));
  }
  return errors;
}

/** Which fields differ, as upstream shows it: what was asked for, then what is there. */
function difference(now: Fields, then: Fields): string {
  const lines = [...new Set([...Object.keys(then), ...Object.keys(now)])]
    .filter((key) => !sameJson(now[key], then[key]))
    .flatMap((key) => {
      const name = `${key.charAt(0).toUpperCase()}${key.slice(1)}`;
      const shown = (value: unknown): string => (value === undefined ? 'nil' : JSON.stringify(value));
      return [`- \t${name}: ${shown(now[key])},`, `+ \t${name}: ${shown(then[key])},`];
    });
  return ['  core.PodSpec{', ...lines, '  }', ''].join('\n');
}

function addedGates({ schedulingGates = [] }: PodSpec, { schedulingGates: before = [] }: PodSpec): FieldError[] {
  return schedulingGates.flatMap(({ name }, index) => {
    if (before.some((gate) => gate.name === name)) return [];
    const why = `only deletion is allowed, but found new scheduling gate '${name}'`;
    return [forbidden(`spec.schedulingGates[${index}].name`, why)];
  });
}

/** While gates hold a pod, it may still be told where to run, but more narrowly only. */
function whereItRuns(spec: PodSpec, old: PodSpec): FieldError[] {
  const errors: FieldError[] = [];
  const selector = spec.nodeSelector ?? {};
  if (Object.entries(old.nodeSelector ?? {}).some(([key, value]) => selector[key] !== value)) {
    const why = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
    errors.push(invalid('spec.nodeSelector', selector, why));
  }
  const at = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';
  const before = termsOf(old.affinity?.nodeAffinity);
  const now = termsOf(spec.affinity?.nodeAffinity);
  if (before.length > 0 && before.length !== now.length) {
    const why = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed';
    return [...errors, invalid(at, now, why)];
  }
  for (const [index, term] of before.entries()) {
    const { matchExpressions = [], matchFields = [] } = now[index] ?? {};
    const { matchExpressions: expressions = [], matchFields: fields = [] } = term;
    const empty = expressions.length === 0 && fields.length === 0;
    const narrowed = empty
      ? matchExpressions.length === 0 && matchFields.length === 0
      : sameJson(matchExpressions.slice(0, expressions.length), expressions) &&
        sameJson(matchFields.slice(0, fields.length), fields);
    if (narrowed) continue;
    errors.push(invalid(`${at}[${index}]`, now[index], 'only additions are allowed (no mutations or deletions)'));
  }
  return errors;
}

function termsOf(
  affinity: NodeAffinity,
): NonNullable<NonNullable<NodeAffinity>['requiredDuringSchedulingIgnoredDuringExecution']>['nodeSelectorTerms'] {
  return affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
}

/** A pod's spec without what an update may change; of a gated pod also without what rules of their own speak of. */
function fixed(spec: PodSpec, old: PodSpec, gated: boolean): Fields {
  const { activeDeadlineSeconds: _deadline, tolerations: _tolerations, schedulingGates: _gates, ...others } = spec;
  const {
    containers = [],
    initContainers = [],
    nodeSelector,
    affinity,
    terminationGracePeriodSeconds: grace,
    ...rest
  } = others;
  const { nodeAffinity, ...otherAffinity } = affinity ?? {};
  const wasNegative = (old.terminationGracePeriodSeconds ?? 0) < 0;
  return {
    ...rest,
    containers: containers.map(withoutImage),
    initContainers: initContainers.map(withoutImage),
    nodeSelector: gated ? undefined : nodeSelector,
    affinity: gated ? otherAffinity : affinity,
    terminationGracePeriodSeconds: wasNegative && grace === 1 ? old.terminationGracePeriodSeconds : grace,
  };
}

function withoutImage({ image: _image, ...rest }: Container): unknown {
  return rest;
}

function sameToleration(a: Toleration, b: Toleration): boolean {
  return a.key === b.key && a.operator === b.operator && a.value === b.value && a.effect === b.effect;
}

/** Ephemeral containers are only ever added. */
export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): readonly FieldError[] {
  if (old.metadata?.annotations?.[mirrorAnnotation] !== undefined) {
    return [forbidden('', 'static pods do not support ephemeral containers')];
  }
  const errors = annotationChanges(pod, old);
  const now = pod.spec?.ephemeralContainers ?? [];
  for (const one of old.spec?.ephemeralContainers ?? []) {
    const other = now.find(({ name }) => name === one.name);
    if (other !== undefined && sameJson(other, one)) continue;
    const what = other === undefined ? 'removed' : 'changed';
    const why = `existing ephemeral containers ${JSON.stringify(one.name)} may not be ${what}\n`;
    errors.push(forbidden('spec.ephemeralContainers', why));
  }
  return errors;
}
