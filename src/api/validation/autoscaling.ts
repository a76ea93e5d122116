// HorizontalPodAutoscalers. Those of v1 are judged as the v2 that they are stored as. Source: kubernetes pkg/apis/autoscaling/validation.

import { type FieldError, forbidden, invalid, notSupported, required } from '../field-error.ts';
import { parseQuantity, signOf } from '../quantity.ts';
import { valuesOf } from '../schema/values.ts';
import type { HorizontalPodAutoscaler } from '../types.ts';
import { whyNotDnsLabel, whyNotPathSegment } from './names.ts';
import { each, invalidFor, requireText } from './rules.ts';

const autoscaling = 'io.k8s.api.autoscaling.v2';
const metricTypes = valuesOf(`${autoscaling}.MetricSpec`, 'type');
const targetTypes = valuesOf(`${autoscaling}.MetricTarget`, 'type');
const choices = valuesOf(`${autoscaling}.HPAScalingRules`, 'selectPolicy');
const policyTypes = valuesOf(`${autoscaling}.HPAScalingPolicy`, 'type');

type Spec = NonNullable<HorizontalPodAutoscaler['spec']>;
type Metric = NonNullable<Spec['metrics']>[number];
type Rules = NonNullable<NonNullable<Spec['behavior']>['scaleUp']>;

export function validateHorizontalPodAutoscaler({ spec = {} as Spec }: HorizontalPodAutoscaler): readonly FieldError[] {
  return [
    ...validateRange(spec),
    // The one scalable kind of the core group.
    ...validateTarget(
      'spec.scaleTargetRef',
      spec.scaleTargetRef,
      spec.scaleTargetRef?.kind === 'ReplicationController',
    ),
    ...each('spec.metrics', spec.metrics, validateMetric),
    ...(spec.minReplicas === 0 && !spec.metrics?.some(({ type }) => type === 'Object' || type === 'External')
      ? [
          forbidden(
            'spec.metrics',
            'must specify at least one Object or External metric to support scaling to zero replicas',
          ),
        ]
      : []),
    ...validateRules('spec.behavior.scaleUp', spec.behavior?.scaleUp),
    ...validateRules('spec.behavior.scaleDown', spec.behavior?.scaleDown),
  ];
}

