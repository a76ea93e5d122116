// What has to be done so that the machines become what the file says: a list of steps per machine, from what was seen. Pure,
// so --dry-run prints exactly what would be carried out, and a second run that has nothing to do knows it at once.

import type { Node } from '../api/index.ts';
import { nameOfPlace } from '../host/index.ts';
import { planNode, recordOf, type SshRecord, type WantedNode } from './node-record.ts';

export type Step =
  /** Copy the archive and make its version the current one. `from`: the version that is there. */
  | { readonly kind: 'install'; readonly from: string | undefined; readonly to: string }
  | { readonly kind: 'init'; readonly why: string }
  | { readonly kind: 'join'; readonly why: string }
  /** Labels, taints and the record of the Node; `lines` may be empty when it has just joined. */
  | { readonly kind: 'node'; readonly lines: readonly string[] };

export interface DesiredHost {
  /** What the machine is called in output: its name in the file, or its address. */
  readonly id: string;
  /** undefined: as the machine calls itself. */
  readonly name: string | undefined;
  readonly role: 'control-plane' | 'worker';
  readonly node: WantedNode;
}

export interface ObservedHost {
  readonly hostName: string;
  /** Of the installed k8ts; undefined: none. */
  readonly installed: string | undefined;
  /** Name of the version that would be installed. */
  readonly available: string;
  /** It has run init. */
  readonly isMaster: boolean;
  /** It has joined, or run init. */
  readonly nodeName: string | undefined;
  /** PEM of the CA that it trusts. */
  readonly caPem: string | undefined;
}

interface ObservedCluster {
  readonly caPem: string;
  readonly nodes: readonly Node[];
}

interface Observed {
  /** By id; a machine that could not be looked at is absent. */
  readonly hosts: ReadonlyMap<string, ObservedHost>;
  /** undefined: there is none, or it does not answer. */
  readonly cluster: ObservedCluster | undefined;
}

export interface HostPlan {
  readonly id: string;
  readonly nodeName: string;
  readonly role: DesiredHost['role'];
  readonly steps: readonly Step[];
  /** Why nothing can be done with it. */
  readonly refused: string | undefined;
}

export interface Removal {
  readonly nodeName: string;
  readonly ssh: SshRecord;
}

export interface UpPlan {
  /** The control plane first. */
  readonly hosts: readonly HostPlan[];
  /** Nodes that `up` has made and that the file does not have any more. */
  readonly removals: readonly Removal[];
  /** Nodes that neither the file nor `up` knows. */
  readonly foreign: readonly string[];
}

export function planUp(desired: readonly DesiredHost[], observed: Observed): UpPlan {
  const { cluster } = observed;
  const inOrder = [...desired].sort((a, b) => Number(b.role === 'control-plane') - Number(a.role === 'control-plane'));
  const hosts = inOrder.flatMap((want) => {
    const have = observed.hosts.get(want.id);
    return have === undefined ? [] : [planHost(want, have, cluster)];
  });
  const names = new Set([
    ...hosts.map(({ nodeName }) => nodeName),
    ...desired.flatMap(({ name }) => (name === undefined ? [] : [name])),
  ]);
  // A machine of the file may have a node of another name: it could not be looked at, or shall be renamed, which is refused.
  const inFile = desired.map(({ node }) => placeOf(node.ssh));
  const others = (cluster?.nodes ?? []).filter((node) => !names.has(node.metadata?.name ?? ''));
  const removals = others.flatMap((node) => {
    const record = recordOf(node);
    if (record === undefined || inFile.includes(placeOf(record.ssh))) return [];
    return [{ nodeName: node.metadata?.name ?? '', ssh: record.ssh }];
  });
  const foreign = others.filter((node) => recordOf(node) === undefined).map((node) => node.metadata?.name ?? '');
  return { hosts, removals, foreign };
}

function placeOf({ address, port, bastion }: SshRecord): string {
  return `${address}:${port} ${bastion?.address ?? ''}`;
}

