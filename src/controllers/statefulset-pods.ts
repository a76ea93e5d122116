// Pods of a StatefulSet: each has a number and keeps its name, its host name and its claims, whatever happens to it.

import {
  kinds,
  type PersistentVolumeClaim,
  type Pod,
  type PodTemplateSpec,
  type StatefulSet,
  type Stored,
  type Volume,
} from '../api/index.ts';
import { controllerRefTo } from './ownership.ts';
import { availableAt, isReady } from './pod-state.ts';
import { revisionHashLabel } from './revisions.ts';

const podNameLabel = 'statefulset.kubernetes.io/pod-name';
const indexLabel = 'apps.kubernetes.io/pod-index';

export function startOf({ spec }: StatefulSet): number {
  return spec?.ordinals?.start ?? 0;
}

export function replicasOf({ spec }: StatefulSet): number {
  return spec?.replicas ?? 1;
}

export function podName(set: Stored<StatefulSet>, ordinal: number): string {
  return `${set.metadata.name}-${ordinal}`;
}

/** undefined for a pod that is not named after the set. */
export function ordinalOf(set: Stored<StatefulSet>, { metadata }: Stored<Pod>): number | undefined {
  const prefix = `${set.metadata.name}-`;
  const number = metadata.name.startsWith(prefix) ? metadata.name.slice(prefix.length) : '';
  return /^(0|[1-9]\d*)$/.test(number) ? Number(number) : undefined;
}

export function isTerminating({ metadata }: Stored<Pod>): boolean {
  return metadata.deletionTimestamp !== undefined;
}

export function isRunningAndReady(pod: Pod): boolean {
  return pod.status?.phase === 'Running' && isReady(pod);
}

export function isHealthy(pod: Stored<Pod>): boolean {
  return isRunningAndReady(pod) && !isTerminating(pod);
}

export function isAvailable(pod: Pod, { spec }: StatefulSet, now: number): boolean {
  const since = availableAt(pod, spec?.minReadySeconds ?? 0) ?? Number.POSITIVE_INFINITY;
  return isRunningAndReady(pod) && since <= now;
}

export function revisionOf({ metadata }: Pod): string {
  return metadata?.labels?.[revisionHashLabel] ?? '';
}

export interface PodRequest {
  readonly set: Stored<StatefulSet>;
  readonly ordinal: number;
  readonly revision: string;
  readonly template: PodTemplateSpec | undefined;
}

export function statefulPod({ set, ordinal, revision, template }: PodRequest): Pod {
  const name = podName(set, ordinal);
  const { namespace } = set.metadata;
  const { labels, annotations, finalizers } = template?.metadata ?? {};
  const spec = template?.spec;
  const subdomain = set.spec?.serviceName ?? '';
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...labels, [podNameLabel]: name, [indexLabel]: String(ordinal), [revisionHashLabel]: revision },
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [controllerRefTo(kinds.statefulSet, set)],
    },
    ...(spec === undefined
      ? {}
      : {
          spec: {
            ...spec,
            hostname: name,
            ...(subdomain === '' ? {} : { subdomain }),
            volumes: volumesFor(set, ordinal, spec.volumes ?? []),
          },
        }),
  };
}

/** The claims' volumes take the place of the template's volumes of the same names. */
function volumesFor(set: Stored<StatefulSet>, ordinal: number, volumes: readonly Volume[]): readonly Volume[] {
  const claims = (set.spec?.volumeClaimTemplates ?? []).map((template) => ({
    name: template.metadata?.name ?? '',
    persistentVolumeClaim: { claimName: claimName(set, template, ordinal) },
  }));
  const names = new Set(claims.map(({ name }) => name));
  return [...claims, ...volumes.filter(({ name }) => !names.has(name))];
}

function claimName(set: Stored<StatefulSet>, template: PersistentVolumeClaim, ordinal: number): string {
  return `${template.metadata?.name}-${podName(set, ordinal)}`;
}

/** The claims of one ordinal, as they are created. */
export function claimsOf(set: Stored<StatefulSet>, ordinal: number): readonly PersistentVolumeClaim[] {
  const { namespace } = set.metadata;
  return (set.spec?.volumeClaimTemplates ?? []).map((template) => ({
    ...template,
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      ...template.metadata,
      name: claimName(set, template, ordinal),
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...template.metadata?.labels, ...set.spec?.selector.matchLabels },
    },
  }));
}
