// The status of a pod as clients read it: container states, phase, conditions, addresses. Pure: from the pod, what the
// runtime holds, probe results and the reasons why containers wait. Conditions that others own (scheduler, evictions,
// readiness gates) are kept as they are.
// Source: kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle, pkg/kubelet (kubelet_pods.go, status/generate.go).

import {
  type Container,
  type ContainerStatus,
  type Pod,
  type PodCondition,
  type PodStatus,
  qosClassOf,
  timestamp,
} from '../../api/index.ts';
import { ephemeralContainers, isSidecar } from './identity.ts';
import { isRunning, newestOf, type RuntimeContainer, type RuntimePod, readySandbox } from './observe.ts';
import type { ProbeResult } from './plan.ts';
import { type ResizeState, resourcesChanged } from './resize.ts';
import { restartsAfter } from './restart.ts';

export interface Waiting {
  readonly reason: string;
  readonly message?: string;
}

export interface StatusView {
  readonly pod: Pod;
  /** The status that was told last, which may be newer than the pod's own. */
  readonly before: PodStatus | undefined;
  readonly runtime: RuntimePod;
  readonly now: number;
  /** When the agent took the pod on, ms since the epoch. */
  readonly startTime: number;
  readonly hostIps: readonly string[];
  /** Why a container that should run does not. */
  readonly waiting: (container: string) => Waiting | undefined;
  readonly startup: (containerId: string) => ProbeResult;
  /** undefined while the first probe is out: the last known readiness of that container counts. */
  readonly readiness: (containerId: string) => ProbeResult;
  readonly postStarted: (containerId: string) => boolean;
  /** What the container left in its termination message file. */
  readonly terminationMessage: (containerId: string) => string | undefined;
  /** Set when the agent ended the pod: refused, past its deadline, evicted. */
  readonly verdict: { readonly reason: string; readonly message: string } | undefined;
  /** All containers have ended for good. */
  readonly complete: boolean;
  readonly runtimeName: string;
  readonly resize: Pick<ResizeState, 'allocated' | 'applied' | 'pending' | 'failure'>;
}

/** Conditions that go away again. */
export const passingConditions: readonly string[] = ['PodResizePending', 'PodResizeInProgress'];

export function podStatus(view: StatusView): PodStatus {
  const { pod, runtime, verdict } = view;
  const { initContainers = [], containers = [], hostNetwork = false } = pod.spec ?? {};
  const initContainerStatuses = initContainers.map((one) => containerStatus(view, one, true));
  const containerStatuses = containers.map((one) => containerStatus(view, one, false));
  const ephemeralContainerStatuses = ephemeralContainers(pod).map((one) => containerStatus(view, one, false));
  const phase = phaseOf(view, initContainerStatuses, containerStatuses);
  const podIps = hostNetwork ? view.hostIps : ((readySandbox(runtime) ?? runtime.sandboxes[0])?.ips ?? []);
  const lastIps =
    podIps.length > 0 || runtime.sandboxes.length > 0 ? podIps : (view.before?.podIPs ?? []).map(({ ip }) => ip);
  const { generation } = pod.metadata ?? {};
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    conditions: conditionsOf(view, phase, initContainerStatuses, containerStatuses),
    ...(verdict === undefined ? {} : { reason: verdict.reason, message: verdict.message }),
    hostIP: view.hostIps[0] ?? '',
    hostIPs: view.hostIps.map((ip) => ({ ip })),
    ...(lastIps[0] === undefined ? {} : { podIP: lastIps[0], podIPs: lastIps.map((ip) => ({ ip })) }),
    startTime: timestamp(view.startTime),
    ...(initContainerStatuses.length === 0 ? {} : { initContainerStatuses }),
    ...(verdict !== undefined && runtime.containers.length === 0 ? {} : { containerStatuses }),
    ...(ephemeralContainerStatuses.length === 0 ? {} : { ephemeralContainerStatuses }),
    qosClass: qosClassOf(pod),
  };
}

