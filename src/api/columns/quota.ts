// The columns of quotas, budgets and the older core kinds.

import type { Column } from '../kind.ts';
import type {
  ComponentStatus,
  IntOrString,
  PodDisruptionBudget,
  PodTemplate,
  ReplicationController,
  ResourceQuota,
} from '../types.ts';
import { age, containerImages, containerNames, count, labelText, text, wide } from './column.ts';

export const replicationControllerColumns: readonly Column<ReplicationController>[] = [
  count('Desired', 'Wanted pods.', ({ spec }) => spec?.replicas ?? 1),
  count('Current', 'Pods there are.', ({ status }) => status?.replicas ?? 0),
  count('Ready', 'Ready pods.', ({ status }) => status?.readyReplicas ?? 0),
  age,
  wide('Containers', 'Names of the containers.', ({ spec }) => containerNames(spec?.template?.spec?.containers)),
  wide('Images', 'Images of the containers.', ({ spec }) => containerImages(spec?.template?.spec?.containers)),
  wide('Selector', 'Which pods belong to it.', ({ spec }) => labelText(spec?.selector)),
];

export const podTemplateColumns: readonly Column<PodTemplate>[] = [
  text('Containers', 'Names of the containers.', ({ template }) => containerNames(template?.spec?.containers)),
  text('Images', 'Images of the containers.', ({ template }) => containerImages(template?.spec?.containers)),
  text('Pod Labels', 'Labels of its pods.', ({ template }) => labelText(template?.metadata?.labels)),
];

function used({ status }: ResourceQuota, limits: boolean): string {
  return Object.keys(status?.hard ?? {})
    .filter((name) => name.startsWith('limits.') === limits)
    .sort()
    .map((name) => `${name}: ${status?.used?.[name] ?? '0'}/${status?.hard?.[name]}`)
    .join(', ');
}

export const resourceQuotaColumns: readonly Column<ResourceQuota>[] = [
  text('Request', 'Used and allowed, requests and counts.', (quota) => used(quota, false)),
  text('Limit', 'Used and allowed, limits.', (quota) => used(quota, true)),
  age,
];

export const componentStatusColumns: readonly Column<ComponentStatus>[] = [
  text('Status', 'Healthy or not.', ({ conditions = [] }) => {
    const healthy = conditions.find(({ type }) => type === 'Healthy');
    if (healthy === undefined) return 'Unknown';
    return healthy.status === 'True' ? 'Healthy' : 'Unhealthy';
  }),
  text(
    'Message',
    'What the check said.',
    ({ conditions = [] }) => conditions.find(({ type }) => type === 'Healthy')?.message ?? '',
  ),
  text(
    'Error',
    'What went wrong.',
    ({ conditions = [] }) => conditions.find(({ type }) => type === 'Healthy')?.error ?? '',
  ),
];

export const podDisruptionBudgetColumns: readonly Column<PodDisruptionBudget>[] = [
  text('Min Available', 'Pods that must stay.', ({ spec }) => amount(spec?.minAvailable)),
  text('Max Unavailable', 'Pods that may be missing.', ({ spec }) => amount(spec?.maxUnavailable)),
  count('Allowed Disruptions', 'Pods that may be evicted now.', ({ status }) => status?.disruptionsAllowed ?? 0),
  age,
];

function amount(value: IntOrString | undefined): string {
  return value === undefined ? 'N/A' : `${value}`;
}