function validateRange({
  minReplicas = 1,
  maxReplicas = 0,
}: {
  minReplicas?: number;
  maxReplicas?: number;
}): FieldError[] {
  const errors: FieldError[] = [];
  if (minReplicas < 1) errors.push(invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'));
  if (maxReplicas < 1) errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0'));
  if (maxReplicas < minReplicas) {
    errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'));
  }
  return errors;
}

/** @param mayBeCore whether the group of its apiVersion can be left out. */
function validateTarget(field: string, target: Spec['scaleTargetRef'] | undefined, mayBeCore: boolean): FieldError[] {
  const errors = (['kind', 'name'] as const).flatMap((key) => {
    const value = target?.[key];
    return value ? invalidFor(`${field}.${key}`, value, whyNotPathSegment(value)) : [required(`${field}.${key}`)];
  });
  const version = target?.apiVersion ?? '';
  const parts = version === '/' ? [] : version.split('/');
  if (parts.length > 2) {
    errors.push(invalid(`${field}.apiVersion`, version, `unexpected GroupVersion string: ${version}`));
  } else if (!mayBeCore && (parts.length < 2 || parts[0] === '')) {
    errors.push(invalid(`${field}.apiVersion`, version, 'apiVersion must specify API group'));
  }
  return errors;
}

/** In the order in which they are looked for: of several only the first is looked into. */
const sources = [
  ['Object', 'object'],
  ['External', 'external'],
  ['Pods', 'pods'],
  ['Resource', 'resource'],
  ['ContainerResource', 'containerResource'],
] as const;

function validateMetric(metric: Metric, field: string): FieldError[] {
  const { type = '' } = metric;
  const errors = requireText(`${field}.type`, type, 'must specify a metric source type');
  const expected = sources.find(([name]) => name === type)?.[1];
  const present = sources.flatMap(([, source]) => (metric[source] === undefined ? [] : [source]));
  if (expected === undefined) errors.push(notSupported(`${field}.type`, type, metricTypes()));
  errors.push(...validateSource(metric, present[0], field));
  if (expected !== undefined && metric[expected] === undefined) {
    errors.push(required(`${field}.${expected}`, 'must populate information for the given metric source'));
  }
  if (present.length === 1) return errors;
  for (const source of present) {
    if (source !== expected) {
      errors.push(forbidden(`${field}.${source}`, 'must populate the given metric source only'));
    }
  }
  return errors;
}

function validateSource(
  { resource, containerResource, pods, object, external }: Metric,
  which: (typeof sources)[number][1] | undefined,
  field: string,
): FieldError[] {
  const at = `${field}.${which}`;
  if (which === 'object') {
    return [
      ...validateTarget(`${at}.describedObject`, object?.describedObject, true),
      ...validateIdentifier(`${at}.metric`, object?.metric),
      ...validateMetricTarget(`${at}.target`, object?.target),
      ...requireAmount(`${at}.target`, object?.target, 'must set either a target value or averageValue'),
    ];
  }
  if (which === 'external') {
    return [
      ...validateIdentifier(`${at}.metric`, external?.metric),
      ...validateExternal(`${at}.target`, external?.target),
    ];
  }
  if (which === 'pods') {
    const errors = [
      ...validateIdentifier(`${at}.metric`, pods?.metric),
      ...validateMetricTarget(`${at}.target`, pods?.target),
    ];
    return pods?.target?.averageValue === undefined
      ? [...errors, required(`${at}.target.averageValue`, 'must specify a positive target averageValue')]
      : errors;
  }
  if (which === 'resource') {
    return [
      ...requireText(`${at}.name`, resource?.name, 'must specify a resource name'),
      ...validateResourceTarget(`${at}.target`, resource?.target),
    ];
  }
  if (which === undefined) return [];
  const { container } = containerResource ?? {};
  return [
    ...requireText(`${at}.name`, containerResource?.name, 'must specify a resource name'),
    ...requireText(`${at}.container`, container, 'must specify a container'),
    ...(container ? invalidFor(`${at}.container`, container, whyNotDnsLabel(container)) : []),
    ...validateResourceTarget(`${at}.target`, containerResource?.target),
  ];
}

type Target = NonNullable<Metric['resource']>['target'];

function validateIdentifier(field: string, metric: NonNullable<Metric['pods']>['metric'] | undefined): FieldError[] {
  const { name } = metric ?? {};
  const errors = requireText(`${field}.name`, name, 'must specify a metric name');
  if (name) errors.push(...invalidFor(`${field}.name`, name, whyNotPathSegment(name)));
  return errors;
}

function validateMetricTarget(field: string, target: Target | undefined): FieldError[] {
  const { type = '' } = target ?? {};
  const errors = requireText(`${field}.type`, type, 'must specify a metric target type');
  if (!targetTypes().includes(type)) {
    const [first, second, last] = targetTypes();
    errors.push(invalid(`${field}.type`, type, `must be either ${first}, ${second}, or ${last}`));
  }
  if (target === undefined) return errors;
  for (const key of ['value', 'averageValue'] as const) {
    const value = target[key];
    if (value !== undefined && signOf(parseQuantity(value)) <= 0) {
      errors.push(invalid(`${field}.${key}`, value, 'must be positive'));
    }
  }
  const percent = target.averageUtilization;
  if (percent !== undefined && percent < 1) {
    errors.push(invalid(`${field}.averageUtilization`, percent, 'must be greater than 0'));
  }
  return errors;
}

function validateResourceTarget(field: string, target: Target | undefined): FieldError[] {
  const errors = validateMetricTarget(field, target);
  if (target?.averageUtilization === undefined && target?.averageValue === undefined) {
    errors.push(required(`${field}.averageUtilization`, 'must set either a target raw value or a target utilization'));
  }
  if (target?.averageUtilization !== undefined && target.averageValue !== undefined) {
    errors.push(forbidden(`${field}.averageValue`, 'may not set both a target raw value and a target utilization'));
  }
  return errors;
}

function validateExternal(field: string, target: Target | undefined): FieldError[] {
  const errors = [
    ...validateMetricTarget(field, target),
    ...requireAmount(field, target, 'must set either a target value for metric or a per-pod target'),
  ];
  if (target?.value !== undefined && target.averageValue !== undefined) {
    errors.push(forbidden(`${field}.value`, 'may not set both a target value for metric and a per-pod target'));
  }
  return errors;
}

function requireAmount(field: string, target: Target | undefined, why: string): FieldError[] {
  const isThere = target?.value !== undefined || target?.averageValue !== undefined;
  return isThere ? [] : [required(`${field}.averageValue`, why)];
}

const maxPeriodSeconds = 1800;
const maxStabilizationSeconds = 3600;

function validateRules(field: string, rules: Rules | undefined): FieldError[] {
  if (rules === undefined) return [];
  const errors: FieldError[] = [];
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules;
  if (window !== undefined && window < 0) {
    errors.push(invalid(`${field}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero'));
  }
  if (window !== undefined && window > maxStabilizationSeconds) {
    const why = `must be less than or equal to ${maxStabilizationSeconds}`;
    errors.push(invalid(`${field}.stabilizationWindowSeconds`, window, why));
  }
  if (selectPolicy !== undefined && !choices().includes(selectPolicy)) {
    errors.push(notSupported(`${field}.selectPolicy`, selectPolicy, choices()));
  }
  if (policies.length === 0) errors.push(required(`${field}.policies`, 'must specify at least one Policy'));
  const wrongPolicies = each(`${field}.policies`, policies, ({ type, value, periodSeconds }, at) => {
    const wrong: FieldError[] = [];
    if (!policyTypes().includes(type)) wrong.push(notSupported(`${at}.type`, type ?? '', policyTypes()));
    if (!(value > 0)) wrong.push(invalid(`${at}.value`, value ?? 0, 'must be greater than zero'));
    if (!(periodSeconds > 0))
      wrong.push(invalid(`${at}.periodSeconds`, periodSeconds ?? 0, 'must be greater than zero'));
    if (periodSeconds > maxPeriodSeconds) {
      const why = `must be less than or equal to ${maxPeriodSeconds}`;
      wrong.push(invalid(`${at}.periodSeconds`, periodSeconds, why));
    }
    return wrong;
  });
  const isNegative = tolerance !== undefined && signOf(parseQuantity(tolerance)) < 0;
  return [
    ...errors,
    ...wrongPolicies,
    ...(isNegative ? [invalid(`${field}.tolerance`, tolerance, 'must be greater than or equal to 0')] : []),
  ];
}
