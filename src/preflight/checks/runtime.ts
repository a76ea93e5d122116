// The container runtime and the programs that the agent and the runtime call.

import type { MachineCheck } from '../check.ts';
import { type PreflightFacts, wantedPlugins, wantedPrograms } from '../facts.ts';
import { enableCri, restrictOomScore, useSystemdCgroups } from '../repairs/containerd.ts';
import { everyNode } from './units.ts';

const debianPackages: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  bridge: 'iproute2',
  ss: 'iproute2',
  nft: 'nftables',
  umount: 'mount',
};
const install = (program: string): string => `apt-get install ${debianPackages[program] ?? program}`;

/** Programs without which something works less well. */
const optionalPrograms: readonly { readonly name: string; readonly without: string }[] = [
  { name: 'conntrack', without: 'UDP clients of a Service keep talking to an endpoint that is gone' },
];

export const runtimeChecks = [
  {
    id: 'CRI',
    severity: 'error',
    roles: everyNode,
    why: 'containers are run by a runtime that serves CRI v1',
    remedy: 'install and start containerd 1.6 or newer, with "cri" not in its disabled_plugins',
    repair: enableCri,
    judge: ({ runtime, runtimeProcess, criSocket }) => {
      if ('problem' in runtime) {
        const { code, message, hint = 'install containerd and start it' } = runtime.problem;
        const canMend = code === 'CRI_PLUGIN_DISABLED' && isContainerd(runtimeProcess);
        return [{ id: 'CRI', message, fix: hint, ...(canMend ? {} : { byHand: true as const }) }];
      }
      return runtime.conditions
        .filter(({ type, status }) => type === 'RuntimeReady' && !status)
        .map(({ reason, message }) => ({
          id: 'CRI',
          message: `${runtime.name} on ${criSocket} is not ready: ${reason} ${message}`,
          fix: `read ${runtime.name}'s log (journalctl -u ${runtime.name})`,
          byHand: true as const,
        }));
    },
  },
  {
    id: 'OOMScoreAdj',
    severity: 'error',
    roles: everyNode,
    why: 'a runtime without CAP_SYS_RESOURCE fails every pod that asks for a lower OOM score, which all do',
    remedy: 'set restrict_oom_score_adj = true in containerd’s CRI plugin and restart it',
    repair: restrictOomScore,
    judge: ({ runtimeProcess }) =>
      runtimeProcess === undefined || runtimeProcess.mayRaisePriority || runtimeProcess.restrictsOomScore
        ? []
        : [
            {
              id: 'OOMScoreAdj',
              message: 'the container runtime lacks CAP_SYS_RESOURCE and is not told to do without it',
              fix: `set restrict_oom_score_adj = true under [plugins."io.containerd.grpc.v1.cri"] in ${runtimeProcess.configFile} and restart containerd`,
              ...(isContainerd(runtimeProcess) ? {} : { byHand: true as const }),
            },
          ],
  },
  {
    id: 'CgroupDriver',
    severity: 'warning',
    roles: everyNode,
    why: 'two programs that both manage cgroups move each other’s processes; with systemd there has to be one of them',
    remedy: 'let the runtime use systemd’s cgroups where systemd is process 1 and cgroups are version 2',
    repair: useSystemdCgroups,
    judge: ({ runtime, runtimeProcess, hasSystemd, cgroups }) => {
      if ('problem' in runtime) return [];
      const byHand = isContainerd(runtimeProcess) ? {} : { byHand: true as const };
      if (runtime.cgroupDriver === 'systemd' && !hasSystemd) {
        const message = `${runtime.name} uses systemd's cgroups, but systemd does not run here`;
        const fix = 'set SystemdCgroup = false in its configuration and restart it';
        return [{ id: 'CgroupDriver', message, fix, severity: 'error', ...byHand }];
      }
      if (runtime.cgroupDriver === 'systemd' || !hasSystemd || cgroups.version === 1) return [];
      const message = `${runtime.name} manages cgroups beside systemd`;
      return [
        { id: 'CgroupDriver', message, fix: 'set SystemdCgroup = true in its configuration and restart it', ...byHand },
      ];
    },
  },
  {
    id: 'FileExisting',
    severity: 'error',
    roles: everyNode,
    why: 'the agent uses these programs for links, rules and mounts',
    remedy: 'install the package that has the program',
    judge: ({ programs }) => [
      ...wantedPrograms
        .filter((name) => programs[name] === undefined)
        .map((name) => ({ id: `FileExisting-${name}`, message: `${name} is not in PATH`, fix: install(name) })),
      ...optionalPrograms
        .filter(({ name }) => programs[name] === undefined)
        .map(({ name, without }) => ({
          id: `FileExisting-${name}`,
          message: `${name} is not in PATH; without it ${without}`,
          fix: install(name),
          severity: 'warning' as const,
        })),
    ],
  },
  {
    id: 'FileExisting-cni',
    severity: 'error',
    roles: everyNode,
    why: 'the runtime attaches pods to the network with these plugins',
    remedy: 'install containernetworking-plugins',
    judge: ({ cniPlugins, cniBinDirs }) =>
      wantedPlugins
        .filter((name) => cniPlugins[name] === undefined)
        .map((name) => ({
          id: `FileExisting-cni-${name}`,
          message: `CNI plugin ${name} is in none of ${cniBinDirs.join(', ')}`,
          fix: 'apt-get install containernetworking-plugins',
        })),
  },
] as const satisfies readonly MachineCheck[];

function isContainerd(process: PreflightFacts['runtimeProcess']): boolean {
  return process?.program === 'containerd';
}
