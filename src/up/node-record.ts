// What `up` keeps about a node, as an annotation of the Node object: how the machine is reached, so that it can be reset
// after it was taken out of the file, and which labels and taints came from the file, so that those which are taken out
// there go while those that others set stay. Nodes without the annotation joined in another way and are left alone.
//
//   k8ts.dev/up: {"ssh":{"address":"192.0.2.11","port":22,"user":"root"},"labels":["disk"],"taints":["dedicated:NoSchedule"]}

import { isDeepStrictEqual } from 'node:util';
import type { Node } from '../api/index.ts';
import type { NodeTaint } from '../config/index.ts';

export const recordAnnotation = 'k8ts.dev/up';

/** How a machine is reached, without secrets. */
export interface SshRecord {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly hostKey?: string | undefined;
  readonly bastion?: Omit<SshRecord, 'bastion'> | undefined;
}

export interface NodeRecord {
  readonly ssh: SshRecord;
  /** Keys of labels that are the file's. */
  readonly labels: readonly string[];
  /** KEY:EFFECT of taints that are the file's. */
  readonly taints: readonly string[];
  /** Hash of what init was told; on the control plane. */
  readonly settings?: string | undefined;
}

export interface WantedNode extends Pick<NodeRecord, 'ssh' | 'settings'> {
  readonly labels: Readonly<Record<string, string>>;
  /** undefined: the node keeps those that it registered with. */
  readonly taints: readonly NodeTaint[] | undefined;
}

interface NodeChange {
  /** For people: "label disk=ssd", "taint dedicated:NoSchedule removed". Empty when only the record changes. */
  readonly lines: readonly string[];
  /** A merge patch (RFC 7386) of the Node. */
  readonly patch: object;
}

/** undefined when there is no record, or one that cannot be read. */
export function recordOf(node: Node): NodeRecord | undefined {
  const text = node.metadata?.annotations?.[recordAnnotation];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as NodeRecord;
  } catch {
    return undefined;
  }
}

/** What has to change on `node`; undefined: nothing. */
export function planNode(want: WantedNode, node: Node): NodeChange | undefined {
  const before = recordOf(node);
  const have = node.metadata?.labels ?? {};
  const set = Object.entries(want.labels).filter(([key, value]) => have[key] !== value);
  const gone = (before?.labels ?? []).filter((key) => want.labels[key] === undefined && have[key] !== undefined);
  const taints = plannedTaints(want, before, node);
  const record: NodeRecord = {
    ssh: want.ssh,
    labels: Object.keys(want.labels).sort(),
    taints: (want.taints ?? []).map(taintName).sort(),
    settings: want.settings,
  };
  const lines = [
    ...set.map(([key, value]) => `label ${key}=${value}`),
    ...gone.map((key) => `label ${key} removed`),
    ...taints.lines,
  ];
  if (lines.length === 0 && isDeepStrictEqual(before, JSON.parse(JSON.stringify(record)))) return undefined;
  const labels = Object.fromEntries([...set, ...gone.map((key) => [key, null] as const)]);
  const patch = {
    metadata: { labels, annotations: { [recordAnnotation]: JSON.stringify(record) } },
    ...(taints.lines.length === 0 ? {} : { spec: { taints: taints.all } }),
  };
  return { lines, patch };
}

/** Taints that the file names are set as it says; those that it named before go; the cluster's own (not-ready, …) stay. */
function plannedTaints({ taints: want }: WantedNode, before: NodeRecord | undefined, node: Node) {
  const have = (node.spec?.taints ?? []) as readonly NodeTaint[];
  if (want === undefined && before === undefined) return { lines: [], all: have };
  const wanted = new Map((want ?? []).map((taint) => [taintName(taint), taint]));
  const named = new Set(before?.taints ?? []);
  // Without a record the node has just registered: `taints` in the file replaces what a control plane has by default.
  const isOurs = (taint: NodeTaint): boolean =>
    named.has(taintName(taint)) || (want !== undefined && before === undefined && !isOfTheCluster(taint));
  const gone = have.filter((taint) => isOurs(taint) && !wanted.has(taintName(taint)));
  const set = [...wanted.values()].filter((taint) => !have.some((one) => sameTaint(one, taint)));
  const kept = have.filter((taint) => !gone.includes(taint) && !set.some((one) => taintName(one) === taintName(taint)));
  return {
    lines: [
      ...set.map((taint) => `taint ${taint.key}${taint.value === undefined ? '' : `=${taint.value}`}:${taint.effect}`),
      ...gone.map((taint) => `taint ${taintName(taint)} removed`),
    ],
    all: [...kept, ...set],
  };
}

function isOfTheCluster({ key }: NodeTaint): boolean {
  return key.startsWith('node.kubernetes.io/') || key.startsWith('node.cloudprovider.kubernetes.io/');
}

function taintName({ key, effect }: NodeTaint): string {
  return `${key}:${effect}`;
}

function sameTaint(a: NodeTaint, b: NodeTaint): boolean {
  return taintName(a) === taintName(b) && (a.value ?? '') === (b.value ?? '');
}