function containerStatus(view: StatusView, container: Container, isInit: boolean): ContainerStatus {
  const { runtime, pod } = view;
  const { name } = container;
  const last = lastStatusOf(view, name);
  const newest = newestOf(runtime, name);
  const earlier = runtime.containers.filter((one) => one.name === name)[1];
  const waiting = view.waiting(name);
  const ended = newest?.state === 'exited' ? terminated(view, newest) : undefined;
  const running = newest !== undefined && isRunning(newest);
  const state = running
    ? { running: { startedAt: timestamp(newest.startedAt) } }
    : waiting !== undefined || ended === undefined
      ? { waiting: waiting ?? firstReason(pod) }
      : { terminated: ended };
  const before =
    ended !== undefined && 'waiting' in state
      ? ended
      : earlier?.state === 'exited'
        ? terminated(view, earlier)
        : (last?.lastState?.terminated ?? (newest === undefined ? last?.state?.terminated : undefined));
  const started = running && view.postStarted(newest.id) && startedUp(view, container, newest.id);
  return {
    name,
    state,
    lastState: before === undefined ? {} : { terminated: before },
    ready:
      isInit && !isSidecar(container) ? ended?.exitCode === 0 : started && isReady(view, container, newest.id, last),
    restartCount: newest?.restartCount ?? last?.restartCount ?? 0,
    image: newest?.image || container.image || '',
    imageID: newest?.imageId ?? '',
    ...(newest === undefined ? {} : { containerID: `${view.runtimeName}://${newest.id}` }),
    started,
    ...resourcesOf(view, container, running ? newest.id : ''),
  };
}

/** What is set aside for the container, and what it runs with; debug containers have neither. */
function resourcesOf({ resize }: StatusView, { name }: Container, runningId: string): Partial<ContainerStatus> {
  const allocated = resize.allocated.get(name);
  if (allocated === undefined) return {};
  const { requests } = allocated;
  return {
    ...(requests === undefined || Object.keys(requests).length === 0 ? {} : { allocatedResources: requests }),
    resources: resize.applied.get(runningId) ?? allocated,
  };
}

function firstReason(pod: Pod): Waiting {
  return { reason: (pod.spec?.initContainers ?? []).length > 0 ? 'PodInitializing' : 'ContainerCreating' };
}

function startedUp(view: StatusView, container: Container, id: string): boolean {
  return container.startupProbe === undefined || view.startup(id) === 'success';
}

function isReady(view: StatusView, container: Container, id: string, last: ContainerStatus | undefined): boolean {
  if (container.readinessProbe === undefined) return true;
  const result = view.readiness(id);
  // After a restart of the agent no probe has answered yet: what was ready stays ready until one says otherwise.
  if (result === undefined) return last?.containerID === `${view.runtimeName}://${id}` && last.ready;
  return result === 'success';
}

function lastStatusOf({ before }: StatusView, name: string): ContainerStatus | undefined {
  const { initContainerStatuses = [], containerStatuses = [], ephemeralContainerStatuses = [] } = before ?? {};
  return [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses].find(
    (status) => status.name === name,
  );
}

function terminated(view: StatusView, container: RuntimeContainer) {
  const { id, exitCode, startedAt, finishedAt } = container;
  const message = view.terminationMessage(id) ?? container.message;
  return {
    exitCode,
    ...(exitCode > 128 && exitCode <= 128 + 64 && container.reason === '' ? { signal: exitCode - 128 } : {}),
    reason: container.reason || (exitCode === 0 ? 'Completed' : 'Error'),
    ...(message === '' ? {} : { message }),
    ...(startedAt === 0 ? {} : { startedAt: timestamp(startedAt) }),
    ...(finishedAt === 0 ? {} : { finishedAt: timestamp(finishedAt) }),
    containerID: `${view.runtimeName}://${id}`,
  };
}

function phaseOf(
  view: StatusView,
  inits: readonly ContainerStatus[],
  containers: readonly ContainerStatus[],
): 'Pending' | 'Running' | 'Succeeded' | 'Failed' {
  const { pod, verdict, complete } = view;
  if (verdict !== undefined) return 'Failed';
  const before = view.before?.phase;
  if (before === 'Succeeded' || before === 'Failed') return before;
  const policy = pod.spec?.restartPolicy ?? 'Always';
  const exitCodes = containers.map(({ state }) => state?.terminated?.exitCode);
  if (complete) return exitCodes.every((code) => code === 0) ? 'Succeeded' : 'Failed';
  if (containers.length > 0 && exitCodes.every((code) => code !== undefined)) {
    // Everything has ended, and the pod is being deleted or will be restarted.
    if (pod.metadata?.deletionTimestamp !== undefined)
      return exitCodes.every((code) => code === 0) ? 'Succeeded' : 'Failed';
    const again = (pod.spec?.containers ?? []).some((one) => {
      const code = containers.find(({ name }) => name === one.name)?.state?.terminated?.exitCode;
      return code !== undefined && restartsAfter(one, policy, code);
    });
    if (again) return 'Running';
    return exitCodes.every((code) => code === 0) ? 'Succeeded' : 'Failed';
  }
  const begun = containers.every(
    ({ state, lastState }) => state?.waiting === undefined || lastState?.terminated !== undefined,
  );
  return begun && initialized(view, inits, containers) ? 'Running' : 'Pending';
}

