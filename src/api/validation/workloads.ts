// Deployments, ReplicaSets, StatefulSets and DaemonSets. Source: kubernetes pkg/apis/apps/validation.

import { type FieldError, forbidden, invalid, notSupported, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import { compileLabelSelector } from '../selectors/labels.ts';
import type {
  DaemonSet,
  Deployment,
  LabelSelector,
  PodTemplate,
  PodTemplateSpec,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
} from '../types.ts';
import { validateAnnotations } from './metadata.ts';
import { validatePodSpec } from './pod-spec.ts';
import { amount, immutable, nonNegative, oneOf, sameJson, validLabelSelector, validLabels } from './rules.ts';

const apps = 'io.k8s.api.apps.v1';
const deploymentStrategies = valuesOf(`${apps}.DeploymentStrategy`, 'type');
const daemonStrategies = valuesOf(`${apps}.DaemonSetUpdateStrategy`, 'type');
const setStrategies = valuesOf(`${apps}.StatefulSetUpdateStrategy`, 'type');
const managements = valuesOf(`${apps}.StatefulSetSpec`, 'podManagementPolicy');
const retention = 'io.k8s.api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy';
const retentions = {
  whenDeleted: valuesOf(retention, 'whenDeleted'),
  whenScaled: valuesOf(retention, 'whenScaled'),
};

export function validateDeployment({ spec }: Deployment): readonly FieldError[] {
  if (spec === undefined) return [required('spec.selector'), required('spec.template')];
  const errors = [
    ...nonNegative('spec.replicas', spec.replicas),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
    ...validateTemplate('deployment', spec.selector, spec.template),
    ...validateStrategy(spec.strategy),
  ];
  const deadline = spec.progressDeadlineSeconds;
  errors.push(...nonNegative('spec.progressDeadlineSeconds', deadline));
  if (deadline !== undefined && deadline <= (spec.minReadySeconds ?? 0)) {
    errors.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
  }
  return errors;
}

export function validateDeploymentUpdate({ spec }: Deployment, { spec: old }: Deployment): readonly FieldError[] {
  return immutable('spec.selector', spec?.selector, old?.selector);
}

function validateStrategy(strategy: NonNullable<Deployment['spec']>['strategy']): FieldError[] {
  const field = 'spec.strategy';
  const { type = '', rollingUpdate } = strategy ?? {};
  if (type === 'Recreate') {
    return rollingUpdate === undefined
      ? []
      : [forbidden(`${field}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'")];
  }
  if (type !== 'RollingUpdate') return [notSupported(`${field}.type`, type, deploymentStrategies())];
  const { maxSurge, maxUnavailable } = rollingUpdate ?? {};
  const errors = [
    ...amount(`${field}.rollingUpdate.maxUnavailable`, maxUnavailable),
    ...amount(`${field}.rollingUpdate.maxSurge`, maxSurge),
  ];
  if (isNothing(maxUnavailable) && isNothing(maxSurge)) {
    errors.push(invalid(`${field}.rollingUpdate.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
  }
  if (typeof maxUnavailable === 'string' && Number.parseInt(maxUnavailable, 10) > 100) {
    errors.push(invalid(`${field}.rollingUpdate.maxUnavailable`, maxUnavailable, 'must not be greater than 100%'));
  }
  return errors;
}

function isNothing(value: number | string | undefined): boolean {
  return value === 0 || value === '0%';
}

export function validateReplicaSet({ spec }: ReplicaSet): readonly FieldError[] {
  if (spec === undefined) return [required('spec.selector'), required('spec.template')];
  return [
    ...nonNegative('spec.replicas', spec.replicas),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...validateTemplate('replicaset', spec.selector, spec.template),
  ];
}

export function validateReplicaSetUpdate({ spec }: ReplicaSet, { spec: old }: ReplicaSet): readonly FieldError[] {
  return immutable('spec.selector', spec?.selector, old?.selector);
}

export function validateDaemonSet({ spec }: DaemonSet): readonly FieldError[] {
  if (spec === undefined) return [required('spec.selector'), required('spec.template')];
  return [
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
    ...oneOf('spec.updateStrategy.type', spec.updateStrategy?.type, daemonStrategies()),
    ...validateTemplate('daemonset', spec.selector, spec.template),
    ...amount('spec.updateStrategy.rollingUpdate.maxUnavailable', spec.updateStrategy?.rollingUpdate?.maxUnavailable),
    ...amount('spec.updateStrategy.rollingUpdate.maxSurge', spec.updateStrategy?.rollingUpdate?.maxSurge),
  ];
}

export function validateDaemonSetUpdate({ spec }: DaemonSet, { spec: old }: DaemonSet): readonly FieldError[] {
  return immutable('spec.selector', spec?.selector, old?.selector);
}

export function validateStatefulSet({ spec }: StatefulSet): readonly FieldError[] {
  if (spec === undefined) return [required('spec.selector'), required('spec.template')];
  return [
    ...nonNegative('spec.replicas', spec.replicas),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...nonNegative('spec.updateStrategy.rollingUpdate.partition', spec.updateStrategy?.rollingUpdate?.partition),
    ...nonNegative('spec.ordinals.start', spec.ordinals?.start),
    ...validateStatefulStrategies(spec),
    ...validateTemplate('statefulset', spec.selector, spec.template, claimNames(spec)),
  ];
}

function validateStatefulStrategies(spec: NonNullable<StatefulSet['spec']>): FieldError[] {
  const { updateStrategy, podManagementPolicy: policy, persistentVolumeClaimRetentionPolicy: claims } = spec;
  const errors: FieldError[] = [];
  if (policy !== undefined && !managements().includes(policy)) {
    errors.push(invalid('spec.podManagementPolicy', policy, eitherOf(managements())));
  }
  const type = updateStrategy?.type ?? '';
  if (type === 'OnDelete' && updateStrategy?.rollingUpdate !== undefined) {
    const why = "only allowed for updateStrategy 'RollingUpdate'";
    errors.push(invalid('spec.updateStrategy.rollingUpdate', updateStrategy.rollingUpdate, why));
  } else if (!setStrategies().includes(type)) {
    errors.push(invalid('spec.updateStrategy', updateStrategy, eitherOf(setStrategies())));
  }
  for (const key of ['whenDeleted', 'whenScaled'] as const) {
    errors.push(...oneOf(`spec.persistentVolumeClaimRetentionPolicy.${key}`, claims?.[key], retentions[key]()));
  }
  return errors;
}

/** What upstream says of a StatefulSet where other kinds list their values. */
function eitherOf([first, second]: readonly string[]): string {
  return `must be '${first}' or '${second}'`;
}

function claimNames(spec: NonNullable<StatefulSet['spec']>): readonly string[] {
  return (spec.volumeClaimTemplates ?? []).flatMap(({ metadata }) => metadata?.name ?? []);
}

const statefulSetMutable = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

export function validateStatefulSetUpdate({ spec }: StatefulSet, { spec: old }: StatefulSet): readonly FieldError[] {
  const fixed = (value: object | undefined): unknown =>
    Object.fromEntries(Object.entries(value ?? {}).filter(([key]) => !statefulSetMutable.includes(key)));
  if (sameJson(fixed(spec), fixed(old))) return [];
  return [
    forbidden(
      'spec',
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ),
  ];
}

/** Its selector is a plain map of labels, which may not be empty. */
export function validateReplicationController({ spec }: ReplicationController): readonly FieldError[] {
  const { selector = {}, template } = spec ?? {};
  const errors = [
    ...nonNegative('spec.replicas', spec?.replicas),
    ...nonNegative('spec.minReadySeconds', spec?.minReadySeconds),
  ];
  if (Object.keys(selector).length === 0) errors.push(required('spec.selector'));
  return [...errors, ...validateTemplate('replicationcontroller', { matchLabels: selector }, template)].filter(
    ({ field, type }) => field !== 'spec.selector' || type === 'Required',
  );
}

export function validatePodTemplate({ template }: PodTemplate): readonly FieldError[] {
  if (template === undefined) return [required('template')];
  return [
    ...validLabels('template.metadata.labels', template.metadata?.labels),
    ...validateAnnotations('template.metadata.annotations', template.metadata?.annotations),
    ...validatePodSpec('template.spec', template.spec),
  ];
}

/** `claims`: volumes that every pod gets beside those of the template. */
function validateTemplate(
  owner: string,
  selector: LabelSelector | undefined,
  template: PodTemplateSpec | undefined,
  claims: readonly string[] = [],
): FieldError[] {
  const errors: FieldError[] = [];
  if (selector === undefined) errors.push(required('spec.selector'));
  else {
    const wrong = validLabelSelector('spec.selector', selector);
    errors.push(...wrong);
    const empty = Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0;
    if (empty) errors.push(invalid('spec.selector', selector, `empty selector is invalid for ${owner}`));
    else if (wrong.length === 0 && !compileLabelSelector(selector).matches(template?.metadata?.labels)) {
      errors.push(
        invalid(
          'spec.template.metadata.labels',
          template?.metadata?.labels ?? {},
          '`selector` does not match template `labels`',
        ),
      );
    }
  }
  if (template === undefined) return [...errors, required('spec.template')];
  errors.push(...validLabels('spec.template.metadata.labels', template.metadata?.labels));
  errors.push(...validateAnnotations('spec.template.metadata.annotations', template.metadata?.annotations));
  errors.push(...validatePodSpec('spec.template.spec', template.spec, claims));
  const restart = template.spec?.restartPolicy;
  if (restart !== undefined && restart !== 'Always') {
    errors.push(notSupported('spec.template.spec.restartPolicy', restart, ['Always']));
  }
  return errors;
}
