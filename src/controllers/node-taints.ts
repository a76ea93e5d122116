// The taints that a node should have by its conditions. Pure. Two kinds (upstream's TaintNodesByCondition and
// TaintBasedEvictions):
//   NoSchedule  mirrors conditions and cordoning at once: no new pods
//   NoExecute   not-ready or unreachable: pods leave when their tolerationSeconds are over. These come slowly, and not
//               at all when most nodes look dead: then it is likelier that the master has lost its network.

import { type Node, type Stored, type Taint, timestamp } from '../api/index.ts';
import { zoneLabel } from './service-endpoints.ts';
import { timeOf } from './wire-time.ts';

const notReadyTaint = 'node.kubernetes.io/not-ready';
const unreachableTaint = 'node.kubernetes.io/unreachable';
const unschedulableTaint = 'node.kubernetes.io/unschedulable';
const excludedLabel = 'node.kubernetes.io/exclude-disruption';
const regionLabel = 'topology.kubernetes.io/region';

/** Which condition, at which status, becomes which NoSchedule taint. */
const conditionTaints: readonly { readonly type: string; readonly status: string; readonly key: string }[] = [
  { type: 'Ready', status: 'False', key: notReadyTaint },
  { type: 'Ready', status: 'Unknown', key: unreachableTaint },
  { type: 'MemoryPressure', status: 'True', key: 'node.kubernetes.io/memory-pressure' },
  { type: 'DiskPressure', status: 'True', key: 'node.kubernetes.io/disk-pressure' },
  { type: 'NetworkUnavailable', status: 'True', key: 'node.kubernetes.io/network-unavailable' },
  { type: 'PIDPressure', status: 'True', key: 'node.kubernetes.io/pid-pressure' },
];

const mirrored = new Set([...conditionTaints.map(({ key }) => key), unschedulableTaint]);

export function readyStatus(node: Node): string {
  return node.status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';
}

export interface TaintLimits {
  /** ms between two nodes of a zone getting a NoExecute taint. */
  readonly evictionInterval: number;
  /** As above, in a big zone of which most nodes are not ready. */
  readonly secondaryEvictionInterval: number;
}

export interface TaintPlan {
  readonly taints: readonly Taint[];
  /** ms until a NoExecute taint that had to wait may be set. */
  readonly waitFor: number | undefined;
}

export function planTaints(node: Node, all: readonly Stored<Node>[], limits: TaintLimits, now: number): TaintPlan {
  const wanted = noScheduleKeys(node);
  const evicting = noExecutePlan(node, all, limits, now);
  const present = node.spec?.taints ?? [];
  const kept = present.filter(({ key, effect }) => {
    if (effect === 'NoSchedule' && mirrored.has(key)) return wanted.includes(key);
    if (isEvicting({ key, effect })) return key === evicting.key;
    return true;
  });
  const missing: Taint[] = wanted.map((key) => ({ key, effect: 'NoSchedule' }));
  if (evicting.key !== undefined) missing.push({ key: evicting.key, effect: 'NoExecute' });
  const added = missing
    .filter(({ key, effect }) => !kept.some((taint) => taint.key === key && taint.effect === effect))
    .map((taint) => ({ ...taint, timeAdded: timestamp(now) }));
  return { taints: [...kept, ...added], waitFor: evicting.waitFor };
}

function noScheduleKeys(node: Node): readonly string[] {
  const conditions = node.status?.conditions ?? [];
  const keys = conditionTaints
    .filter(({ type, status }) =>
      conditions.some((condition) => condition.type === type && condition.status === status),
    )
    .map(({ key }) => key);
  return node.spec?.unschedulable === true ? [...keys, unschedulableTaint] : keys;
}

function isEvicting({ key, effect }: Taint): boolean {
  return effect === 'NoExecute' && (key === notReadyTaint || key === unreachableTaint);
}

interface NoExecutePlan {
  readonly key: string | undefined;
  readonly waitFor: number | undefined;
}

function noExecutePlan(node: Node, all: readonly Stored<Node>[], limits: TaintLimits, now: number): NoExecutePlan {
  const status = readyStatus(node);
  const hasCondition = (node.status?.conditions ?? []).some(({ type }) => type === 'Ready');
  if (status === 'True' || !hasCondition) return { key: undefined, waitFor: undefined };
  const counted = all.filter((other) => other.metadata.labels?.[excludedLabel] === undefined);
  if (!counted.some((other) => readyStatus(other) === 'True')) return { key: undefined, waitFor: undefined };
  const key = status === 'False' ? notReadyTaint : unreachableTaint;
  // A node that is evicting already only changes the reason.
  const current = (node.spec?.taints ?? []).find(isEvicting);
  if (current !== undefined) return { key, waitFor: undefined };
  const zone = counted.filter((other) => zoneOf(other) === zoneOf(node));
  const interval = intervalFor(zone, limits);
  if (interval === undefined) return { key: undefined, waitFor: undefined };
  const waitFor = lastEviction(zone) + interval - now;
  return waitFor > 0 ? { key: undefined, waitFor } : { key, waitFor: undefined };
}

function zoneOf({ metadata }: Node): string {
  return `${metadata?.labels?.[regionLabel] ?? ''}:${metadata?.labels?.[zoneLabel] ?? ''}`;
}

/** Upstream's rule: a zone of which 55 % and more than two nodes are not ready evicts slowly if it is big, else not at all. */
function intervalFor(zone: readonly Node[], limits: TaintLimits): number | undefined {
  const notReady = zone.filter((node) => readyStatus(node) !== 'True').length;
  if (notReady <= 2 || notReady / zone.length < 0.55 || notReady === zone.length) return limits.evictionInterval;
  return zone.length > 50 ? limits.secondaryEvictionInterval : undefined;
}

/** When a node of the zone last got its NoExecute taint; the cluster remembers it, so that a restart does not forget. */
function lastEviction(zone: readonly Node[]): number {
  const times = zone.flatMap((node) =>
    (node.spec?.taints ?? []).filter(isEvicting).map(({ timeAdded }) => timeOf(timeAdded)),
  );
  return Math.max(0, ...times);
}