function planHost(want: DesiredHost, have: ObservedHost, cluster: ObservedCluster | undefined): HostPlan {
  const nodeName = want.name ?? have.nodeName ?? have.hostName.toLowerCase();
  const head = { id: want.id, nodeName, role: want.role };
  const refused = whyRefused(want, have, cluster);
  if (refused !== undefined) return { ...head, steps: [], refused };
  const node = cluster?.nodes.find(({ metadata }) => metadata?.name === nodeName);
  const isNew = have.installed !== have.available;
  const steps: Step[] = isNew ? [{ kind: 'install', from: have.installed, to: have.available }] : [];
  const why = whyNotMember(want, have, node) ?? (isNew ? 'another version is installed' : undefined);
  if (why !== undefined) steps.push({ kind: want.role === 'control-plane' ? 'init' : 'join', why });
  const change = node === undefined ? undefined : planNode(want.node, node);
  if (change !== undefined || node === undefined) steps.push({ kind: 'node', lines: change?.lines ?? [] });
  return { ...head, steps, refused: undefined };
}

function whyRefused(want: DesiredHost, have: ObservedHost, cluster: ObservedCluster | undefined): string | undefined {
  if (want.name !== undefined && have.nodeName !== undefined && want.name !== have.nodeName)
    return `it is node ${have.nodeName} already; a node cannot be renamed: run k8ts reset on it first`;
  if (want.role === 'worker' && have.isMaster) return 'it is a control plane: run k8ts reset on it first';
  if (want.role === 'control-plane' && have.nodeName !== undefined && !have.isMaster)
    return 'it is a worker of another control plane: run k8ts reset on it first';
  if (
    want.role === 'worker' &&
    have.nodeName !== undefined &&
    cluster !== undefined &&
    !sameCa(have.caPem, cluster.caPem)
  )
    return 'it belongs to another cluster: run k8ts reset on it first';
  return undefined;
}

function whyNotMember(want: DesiredHost, have: ObservedHost, node: Node | undefined): string | undefined {
  if (want.role === 'control-plane' && !have.isMaster) return 'it is no control plane yet';
  if (have.nodeName === undefined) return 'it is no node yet';
  if (node === undefined) return 'the cluster does not have its node';
  const settings = recordOf(node)?.settings;
  if (settings !== undefined && settings !== want.node.settings) return 'what the file says of the cluster has changed';
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' ? undefined : `its node is not Ready: ${ready?.message ?? 'it has not reported yet'}`;
}

/** While a CA is being replaced, either file holds both: one in common is enough. */
function sameCa(a: string | undefined, b: string): boolean {
  const certificates = (pem: string): string[] => pem.match(/-----BEGIN[^-]+-----[^-]+-----END/g) ?? [];
  const theirs = new Set(certificates(b).map((one) => one.replaceAll(/\s/g, '')));
  return certificates(a ?? '').some((one) => theirs.has(one.replaceAll(/\s/g, '')));
}

/** One line per step, as --dry-run prints it. @param removes whether nodes that are not in the file are removed */
export function describePlan(
  { hosts, removals }: UpPlan,
  { removes }: { readonly removes: boolean },
): readonly string[] {
  return [
    ...hosts.flatMap(({ id, steps, refused }) => [
      ...(refused === undefined ? [] : [`${id}: refused: ${refused}`]),
      ...steps.map((step) => `${id}: ${describeStep(step)}`),
    ]),
    ...(removes ? removals : []).map(
      ({ nodeName, ssh }) => `${nodeName}: drain the node, reset ${nameOfPlace(ssh)}, delete the node`,
    ),
  ];
}

/** What a person should know about nodes that stay though the file does not have them. */
export function describeStrays(
  { removals, foreign }: UpPlan,
  { removes }: { readonly removes: boolean },
): readonly string[] {
  return [
    ...(removes ? [] : removals).map(({ nodeName }) => `${nodeName} is not in the file; --prune removes it.`),
    ...foreign.map((name) => `${name} is not in the file and did not come from up; it is left alone.`),
  ];
}

function describeStep(step: Step): string {
  switch (step.kind) {
    case 'install':
      return `install k8ts ${step.to}${step.from === undefined ? '' : ` (has ${step.from})`}`;
    case 'init':
      return `k8ts init (${step.why})`;
    case 'join':
      return `k8ts join (${step.why})`;
    case 'node':
      return step.lines.length === 0 ? 'set labels and taints of its node' : step.lines.join(', ');
  }
}
