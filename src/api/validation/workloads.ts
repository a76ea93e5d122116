// Deployments, ReplicaSets, StatefulSets, DaemonSets, ReplicationControllers and PodTemplates.
// Source: kubernetes pkg/apis/apps/validation, pkg/apis/core/validation.

import { type FieldError, forbidden, invalid, notSupported, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import { compileLabelMap } from '../selectors/labels.ts';
import type {
  DaemonSet,
  Deployment,
  IntOrString,
  PodTemplate,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
} from '../types.ts';
import { whyNotDnsLabel } from './names.ts';
import { validateClaimSpec } from './persistent-volumes.ts';
import { mismatch, selects, validateEndless, validatePodTemplateSpec, validateSelected } from './pod-template.ts';
import { amount, each, immutable, invalidFor, nonNegative, oneOf, sameJson, validLabelSelector } from './rules.ts';

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

type DeploymentSpec = NonNullable<Deployment['spec']>;
type ReplicaSetSpec = NonNullable<ReplicaSet['spec']>;
type StatefulSetSpec = NonNullable<StatefulSet['spec']>;
type DaemonSetSpec = NonNullable<DaemonSet['spec']>;

export function validateDeployment({ spec = {} as DeploymentSpec }: Deployment): readonly FieldError[] {
  const { minReadySeconds = 0, progressDeadlineSeconds: deadline } = spec;
  const errors = [
    ...nonNegative('spec.replicas', spec.replicas),
    ...validateReplicated(spec),
    ...validateStrategy(spec.strategy),
    ...nonNegative('spec.minReadySeconds', minReadySeconds),
    ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
    ...nonNegative('spec.progressDeadlineSeconds', deadline),
  ];
  if (deadline !== undefined && deadline <= minReadySeconds) {
    errors.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
  }
  return errors;
}

export function validateDeploymentUpdate({ spec }: Deployment, { spec: old }: Deployment): readonly FieldError[] {
  return immutable('spec.selector', spec?.selector, old?.selector);
}

/** Deployments and ReplicaSets are told the same, in the same words. */
function validateReplicated({ selector, template }: DeploymentSpec | ReplicaSetSpec): FieldError[] {
  return validateSelected({
    selector,
    template,
    empty: 'empty selector is invalid for deployment',
    broken: 'invalid label selector',
    validate: (one) => [
      ...validatePodTemplateSpec('spec.template', one),
      ...validateEndless('spec.template', 'ReplicaSet', one),
    ],
  });
}

function validateStrategy(strategy: DeploymentSpec['strategy']): FieldError[] {
  const field = 'spec.strategy';
  const { type = '', rollingUpdate } = strategy ?? {};
  if (type === 'Recreate') {
    return rollingUpdate === undefined
      ? []
      : [forbidden(`${field}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'")];
  }
  if (type !== 'RollingUpdate') return [notSupported(field, strategy, deploymentStrategies())];
  const { maxSurge, maxUnavailable } = rollingUpdate ?? {};
  const at = `${field}.rollingUpdate.maxUnavailable`;
  const errors = [...amount(at, maxUnavailable), ...amount(`${field}.rollingUpdate.maxSurge`, maxSurge)];
  if (isNothing(maxUnavailable) && isNothing(maxSurge)) {
    errors.push(invalid(at, maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
  }
  errors.push(...notMoreThanAll(at, maxUnavailable));
  return errors;
}

/** Absent, 0, 0%, or text that is neither number nor percentage: upstream reads them all as 0. */
function isNothing(value: IntOrString | undefined): boolean {
  return typeof value === 'number' ? value === 0 : !(Number.parseInt(value ?? '', 10) > 0);
}

export function validateReplicaSet({ spec = {} as ReplicaSetSpec }: ReplicaSet): readonly FieldError[] {
  return [
    ...nonNegative('spec.replicas', spec.replicas),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...validateReplicated(spec),
  ];
}

export function validateReplicaSetUpdate({ spec }: ReplicaSet, { spec: old }: ReplicaSet): readonly FieldError[] {
  return immutable('spec.selector', spec?.selector, old?.selector);
}

/** A DaemonSet without selector selects nothing, so that it is the template which does not match. */
export function validateDaemonSet({ spec = {} as DaemonSetSpec }: DaemonSet): readonly FieldError[] {
  const { selector, template } = spec;
  const errors = validLabelSelector('spec.selector', selector);
  if (errors.length === 0 && !selects(selector, template)) errors.push(mismatch('spec.template', template));
  if (
    selector !== undefined &&
    Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0
  ) {
    errors.push(invalid('spec.selector', selector, 'empty selector is invalid for daemonset'));
  }
  return [
    ...errors,
    ...validatePodTemplateSpec('spec.template', template),
    ...validateEndless('spec.template', 'DaemonSet', template),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...validateDaemonStrategy(spec.updateStrategy),
    ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
  ];
}

function validateDaemonStrategy(strategy: DaemonSetSpec['updateStrategy']): FieldError[] {
  const field = 'spec.updateStrategy';
  const { type = '', rollingUpdate } = strategy ?? {};
  if (type === 'OnDelete') return [];
  if (type !== 'RollingUpdate') return [notSupported(field, strategy, daemonStrategies())];
  const { maxUnavailable, maxSurge } = rollingUpdate ?? {};
  const [unavailable, surge] = [`${field}.rollingUpdate.maxUnavailable`, `${field}.rollingUpdate.maxSurge`];
  const errors = [
    ...amount(unavailable, maxUnavailable),
    ...amount(surge, maxSurge),
    ...notMoreThanAll(unavailable, maxUnavailable),
    ...notMoreThanAll(surge, maxSurge),
  ];
  if (isNothing(maxUnavailable)) {
    if (isNothing(maxSurge)) errors.push(required(unavailable, 'cannot be 0 when maxSurge is 0'));
  } else if (!isNothing(maxSurge)) {
    errors.push(invalid(surge, maxSurge, 'may not be set when maxUnavailable is non-zero'));
  }
  return errors;
}

export function validateDaemonSetUpdate({ spec }: DaemonSet, { spec: old }: DaemonSet): readonly FieldError[] {
  return immutable('spec.selector', spec?.selector, old?.selector);
}

export function validateStatefulSet({ spec = {} as StatefulSetSpec }: StatefulSet): readonly FieldError[] {
  return [
    ...validateStatefulStrategies(spec),
    ...each('spec.volumeClaimTemplates', spec.volumeClaimTemplates, ({ spec: claim }, at) =>
      validateClaimSpec(`${at}.spec`, claim),
    ),
    ...nonNegative('spec.replicas', spec.replicas),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...nonNegative('spec.ordinals.start', spec.ordinals?.start),
    ...validateSelected({
      selector: spec.selector,
      template: spec.template,
      empty: 'empty selector is invalid for statefulset',
      broken: '',
      validate: (one) => validatePodTemplateSpec('spec.template', one, claimNames(spec)),
    }),
    ...validateEndless('spec.template', 'StatefulSet', spec.template),
  ];
}

/** Its pods are found below the name of a Service. */
export function validateNewStatefulSet({ spec }: StatefulSet): readonly FieldError[] {
  const name = spec?.serviceName;
  return name ? invalidFor('spec.serviceName', name, whyNotDnsLabel(name)) : [];
}

function validateStatefulStrategies(spec: StatefulSetSpec): FieldError[] {
  const { updateStrategy, podManagementPolicy: policy, persistentVolumeClaimRetentionPolicy: claims } = spec;
  const errors: FieldError[] = [];
  if (policy !== undefined && !managements().includes(policy)) {
    errors.push(invalid('spec.podManagementPolicy', policy, eitherOf(managements())));
  }
  const { type = '', rollingUpdate } = updateStrategy ?? {};
  const field = 'spec.updateStrategy';
  if (type === 'OnDelete') {
    const why = "only allowed for updateStrategy 'RollingUpdate'";
    if (rollingUpdate !== undefined) errors.push(invalid(`${field}.rollingUpdate`, rollingUpdate, why));
  } else if (type === 'RollingUpdate') {
    const at = `${field}.rollingUpdate.maxUnavailable`;
    errors.push(...nonNegative(`${field}.rollingUpdate.partition`, rollingUpdate?.partition));
    const { maxUnavailable } = rollingUpdate ?? {};
    errors.push(...amount(at, maxUnavailable));
    if (maxUnavailable !== undefined && isNothing(maxUnavailable)) {
      errors.push(invalid(at, maxUnavailable, 'cannot be 0'));
    }
    errors.push(...notMoreThanAll(at, maxUnavailable));
  } else errors.push(invalid(field, updateStrategy, eitherOf(setStrategies())));
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

/** Its selector is a plain map of labels, which may not be empty and of which no more is asked. */
export function validateReplicationController({ spec }: ReplicationController): readonly FieldError[] {
  const { selector = {}, template } = spec ?? {};
  const errors = nonNegative('spec.minReadySeconds', spec?.minReadySeconds);
  const empty = Object.keys(selector).length === 0;
  if (empty) errors.push(required('spec.selector'));
  errors.push(...nonNegative('spec.replicas', spec?.replicas));
  const field = 'spec.template';
  if (template === undefined) return [...errors, required(field)];
  if (!(empty || compileLabelMap(selector).matches(template.metadata?.labels))) errors.push(mismatch(field, template));
  return [
    ...errors,
    ...validatePodTemplateSpec(field, template),
    ...validateEndless(field, 'ReplicationController', template),
  ];
}

export function validatePodTemplate({ template }: PodTemplate): readonly FieldError[] {
  return validatePodTemplateSpec('template', template);
}

function notMoreThanAll(field: string, value: IntOrString | undefined): FieldError[] {
  const isMore = typeof value === 'string' && /^[0-9]+%$/.test(value) && Number.parseInt(value, 10) > 100;
  return isMore ? [invalid(field, value, 'must not be greater than 100%')] : [];
}
