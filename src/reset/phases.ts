// `k8ts reset`: leave the cluster, stop everything, take back every change that the journal holds. Rules, links and files
// that k8ts did not make stay as they are: nothing is guessed from names, except what CNI plugins keep of pods whose
// runtime is dead (cni-state.ts).

import { setTimeout as delay } from 'node:timers/promises';
import { kinds } from '../api/index.ts';
import { CodedError, codeOf, messageOf } from '../base/index.ts';
import { commandLink, installDir } from '../bundle/index.ts';
import { ApiStatusError } from '../client/index.ts';
import { agentService, serverService } from '../config/index.ts';
import { type Change, type Host, type UndoReport, undoChanges, unmountBelow } from '../host/index.ts';
import type { Phase } from '../workflow/index.ts';
import { removeCniState } from './cni-state.ts';
import type { ResetContext } from './context.ts';

/** On every sandbox that the agent makes (as the kubelet does): the pod's uid. */
const podLabel = 'io.kubernetes.pod.uid';
/** Where the runtime writes containers' logs, in a folder per pod: the place that kubelets use. */
const podLogs = '/var/log/pods';
/** Where the agent links to each container's log: POD_NAMESPACE_CONTAINER-ID.log. */
const logLinks = '/var/log/containers';
const cgroupRoot = '/sys/fs/cgroup/';
/** ms that the API server gets for removing the node; it may be on this very machine, or gone. */
const apiPatience = 3000;
/** ms that killed processes get to be gone, and between two looks. */
const killPatience = 2000;
const killStep = 20;

const leaveCluster: Phase<ResetContext> = {
  name: 'leave-cluster',
  title: 'Removing the node from the cluster',
  skipReason: ({ client, nodeName }) =>
    client === undefined || nodeName === undefined ? 'this machine is not a node' : undefined,
  run: async ({ client, nodeName = '', say }, progress) => {
    const signal = AbortSignal.any([progress.signal, AbortSignal.timeout(apiPatience)]);
    try {
      await client?.delete(kinds.node, { name: nodeName }, { signal });
    } catch (error) {
      progress.signal.throwIfAborted();
      if (error instanceof ApiStatusError && error.reason === 'NotFound') return;
      const forbidden = error instanceof ApiStatusError && error.reason === 'Forbidden';
      const why = forbidden ? 'a node may not remove itself' : messageOf(error);
      say(`The node object stays: ${why}. On the master run: kubectl delete node ${nodeName}`);
    }
  },
};

const stopServices: Phase<ResetContext> = {
  name: 'stop-services',
  title: 'Stopping services',
  run: async ({ services }) => {
    for (const name of [agentService, serverService]) await services.stop(name);
  },
};

const removePods: Phase<ResetContext> = {
  name: 'remove-pods',
  title: 'Removing pods',
  run: async ({ cri, host, agentData, say }, progress) => {
    if (cri === undefined) {
      progress.report('no container runtime answers');
      return removeLogsOfKnownPods(host, `${agentData}/pods`);
    }
    const all = await cri.listPodSandbox({}, progress.signal);
    const ours = all.filter(({ labels }) => Object.hasOwn(labels ?? {}, podLabel));
    progress.report(`${ours.length} pods`);
    await Promise.all(
      ours.map(async ({ id, metadata }) => {
        try {
          await cri.stopPodSandbox(id, progress.signal);
          await cri.removePodSandbox(id, progress.signal);
        } catch (error) {
          progress.signal.throwIfAborted();
          say(`Pod ${metadata?.namespace}/${metadata?.name} stays in the container runtime: ${messageOf(error)}`);
        }
        if (metadata === undefined) return;
        const { namespace, name, uid } = metadata;
        await host.remove(`${podLogs}/${namespace}_${name}_${uid}`, { recursive: true });
        await removeLinks(host, `${name}_${namespace}_`);
      }),
    );
    // The agent may have been stopped between removing a pod's sandbox and its logs.
    await removeLogsOfKnownPods(host, `${agentData}/pods`);
  },
};

/** The agent has a folder for each of its pods, named by the uid that a folder of logs ends with. */
async function removeLogsOfKnownPods(host: Host, podsDir: string): Promise<void> {
  if ((await host.stat(podsDir)) === undefined || (await host.stat(podLogs)) === undefined) return;
  const uids = await host.readDir(podsDir);
  for (const folder of await host.readDir(podLogs)) {
    const [namespace = '', name = '', uid = ''] = folder.split('_');
    if (!uids.includes(uid)) continue;
    await host.remove(`${podLogs}/${folder}`, { recursive: true });
    await removeLinks(host, `${name}_${namespace}_`);
  }
}

async function removeLinks(host: Host, prefix: string): Promise<void> {
  if ((await host.stat(logLinks)) === undefined) return;
  const links = (await host.readDir(logLinks)).filter((name) => name.startsWith(prefix));
  for (const name of links) await host.remove(`${logLinks}/${name}`);
}

