// The columns of apps, batch and autoscaling.

import { ageOf, shortDuration } from '../duration.ts';
import type { Column } from '../kind.ts';
import type {
  ControllerRevision,
  CronJob,
  DaemonSet,
  Deployment,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerV1,
  Job,
  KubeObject,
  LabelSelector,
  PodSpec,
  ReplicaSet,
  StatefulSet,
} from '../types.ts';
import { age, containerImages, containerNames, count, orNone, text, wide } from './column.ts';
import { selectorText } from './selector-text.ts';

interface HasTemplate extends KubeObject {
  readonly spec?: {
    readonly selector?: LabelSelector;
    readonly template?: { readonly spec?: PodSpec };
  };
}

const containers: Column<HasTemplate> = wide('Containers', 'Names of the containers.', ({ spec }) =>
  containerNames(spec?.template?.spec?.containers),
);
const images: Column<HasTemplate> = wide('Images', 'Images of the containers.', ({ spec }) =>
  containerImages(spec?.template?.spec?.containers),
);
const selector: Column<HasTemplate> = wide('Selector', 'Which pods belong to it.', ({ spec }) =>
  selectorText(spec?.selector),
);

export const deploymentColumns: readonly Column<Deployment>[] = [
  text(
    'Ready',
    'Ready pods of wanted pods.',
    ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 1}`,
  ),
  text('Up-to-date', 'Pods of the newest template.', ({ status }) => status?.updatedReplicas ?? 0),
  text('Available', 'Pods that have been ready long enough.', ({ status }) => status?.availableReplicas ?? 0),
  age,
  containers,
  images,
  selector,
];

export const replicaSetColumns: readonly Column<ReplicaSet>[] = [
  count('Desired', 'Wanted pods.', ({ spec }) => spec?.replicas ?? 1),
  count('Current', 'Pods there are.', ({ status }) => status?.replicas ?? 0),
  count('Ready', 'Ready pods.', ({ status }) => status?.readyReplicas ?? 0),
  age,
  containers,
  images,
  selector,
];

export const statefulSetColumns: readonly Column<StatefulSet>[] = [
  text(
    'Ready',
    'Ready pods of wanted pods.',
    ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 1}`,
  ),
  age,
  containers,
  images,
];

export const daemonSetColumns: readonly Column<DaemonSet>[] = [
  count('Desired', 'Nodes that should run the pod.', ({ status }) => status?.desiredNumberScheduled ?? 0),
  count('Current', 'Nodes that run the pod.', ({ status }) => status?.currentNumberScheduled ?? 0),
  count('Ready', 'Ready pods.', ({ status }) => status?.numberReady ?? 0),
  count('Up-to-date', 'Pods of the newest template.', ({ status }) => status?.updatedNumberScheduled ?? 0),
  count('Available', 'Pods that have been ready long enough.', ({ status }) => status?.numberAvailable ?? 0),
  text('Node Selector', 'Labels a node must have.', ({ spec }) => {
    const labels = spec?.template.spec?.nodeSelector ?? {};
    return orNone(
      Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .sort()
        .join(','),
    );
  }),
  age,
  containers,
  images,
  selector,
];

export const controllerRevisionColumns: readonly Column<ControllerRevision>[] = [
  text('Controller', 'Owner of the revision.', ({ metadata }) => {
    const owner = (metadata?.ownerReferences ?? []).find(({ controller }) => controller === true);
    if (owner === undefined) return '<none>';
    const [group = '', version] = owner.apiVersion.split('/');
    const kind = owner.kind.toLowerCase();
    return version === undefined ? `${kind}/${owner.name}` : `${kind}.${group}/${owner.name}`;
  }),
  text('Revision', 'Number of the revision.', ({ revision }) => revision),
  age,
];

export const jobColumns: readonly Column<Job>[] = [
  text('Status', 'How the job stands.', jobStatus),
  text('Completions', 'Successful pods of wanted ones.', ({ spec, status }) => {
    const done = status?.succeeded ?? 0;
    if (spec?.completions !== undefined) return `${done}/${spec.completions}`;
    return (spec?.parallelism ?? 0) > 1 ? `${done}/1 of ${spec?.parallelism}` : `${done}/1`;
  }),
  text('Duration', 'From start to end, or until now.', ({ status }, now) => {
    if (status?.startTime === undefined) return '';
    const end = status.completionTime === undefined ? now : Date.parse(status.completionTime);
    return shortDuration(end - Date.parse(status.startTime));
  }),
  age,
  containers,
  images,
  selector,
];

function jobStatus({ metadata, status }: Job): string {
  const has = (wanted: string): boolean =>
    (status?.conditions ?? []).some(({ type, status: is }) => type === wanted && is === 'True');
  if (has('Complete')) return 'Complete';
  if (has('Failed')) return 'Failed';
  if (metadata?.deletionTimestamp !== undefined) return 'Terminating';
  if (has('Suspended')) return 'Suspended';
  if (has('FailureTarget')) return 'FailureTarget';
  if (has('SuccessCriteriaMet')) return 'SuccessCriteriaMet';
  return 'Running';
}

