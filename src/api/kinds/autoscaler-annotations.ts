// What autoscaling/v1 has no fields for: all metrics but the CPU's utilization, the behavior, current metrics and conditions
// travel in annotations, so that a client of v1 that reads an autoscaler and writes it back loses nothing of it. Metrics are
// written there in a form of their own, flat; behavior by the names that Go gives its fields, read in any case. An
// annotation that is no JSON is no metric.
// Source: kubernetes pkg/apis/autoscaling/annotations.go, v1/conversion.go; k8s.io/api autoscaling/v1 (MetricSpec).

import type { HorizontalPodAutoscaler } from '../types.ts';

type Spec = NonNullable<HorizontalPodAutoscaler['spec']>;
type Status = NonNullable<HorizontalPodAutoscaler['status']>;
export type Metric = NonNullable<Spec['metrics']>[number];
type CurrentMetric = NonNullable<Status['currentMetrics']>[number];
type Fields = Readonly<Record<string, unknown>>;

const prefix = 'autoscaling.alpha.kubernetes.io/';
const names = {
  metrics: `${prefix}metrics`,
  behavior: `${prefix}behavior`,
  currentMetrics: `${prefix}current-metrics`,
  conditions: `${prefix}conditions`,
} as const;

export interface Annotated {
  readonly metrics: readonly Metric[];
  readonly behavior: Spec['behavior'];
  readonly currentMetrics: readonly CurrentMetric[];
  readonly conditions: Status['conditions'];
}

/** @param metrics those that v1 has no field for */
export function toAnnotations({
  metrics,
  behavior,
  currentMetrics,
  conditions = [],
}: Annotated): Record<string, string> {
  const text = (name: string, isThere: boolean, value: () => unknown): [string, string][] =>
    isThere ? [[name, JSON.stringify(value())]] : [];
  return Object.fromEntries([
    ...text(names.metrics, metrics.length > 0, () => metrics.map((one) => flat(one, 'target'))),
    ...text(names.behavior, behavior !== undefined, () => withNames(behavior, (key) => upper(key))),
    ...text(names.currentMetrics, currentMetrics.length > 0, () => currentMetrics.map((one) => flat(one, 'current'))),
    ...text(names.conditions, conditions.length > 0, () => conditions),
  ]);
}

export function fromAnnotations(annotations: Readonly<Record<string, string>> = {}): Annotated {
  const list = (name: string): readonly Fields[] => {
    const value = parsed(annotations[name]);
    return Array.isArray(value) ? value.filter(isFields) : [];
  };
  const behavior = parsed(annotations[names.behavior]);
  const conditions = list(names.conditions);
  return {
    metrics: list(names.metrics).map((one) => deep(one, 'target') as unknown as Metric),
    behavior: isFields(behavior) ? (withNames(behavior, lower) as Spec['behavior']) : undefined,
    currentMetrics: list(names.currentMetrics).map((one) => deep(one, 'current') as unknown as CurrentMetric),
    conditions: conditions.length === 0 ? undefined : (conditions as unknown as Status['conditions']),
  };
}

/** Whether the annotations hold a metric. */
export function hasMetrics(annotations: Readonly<Record<string, string>> = {}): boolean {
  return names.metrics in annotations && fromAnnotations(annotations).metrics.length > 0;
}

/** The annotations that mean themselves; undefined when there are none. */
export function ownAnnotations(
  annotations: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> | undefined {
  const taken: readonly string[] = Object.values(names);
  const own = Object.entries(annotations).filter(([name]) => !taken.includes(name));
  return own.length === 0 ? undefined : Object.fromEntries(own);
}

/** Metrics say what is wanted, current metrics what there is. */
type Side = 'target' | 'current';

interface Oddities {
  readonly average?: string;
  readonly selector?: string;
  /** Must have a value beside the average. */
  readonly hasValue?: true | Side;
}

/** What a metric may be about, and where v1 calls something otherwise than for the rest. */
const sources = {
  resource: {},
  containerResource: {},
  pods: {},
  object: { average: 'averageValue', hasValue: true },
  external: { selector: 'metricSelector', hasValue: 'current' },
} as const satisfies Readonly<Record<string, Oddities>>;

function keysOf(source: keyof typeof sources, side: Side) {
  const { average = `${side}AverageValue`, selector = 'selector', hasValue }: Oddities = sources[source];
  return {
    utilization: `${side}AverageUtilization`,
    average,
    value: `${side}Value`,
    selector,
    hasValue: hasValue === true || hasValue === side,
  };
}

/** From v2's form to v1's. */
function flat(metric: Fields, side: Side): Fields {
  const of = (source: keyof typeof sources): Fields | undefined => {
    const one = metric[source];
    if (!isFields(one)) return undefined;
    const keys = keysOf(source, side);
    const { averageUtilization, averageValue, value = keys.hasValue ? '0' : undefined } = fieldsIn(one[side]);
    const { name, selector } = fieldsIn(one['metric']);
    return filled({
      ...{ name: one['name'], container: one['container'], target: one['describedObject'] },
      ...{ metricName: name, [keys.selector]: selector },
      ...{ [keys.utilization]: averageUtilization, [keys.average]: averageValue, [keys.value]: value },
    });
  };
  return filled({ type: metric['type'], ...eachSource(of) });
}

/** From v1's form to v2's. */
function deep(metric: Fields, side: Side): Fields {
  const of = (source: keyof typeof sources): Fields | undefined => {
    const one = metric[source];
    if (!isFields(one)) return undefined;
    const keys = keysOf(source, side);
    const averageUtilization = one[keys.utilization];
    const averageValue = one[keys.average];
    // An average stands for itself: the value beside it is there because it must be.
    const value = averageValue === undefined ? one[keys.value] : undefined;
    const type =
      averageUtilization !== undefined ? 'Utilization' : averageValue !== undefined ? 'AverageValue' : 'Value';
    const metricName = one['metricName'];
    return filled({
      ...{ name: one['name'], container: one['container'], describedObject: one['target'] },
      metric: metricName === undefined ? undefined : filled({ name: metricName, selector: one[keys.selector] }),
      [side]: filled({ type: side === 'target' ? type : undefined, averageUtilization, averageValue, value }),
    });
  };
  return filled({ type: metric['type'], ...eachSource(of) });
}

function eachSource(of: (source: keyof typeof sources) => Fields | undefined): Fields {
  return Object.fromEntries(Object.keys(sources).map((name) => [name, of(name as keyof typeof sources)]));
}

function fieldsIn(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** Without what is undefined or null. */
function filled(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}

/** The same value with its keys renamed at every depth. */
function withNames(value: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((one) => withNames(one, rename));
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(filled(value)).map(([key, one]) => [rename(key), withNames(one, rename)]));
}

function upper(key: string): string {
  return key.slice(0, 1).toUpperCase() + key.slice(1);
}

const behaviorKeys = [
  ...['scaleUp', 'scaleDown', 'stabilizationWindowSeconds', 'selectPolicy', 'policies', 'tolerance'],
  ...['type', 'value', 'periodSeconds'],
];

function lower(key: string): string {
  return behaviorKeys.find((one) => one.toLowerCase() === key.toLowerCase()) ?? key;
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
