// HorizontalPodAutoscalers, v2 and v1 (which is stored as v2). Source: kubernetes pkg/apis/autoscaling/validation.

import { type FieldError, forbidden, invalid, notSupported, required } from '../field-error.ts';
import { parseQuantity, signOf } from '../quantity.ts';
import { valuesOf } from '../schema/values.ts';
import type { HorizontalPodAutoscaler, HorizontalPodAutoscalerV1 } from '../types.ts';
import { whyNotPathSegment } from './names.ts';
import { each, invalidFor, requireText, validLabelSelector } from './rules.ts';

const autoscaling = 'io.k8s.api.autoscaling.v2';
const metricTypes = valuesOf(`${autoscaling}.MetricSpec`, 'type');
const targetTypes = valuesOf(`${autoscaling}.MetricTarget`, 'type');
const choices = valuesOf(`${autoscaling}.HPAScalingRules`, 'selectPolicy');
const policyTypes = valuesOf(`${autoscaling}.HPAScalingPolicy`, 'type');

type Spec = NonNullable<HorizontalPodAutoscaler['spec']>;
type Metric = NonNullable<Spec['metrics']>[number];
type Rules = NonNullable<NonNullable<Spec['behavior']>['scaleUp']>;

export function validateHorizontalPodAutoscaler({ spec }: HorizontalPodAutoscaler): readonly FieldError[] {
  if (spec === undefined) return [required('spec.scaleTargetRef')];
  return [
    ...validateRange(spec),
    ...validateTarget('spec.scaleTargetRef', spec.scaleTargetRef),
    ...each('spec.metrics', spec.metrics, validateMetric),
    ...validateRules('spec.behavior.scaleUp', spec.behavior?.scaleUp),
    ...validateRules('spec.behavior.scaleDown', spec.behavior?.scaleDown),
  ];
}

export function validateHorizontalPodAutoscalerV1({ spec }: HorizontalPodAutoscalerV1): readonly FieldError[] {
  if (spec === undefined) return [required('spec.scaleTargetRef')];
  const target = spec.targetCPUUtilizationPercentage;
  const field = 'spec.targetCPUUtilizationPercentage';
  return [
    ...validateRange(spec),
    ...validateTarget('spec.scaleTargetRef', spec.scaleTargetRef),
    ...(target !== undefined && target < 1 ? [invalid(field, target, 'must be greater than 0')] : []),
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

function validateTarget(field: string, target: Spec['scaleTargetRef'] | undefined): FieldError[] {
  return (['kind', 'name'] as const).flatMap((key) => {
    const value = target?.[key];
    return value ? invalidFor(`${field}.${key}`, value, whyNotPathSegment(value)) : [required(`${field}.${key}`)];
  });
}

const sources = {
  ContainerResource: 'containerResource',
  External: 'external',
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
} as const;

function validateMetric(metric: Metric, field: string): FieldError[] {
  const { type } = metric;
  if (!type) return [required(`${field}.type`, 'must specify a metric source type')];
  if (!metricTypes().includes(type)) return [notSupported(`${field}.type`, type, metricTypes())];
  const expected = sources[type as keyof typeof sources];
  const errors: FieldError[] = [];
  if (metric[expected] === undefined) {
    errors.push(required(`${field}.${expected}`, 'must populate information for the given metric source'));
  }
  for (const source of Object.values(sources)) {
    if (source !== expected && metric[source] !== undefined) {
      errors.push(forbidden(`${field}.${source}`, 'must populate the given metric source only'));
    }
  }
  const { resource, containerResource, pods, object, external } = metric;
  if (resource !== undefined) {
    const at = `${field}.resource`;
    errors.push(...requireText(`${at}.name`, resource.name, 'must specify a resource name'));
    errors.push(...validateResourceTarget(`${at}.target`, resource.target));
  }
  if (containerResource !== undefined) {
    const at = `${field}.containerResource`;
    errors.push(...requireText(`${at}.name`, containerResource.name, 'must specify a resource name'));
    errors.push(...requireText(`${at}.container`, containerResource.container, 'must specify a container'));
    errors.push(...validateResourceTarget(`${at}.target`, containerResource.target));
  }
  if (pods !== undefined) {
    errors.push(
      ...validateIdentifier(`${field}.pods.metric`, pods.metric),
      ...validateMetricTarget(`${field}.pods.target`, pods.target),
    );
    if (pods.target?.averageValue === undefined) {
      errors.push(required(`${field}.pods.target.averageValue`, 'must specify a positive target averageValue'));
    }
  }
  if (object !== undefined) {
    errors.push(...validateTarget(`${field}.object.describedObject`, object.describedObject));
    errors.push(
      ...validateIdentifier(`${field}.object.metric`, object.metric),
      ...validateValueTarget(`${field}.object.target`, object.target),
    );
  }
  if (external !== undefined) {
    errors.push(
      ...validateIdentifier(`${field}.external.metric`, external.metric),
      ...validateValueTarget(`${field}.external.target`, external.target),
    );
  }
  return errors;
}

type Target = NonNullable<Metric['resource']>['target'];

function validateIdentifier(field: string, metric: NonNullable<Metric['pods']>['metric'] | undefined): FieldError[] {
  const { name } = metric ?? {};
  const errors = requireText(`${field}.name`, name, 'must specify a metric name');
  if (name) errors.push(...invalidFor(`${field}.name`, name, whyNotPathSegment(name)));
  return [...errors, ...validLabelSelector(`${field}.selector`, metric?.selector)];
}

function validateMetricTarget(field: string, target: Target | undefined): FieldError[] {
  const errors = requireText(`${field}.type`, target?.type, 'must specify a metric target type');
  if (target === undefined) return errors;
  if (target.type && !targetTypes().includes(target.type)) {
    const [first, second, last] = targetTypes();
    errors.push(invalid(`${field}.type`, target.type, `must be either ${first}, ${second}, or ${last}`));
  }
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

function validateValueTarget(field: string, target: Target | undefined): FieldError[] {
  const errors = validateMetricTarget(field, target);
  if (target?.value === undefined && target?.averageValue === undefined) {
    errors.push(required(`${field}.averageValue`, 'must set either a target value for metric or a per-pod target'));
  }
  if (target?.value !== undefined && target.averageValue !== undefined) {
    errors.push(forbidden(`${field}.value`, 'may not set both a target value for metric and a per-pod target'));
  }
  return errors;
}

const maxPeriodSeconds = 1800;
const maxStabilizationSeconds = 3600;

function validateRules(field: string, rules: Rules | undefined): FieldError[] {
  if (rules === undefined) return [];
  const errors: FieldError[] = [];
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [] } = rules;
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
  return [...errors, ...wrongPolicies];
}