/** True once every init container has ended well (or, for sidecars, has started), and from then on. */
function initialized(
  view: StatusView,
  inits: readonly ContainerStatus[],
  containers: readonly ContainerStatus[],
): boolean {
  if (containers.some(({ containerID }) => containerID !== undefined)) return true;
  const sidecars = new Set((view.pod.spec?.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  return inits.every((status) => (sidecars.has(status.name) ? status.started === true : status.ready));
}

function conditionsOf(
  view: StatusView,
  phase: string,
  inits: readonly ContainerStatus[],
  containers: readonly ContainerStatus[],
): readonly PodCondition[] {
  const { pod, runtime } = view;
  const isDone = phase === 'Succeeded' || phase === 'Failed';
  const doneReason = phase === 'Succeeded' ? { reason: 'PodCompleted' } : { reason: 'PodFailed' };
  const sidecarNames = new Set((pod.spec?.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  const sidecars = inits.filter(({ name }) => sidecarNames.has(name));
  const unready = [...sidecars, ...containers].filter(({ ready }) => !ready).map(({ name }) => name);
  const incomplete = inits.filter((one) => (sidecarNames.has(one.name) ? one.started !== true : !one.ready));
  const isInitialized = phase === 'Succeeded' || initialized(view, inits, containers);
  const containersReady: Judgement = isDone
    ? { status: false, ...doneReason }
    : unready.length === 0
      ? { status: true }
      : {
          status: false,
          reason: 'ContainersNotReady',
          message: `containers with unready status: [${unready.join(' ')}]`,
        };
  const gates = (pod.spec?.readinessGates ?? []).filter(
    ({ conditionType }) => pod.status?.conditions?.find(({ type }) => type === conditionType)?.status !== 'True',
  );
  const ready: Judgement =
    containersReady.status && gates.length > 0
      ? {
          status: false,
          reason: 'ReadinessGatesNotReady',
          message: gates
            .map(({ conditionType }) => `the status of pod readiness gate "${conditionType}" is not "True", but False`)
            .join('; '),
        }
      : containersReady;
  const own: readonly (readonly [string, Judgement])[] = [
    ['PodReadyToStartContainers', { status: readySandbox(runtime) !== undefined }],
    [
      'Initialized',
      isInitialized
        ? { status: true, ...(phase === 'Succeeded' ? doneReason : {}) }
        : {
            status: false,
            reason: 'ContainersNotInitialized',
            message: `containers with incomplete status: [${incomplete.map(({ name }) => name).join(' ')}]`,
          },
    ],
    ['Ready', ready],
    ['ContainersReady', containersReady],
    ['PodScheduled', { status: true }],
  ];
  const passing = resizeConditions(view);
  const names = new Set([...own.map(([type]) => type), ...passingConditions]);
  const others = (pod.status?.conditions ?? []).filter(({ type }) => !names.has(type));
  return [...[...own, ...passing].map(([type, judgement]) => condition(view, type, judgement)), ...others];
}

/** Both are there only while there is something to say. */
function resizeConditions({ pod, runtime, resize }: StatusView): readonly (readonly [string, Judgement])[] {
  const { pending, failure } = resize;
  const isUnderWay = (pod.spec?.containers ?? [])
    .concat((pod.spec?.initContainers ?? []).filter(isSidecar))
    .some(({ name }) => {
      const newest = newestOf(runtime, name);
      const applied = newest !== undefined && isRunning(newest) ? resize.applied.get(newest.id) : undefined;
      return applied !== undefined && resourcesChanged(resize.allocated.get(name), applied).length > 0;
    });
  const error = failure === undefined ? {} : { reason: 'Error', message: failure };
  return [
    ...(pending === undefined ? [] : [['PodResizePending', { status: true, ...pending }] as const]),
    ...(isUnderWay ? [['PodResizeInProgress', { status: true, ...error }] as const] : []),
  ];
}

interface Judgement {
  readonly status: boolean;
  readonly reason?: string;
  readonly message?: string;
}

function condition(view: StatusView, type: string, { status, ...why }: Judgement): PodCondition {
  const before = view.before?.conditions?.find((one) => one.type === type);
  const text = status ? 'True' : 'False';
  const { generation } = view.pod.metadata ?? {};
  return {
    type,
    status: text,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...why,
    lastTransitionTime:
      before?.status === text && before.lastTransitionTime !== undefined
        ? before.lastTransitionTime
        : timestamp(view.now),
  };
}
