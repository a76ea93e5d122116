// `k8ts up`, from the file to a cluster that is as it says:
//
//   look      connect to every machine, take its lock, see what it is          (many at once)
//   plan      what is, against what the file says → steps per machine          (pure)
//   act       install everywhere; init on the control plane; then join; labels (many at once, joins wait for init)
//   remove    nodes that are not in the file any more                          (only with --prune)
//
// A machine that fails is left as it is and reported at the end; the others are not kept waiting.

import { kinds } from '../api/index.ts';
import { CodedError, createSlots } from '../base/index.ts';
import { type BundleArchitecture, readTree } from '../bundle/index.ts';
import { paths } from '../config/index.ts';
import type { SshTarget } from '../host/index.ts';
import { act, removeAll } from './act.ts';
import { settingsOf } from './carry-out.ts';
import { type ClusterAccess, openCluster } from './cluster-access.ts';
import type { ClusterFile, FileHost } from './cluster-file.ts';
import { createAttempts, type Failure, type Machine, openMachine, type PhaseTime } from './machines.ts';
import type { SshRecord } from './node-record.ts';
import { describePlan, describeStrays, type ObservedHost, planUp, type UpPlan } from './plan.ts';
import { type Entry, masterOf, notFailed, type Stage, type UpOptions } from './stage.ts';
import type { ReachOf } from './targets.ts';

export interface UpReport {
  /** What was, or would be, done: a line per step. Empty: everything was as the file says. */
  readonly plan: readonly string[];
  /** About nodes that the file does not have. */
  readonly strays: readonly string[];
  readonly failures: readonly Failure[];
  readonly times: readonly PhaseTime[];
  /** The administrator's kubeconfig; undefined: there is no control plane. */
  readonly adminConf: string | undefined;
  readonly machines: number;
}

/** @throws the signal's reason when it aborts, after every machine has been let go */
export async function runUp(options: UpOptions): Promise<UpReport> {
  const { file, signal, dryRun, startProgress } = options;
  const entries = await entriesOf(file, options.reachOf);
  const machines = new Map<string, Machine>();
  let progress = await startProgress(entries.map(({ id }) => id));
  let cluster: ClusterAccess | undefined;
  const attempts = createAttempts(() => progress, signal);
  const opened: ClusterAccess[] = [];
  const open: typeof openCluster = async (master, adminConf) => {
    const access = await openCluster(master, adminConf);
    opened.push(access);
    return access;
  };
  try {
    await look(entries, { options, attempts, progress, machines });
    await progress.end();
    signal.throwIfAborted();
    const master = masterOf(entries);
    const seen = machines.get(master.id);
    if (seen?.seen.isMaster === true && seen.seen.adminConf !== undefined) {
      const { adminConf } = seen.seen;
      cluster = await attempts.phase(master.id, 'observe', () => open(seen.host, adminConf)).catch(notFailed);
    }
    const plan = await planFrom(entries, { machines, cluster, programRoot: options.programRoot, signal });
    const removes = plan.removals.length > 0 && (await options.mayRemove(plan.removals));
    const lines = describePlan(plan, { removes });
    for (const { id, refused } of plan.hosts) {
      if (refused !== undefined)
        await attempts.phase(id, 'plan', () => Promise.reject(hostRefused(id, refused))).catch(notFailed);
    }
    if (!dryRun && lines.length > 0) {
      const busy = plan.hosts.filter(({ steps }) => steps.length > 0).map(({ id }) => id);
      progress = await startProgress([...busy, ...(removes ? plan.removals.map(({ nodeName }) => nodeName) : [])]);
      cluster = await act(entries, plan, { options, attempts, progress, machines, cluster, openCluster: open });
      if (removes) await removeAll(plan.removals, { options, attempts, progress, cluster });
      await progress.end();
    }
    signal.throwIfAborted();
    const adminConf = dryRun ? undefined : await adminConfOf(machines.get(master.id));
    const { failures, times } = attempts;
    return {
      plan: lines,
      strays: describeStrays(plan, { removes }),
      failures,
      times,
      adminConf,
      machines: entries.length,
    };
  } finally {
    await progress.end();
    await Promise.all(opened.map((access) => access.close()));
    await Promise.all([...machines.values()].map((machine) => machine.close()));
  }
}

async function look(
  entries: readonly Entry[],
  { options, attempts, progress, machines }: Stage & { readonly machines: Map<string, Machine> },
): Promise<void> {
  const { ssh, signal, dryRun, concurrency } = options;
  const slots = createSlots(concurrency);
  await Promise.all(
    entries.map(({ id, reach }) =>
      slots.use(async () => {
        try {
          machines.set(id, await openMachine(id, reach, { attempts, progress, ssh, signal, locks: !dryRun }));
          progress.done(id, 'connected');
        } catch (error) {
          notFailed(error);
        }
      }),
    ),
  );
}

interface PlanInput {
  readonly machines: ReadonlyMap<string, Machine>;
  readonly cluster: ClusterAccess | undefined;
  readonly programRoot: string;
  readonly signal: AbortSignal;
}

async function planFrom(
  entries: readonly Entry[],
  { machines, cluster, programRoot, signal }: PlanInput,
): Promise<UpPlan> {
  const hosts = new Map<string, ObservedHost>();
  const names = new Map<BundleArchitecture, string>();
  for (const { id, seen } of machines.values()) {
    const { architecture } = seen;
    const available = names.get(architecture) ?? (await readTree(programRoot, architecture)).manifest.name;
    names.set(architecture, available);
    hosts.set(id, { ...seen, available });
  }
  const desired = entries.map(({ want }) => want);
  // A server that does not answer is no cluster: init on its machine says why, or mends it.
  const nodes =
    cluster === undefined ? undefined : await cluster.client.list(kinds.node, { signal }).catch(() => undefined);
  signal.throwIfAborted();
  const observed =
    cluster === undefined || nodes === undefined ? undefined : { caPem: cluster.caPem, nodes: nodes.items };
  return planUp(desired, { hosts, cluster: observed });
}

async function entriesOf(file: ClusterFile, reachOf: ReachOf): Promise<readonly Entry[]> {
  const labelOf = ({ name, address, port }: FileHost): string => {
    const isAlone = file.hosts.filter((other) => other.name === undefined && other.address === address).length === 1;
    return name ?? (isAlone ? address : `${address}:${port ?? file.ssh?.port ?? 22}`);
  };
  return Promise.all(
    file.hosts.map(async (host) => {
      const id = labelOf(host);
      const reach = await reachOf(host);
      const settings = host.role === 'control-plane' ? settingsOf(file, host) : undefined;
      const node = { ssh: recordable(reach.target), labels: host.labels ?? {}, taints: host.taints, settings };
      return { id, host, reach, want: { id, name: host.name, role: host.role ?? 'worker', node } };
    }),
  );
}

function recordable({ address, port, user, hostKey, bastion }: SshTarget): SshRecord {
  return {
    address,
    port,
    user,
    ...(hostKey === undefined ? {} : { hostKey }),
    ...(bastion === undefined ? {} : { bastion: recordable(bastion) }),
  };
}

async function adminConfOf(machine: Machine | undefined): Promise<string | undefined> {
  return (await machine?.host.readFileIfExists(paths.adminConf))?.toString('utf8');
}

function hostRefused(id: string, why: string): CodedError {
  return new CodedError('HOST_REFUSED', `${id}: ${why}`, {
    exit: 'preflight',
    hint: `if it shall be part of this cluster, run on it: k8ts reset`,
  });
}
