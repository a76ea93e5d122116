// The scale subresource: three numbers of a workload behind one kind, autoscaling/v1 Scale, so that `kubectl scale` and
// autoscalers need to know no workload kind. Where the numbers live is said by the kind's ScalePaths.

import {
  compileLabelMap,
  compileLabelSelector,
  formatLabelSelector,
  type KubeObject,
  type LabelSelector,
  type ScalePaths,
} from '../../api/index.ts';
import { invalid } from '../http/status-body.ts';
import { type Body, bodyOf } from './strategies/fields.ts';

/** The Scale of an object. Source: k8s.io/api autoscaling/v1. */
export function scaleOf(object: KubeObject, paths: ScalePaths): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata ?? {};
  const selector = paths.selector === '' ? '' : selectorText(at(object, paths.selector));
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: numbers({ replicas: at(object, paths.specReplicas) }),
    status: { replicas: at(object, paths.statusReplicas) ?? 0, ...(selector === '' ? {} : { selector }) },
  } as unknown as KubeObject;
}

/** The object with the Scale's replicas and, when it names one, its resourceVersion; `scale` is addressed as the object is. Throws ApiError 422. */
export function withScale(object: KubeObject, scale: KubeObject, paths: ScalePaths): KubeObject {
  const name = object.metadata?.name ?? '';
  const replicas = at(scale, 'spec.replicas') ?? 0;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0) {
    const message = `Invalid value: ${JSON.stringify(replicas)}: must be greater than or equal to 0`;
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [
      { field: 'spec.replicas', reason: 'FieldValueInvalid', message },
    ]);
  }
  const resourceVersion = scale.metadata?.resourceVersion;
  const changed = set(bodyOf(object), paths.specReplicas.split('.').filter(Boolean), replicas) as unknown as KubeObject;
  return {
    ...changed,
    metadata: { ...changed.metadata, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
  };
}

/** What applying a Scale means for the object: its replicas, when the Scale names them. */
export function configOfScale(
  scale: KubeObject,
  of: Pick<KubeObject, 'apiVersion' | 'kind'>,
  paths: ScalePaths,
): KubeObject {
  const { name, namespace, uid, resourceVersion } = scale.metadata ?? {};
  const metadata = Object.fromEntries(
    Object.entries({ name, namespace, uid, resourceVersion }).filter(([, value]) => value !== undefined),
  );
  const bare = { ...of, metadata };
  const replicas = at(scale, 'spec.replicas');
  if (replicas === undefined) return bare;
  return set(bodyOf(bare), paths.specReplicas.split('.').filter(Boolean), replicas) as unknown as KubeObject;
}

function selectorText(selector: unknown): string {
  if (typeof selector !== 'object' || selector === null) return typeof selector === 'string' ? selector : '';
  const isObject = 'matchLabels' in selector || 'matchExpressions' in selector;
  const matcher = isObject
    ? compileLabelSelector(selector as LabelSelector)
    : compileLabelMap(selector as Record<string, string>);
  return formatLabelSelector(matcher.requirements);
}

function numbers(fields: Body): Body {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => typeof value === 'number'));
}

/** The value at a dotted path, with or without a leading dot. */
function at(object: KubeObject, path: string): unknown {
  let value: unknown = object;
  for (const name of path.split('.').filter(Boolean)) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Body)[name];
  }
  return value;
}

function set(body: Body, path: readonly string[], value: unknown): Body {
  const [first, ...rest] = path;
  if (first === undefined) return body;
  const inner = body[first];
  const next =
    rest.length === 0 ? value : set(typeof inner === 'object' && inner !== null ? (inner as Body) : {}, rest, value);
  return { ...body, [first]: next };
}