const cronTemplate = ({ spec }: CronJob): PodSpec | undefined => spec?.jobTemplate.spec?.template.spec;

export const cronJobColumns: readonly Column<CronJob>[] = [
  text('Schedule', 'When jobs start, in cron format.', ({ spec }) => spec?.schedule ?? ''),
  text('Timezone', 'Time zone of the schedule.', ({ spec }) => orNone(spec?.timeZone)),
  {
    name: 'Suspend',
    type: 'boolean',
    description: 'Whether it is paused.',
    value: ({ spec }) => (spec?.suspend === true ? 'True' : 'False'),
  },
  count('Active', 'Jobs that run now.', ({ status }) => status?.active?.length ?? 0),
  text('Last Schedule', 'When a job was started last.', ({ status }, now) =>
    status?.lastScheduleTime === undefined ? '<none>' : ageOf(status.lastScheduleTime, now),
  ),
  age,
  wide('Containers', 'Names of the containers.', (job) => containerNames(cronTemplate(job)?.containers)),
  wide('Images', 'Images of the containers.', (job) => containerImages(cronTemplate(job)?.containers)),
  wide('Selector', 'Which pods belong to it.', ({ spec }) => selectorText(spec?.jobTemplate.spec?.selector)),
];

type Metric = NonNullable<NonNullable<HorizontalPodAutoscaler['spec']>['metrics']>[number];

/** What both versions say of their target. */
interface Scaling extends KubeObject {
  readonly spec?: {
    readonly scaleTargetRef: { readonly kind: string; readonly name: string };
    readonly minReplicas?: number;
  };
}

const reference: Column<Scaling> = text(
  'Reference',
  'What is scaled.',
  ({ spec }) => `${spec?.scaleTargetRef.kind}/${spec?.scaleTargetRef.name}`,
);
const minPods: Column<Scaling> = text('MinPods', 'Fewest pods.', ({ spec }) =>
  spec?.minReplicas === undefined ? '<unset>' : `${spec.minReplicas}`,
);

export const horizontalPodAutoscalerColumns: readonly Column<HorizontalPodAutoscaler>[] = [
  reference,
  text('Targets', 'Current and wanted value of each metric.', metricTargets),
  minPods,
  text('MaxPods', 'Most pods.', ({ spec }) => spec?.maxReplicas ?? 0),
  text('Replicas', 'Pods there are.', ({ status }) => status?.currentReplicas ?? 0),
  age,
];

function metricTargets({ spec, status }: HorizontalPodAutoscaler): string {
  const texts = (spec?.metrics ?? []).map((metric, index) => {
    const source = metric.resource ?? metric.containerResource ?? metric.pods ?? metric.object ?? metric.external;
    const now = status?.currentMetrics?.[index];
    const seen = (now?.resource ?? now?.containerResource ?? now?.pods ?? now?.object ?? now?.external)?.current;
    const name = metric.resource?.name ?? metric.containerResource?.name;
    const { averageUtilization, averageValue, value } = source?.target ?? {};
    const wanted = averageUtilization === undefined ? (averageValue ?? value ?? '<auto>') : `${averageUtilization}%`;
    const current =
      averageUtilization === undefined
        ? (seen?.averageValue ?? seen?.value)
        : seen?.averageUtilization === undefined
          ? undefined
          : `${seen.averageUtilization}%`;
    return `${name === undefined ? '' : `${name}: `}${current ?? '<unknown>'}/${wanted}${suffixOf(metric)}`;
  });
  if (texts.length === 0) return '<none>';
  return texts.length > 2 ? `${texts.slice(0, 2).join(', ')} + ${texts.length - 2} more...` : texts.join(', ');
}

/** Averages over pods are marked, except for resources. */
function suffixOf({ pods, object, external }: Metric): string {
  const target = (pods ?? object ?? external)?.target;
  return target?.averageValue !== undefined && pods === undefined ? ' (avg)' : '';
}

export const horizontalPodAutoscalerV1Columns: readonly Column<HorizontalPodAutoscalerV1>[] = [
  reference,
  text('Targets', 'Current and wanted CPU use.', ({ spec, status }) => {
    const current = status?.currentCPUUtilizationPercentage;
    const wanted = spec?.targetCPUUtilizationPercentage;
    return `cpu: ${current === undefined ? '<unknown>' : `${current}%`}/${wanted === undefined ? '<auto>' : `${wanted}%`}`;
  }),
  minPods,
  text('MaxPods', 'Most pods.', ({ spec }) => spec?.maxReplicas ?? 0),
  text('Replicas', 'Pods there are.', ({ status }) => status?.currentReplicas ?? 0),
  age,
];