/**
 * The folders of pods in the kernel's cgroup hierarchies, where the agent found none before its own. Processes that are
 * still in them are pods whose runtime is dead.
 */
const removeCgroups: Phase<ResetContext> = {
  name: 'remove-cgroups',
  title: "Removing pods' cgroups",
  run: async ({ host, journal }) => {
    const own = (await journal.changes()).flatMap((change) =>
      change.kind === 'directory' && change.path.startsWith(cgroupRoot) ? [change.path] : [],
    );
    for (const path of own) await endProcesses(host, path);
    for (const path of own) await removeCgroup(host, path);
  },
};

async function endProcesses(host: Host, path: string): Promise<void> {
  for (let waited = 0; waited < killPatience; waited += killStep) {
    const pids = await processesBelow(host, path);
    if (pids.length === 0) return;
    if (waited === 0) await host.run('kill', ['-KILL', ...pids], { accept: [1] });
    await delay(killStep);
  }
}

async function processesBelow(host: Host, path: string): Promise<string[]> {
  if ((await host.stat(path))?.kind !== 'directory') return [];
  const below = await Promise.all((await host.readDir(path)).map((name) => processesBelow(host, `${path}/${name}`)));
  const own = (await host.readFileIfExists(`${path}/cgroup.procs`))?.toString('utf8') ?? '';
  return [...own.split('\n').filter((pid) => pid !== '' && pid !== '0'), ...below.flat()];
}

/** Deepest first; one that still has processes stays, and so do those above it. */
async function removeCgroup(host: Host, path: string): Promise<void> {
  if ((await host.stat(path))?.kind !== 'directory') return;
  for (const name of await host.readDir(path)) await removeCgroup(host, `${path}/${name}`);
  await host.remove(path).catch((error: unknown) => {
    if (codeOf(error) !== 'EBUSY' && codeOf(error) !== 'ENOTEMPTY') throw error;
  });
}

const unmountVolumes: Phase<ResetContext> = {
  name: 'unmount-volumes',
  title: "Unmounting pods' volumes",
  run: async ({ host, agentData }) => unmountBelow(host, agentData),
};

const removeServices: Phase<ResetContext> = {
  name: 'remove-services',
  title: 'Removing services',
  run: async ({ services }) => {
    for (const name of [agentService, serverService]) await services.remove(name);
  },
};

const undo: Phase<ResetContext> = {
  name: 'undo-changes',
  title: 'Taking back changes to this machine',
  run: async ({ host, journal, say }, { signal }) => {
    const report = await undoChanges(host, journal, { signal, last: isProgram });
    say(summary(report));
    if (report.failed.length === 0) return;
    const lines = report.failed.map(({ subject, reason }) => `  ${subject}: ${reason}`);
    throw new CodedError('RESET_INCOMPLETE', `some changes could not be taken back:\n${lines.join('\n')}`, {
      hint: 'mend what is named above and run `k8ts reset` again: they are still in the journal',
    });
  },
};

/** The program that runs now: it has to be there to be run again. */
function isProgram(change: Change): boolean {
  if (change.kind !== 'directory' && change.kind !== 'file') return false;
  return change.path === commandLink || change.path === installDir || change.path.startsWith(`${installDir}/`);
}

export const resetPhases: readonly Phase<ResetContext>[] = [
  leaveCluster,
  stopServices,
  removePods,
  removeCgroups,
  removeCniState,
  unmountVolumes,
  removeServices,
  undo,
];

/** True for errors that mean "there is no runtime there". */
export function isRuntimeAbsent(error: unknown): boolean {
  return ['CRI_SOCKET_ABSENT', 'CRI_NOT_RUNNING', 'CRI_PLUGIN_DISABLED'].includes(codeOf(error) ?? '');
}

function summary({ undone }: UndoReport): string {
  const count = (kind: string): number => undone.filter((subject) => subject.startsWith(`${kind} `)).length;
  const parts = [
    ['file', 'files'],
    ['directory', 'folders'],
    ['sysctl', 'kernel settings'],
    ['module', 'kernel modules'],
    ['link', 'network links'],
    ['route', 'routes'],
    ['nft-table', 'nftables tables'],
    ['iptables-chain', 'iptables chains'],
    ['mount', 'mounts'],
    ['unit', 'units'],
    ['process', 'processes'],
  ].flatMap(([kind = '', what]) => (count(kind) === 0 ? [] : [`${count(kind)} ${what}`]));
  return [
    '',
    parts.length === 0 ? 'There was nothing to take back.' : `Taken back: ${parts.join(', ')}.`,
    'Not touched: images in the container runtime, packages, firewall rules of others, and kubeconfigs that were copied ($HOME/.kube/config).',
    '',
  ].join('\n');
}
