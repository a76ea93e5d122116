// The columns of Pods. STATUS is the one word that tells most: the reason of the container that holds the pod up, the
// init step it is at, or its phase. Source: upstream's printPod.

import { ageOf } from '../duration.ts';
import type { Column } from '../kind.ts';
import type { ContainerStatus, Pod } from '../types.ts';
import { age, orNone, text, wide } from './column.ts';

interface PodSummary {
  readonly ready: number;
  readonly total: number;
  readonly reason: string;
  readonly restarts: number;
  /** RFC 3339; when the last container that was restarted had ended. */
  readonly lastRestart: string | undefined;
}

/** READY, STATUS and RESTARTS of a pod. */
function summarizePod(pod: Pod): PodSummary {
  const { spec, status = {}, metadata } = pod;
  const sidecars = new Set(
    (spec?.initContainers ?? []).flatMap((init) => (init.restartPolicy === 'Always' ? [init.name] : [])),
  );
  const total = (spec?.containers?.length ?? 0) + sidecars.size;
  const gated = (status.conditions ?? []).some(
    ({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
  );
  const phase = gated ? 'SchedulingGated' : status.reason || status.phase || '';
  const init = summarizeInit(status.initContainerStatuses ?? [], sidecars, spec?.initContainers?.length ?? 0);
  const initialized = hasCondition(pod, 'Initialized');
  const summary =
    init.reason !== undefined && !initialized
      ? { ready: init.ready, reason: init.reason, ...restartsOf(status.initContainerStatuses ?? []) }
      : summarizeContainers(pod, init.reason ?? phase, init.ready, sidecars);
  return { ...summary, total, reason: deletionReason(pod) ?? summary.reason };

  function deletionReason({ status: at }: Pod): string | undefined {
    if (metadata?.deletionTimestamp === undefined) return undefined;
    if (at?.reason === 'NodeLost') return 'Unknown';
    return at?.phase === 'Succeeded' || at?.phase === 'Failed' ? undefined : 'Terminating';
  }
}

/** `reason` is undefined when initialization is over. */
function summarizeInit(
  statuses: readonly ContainerStatus[],
  sidecars: ReadonlySet<string>,
  total: number,
): { readonly ready: number; readonly reason: string | undefined } {
  let ready = 0;
  for (const [index, { name, state, started, ready: isReady }] of statuses.entries()) {
    const ended = state?.terminated;
    if (ended?.exitCode === 0) continue;
    if (sidecars.has(name) && started === true) {
      if (isReady) ready += 1;
      continue;
    }
    const waiting = state?.waiting?.reason ?? '';
    if (ended !== undefined) return { ready, reason: `Init:${endedText(ended)}` };
    if (waiting !== '' && waiting !== 'PodInitializing') return { ready, reason: `Init:${waiting}` };
    return { ready, reason: `Init:${index}/${total}` };
  }
  return { ready, reason: undefined };
}

function summarizeContainers(
  pod: Pod,
  start: string,
  readyBefore: number,
  sidecars: ReadonlySet<string>,
): Omit<PodSummary, 'total'> {
  const statuses = pod.status?.containerStatuses ?? [];
  const inits = (pod.status?.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name));
  let reason = start;
  let ready = readyBefore;
  let running = false;
  for (const { state, ready: isReady } of [...statuses].reverse()) {
    if (state?.waiting?.reason) reason = state.waiting.reason;
    else if (state?.terminated !== undefined) reason = endedText(state.terminated);
    else if (isReady && state?.running !== undefined) {
      running = true;
      ready += 1;
    }
  }
  if (reason === 'Completed' && running) reason = hasCondition(pod, 'Ready') ? 'Running' : 'NotReady';
  return { ready, reason, ...restartsOf([...inits, ...statuses]) };
}

function endedText(ended: { readonly reason?: string; readonly signal?: number; readonly exitCode: number }): string {
  if (ended.reason) return ended.reason;
  return ended.signal ? `Signal:${ended.signal}` : `ExitCode:${ended.exitCode}`;
}

function restartsOf(statuses: readonly ContainerStatus[]): Pick<PodSummary, 'restarts' | 'lastRestart'> {
  const ends = statuses.flatMap(({ lastState }) => lastState?.terminated?.finishedAt ?? []).sort();
  return {
    restarts: statuses.reduce((sum, { restartCount }) => sum + restartCount, 0),
    lastRestart: ends.at(-1),
  };
}

function hasCondition({ status }: Pod, wanted: string): boolean {
  return (status?.conditions ?? []).some(({ type, status: is }) => type === wanted && is === 'True');
}

function readinessGates(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  return `${gates.filter(({ conditionType }) => hasCondition(pod, conditionType)).length}/${gates.length}`;
}

export const podColumns: readonly Column<Pod>[] = [
  text('Ready', 'Ready containers of all containers.', (pod) => {
    const { ready, total } = summarizePod(pod);
    return `${ready}/${total}`;
  }),
  text('Status', 'What the pod is doing or what holds it up.', (pod) => summarizePod(pod).reason),
  text('Restarts', 'How often containers were restarted, and when last.', (pod, now) => {
    const { restarts, lastRestart } = summarizePod(pod);
    return restarts === 0 || lastRestart === undefined ? `${restarts}` : `${restarts} (${ageOf(lastRestart, now)} ago)`;
  }),
  age,
  wide('IP', 'Address of the pod.', ({ status }) => orNone(status?.podIPs?.[0]?.ip ?? status?.podIP)),
  wide('Node', 'Node the pod is bound to.', ({ spec }) => orNone(spec?.nodeName)),
  wide('Nominated Node', 'Node that preemption makes room on.', ({ status }) => orNone(status?.nominatedNodeName)),
  wide('Readiness Gates', 'Passed readiness gates of all.', readinessGates),
];
