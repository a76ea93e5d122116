// What an earlier cluster left on the machine, of k8ts or of others.

import type { MachineCheck } from '../check.ts';
import { everyNode } from './units.ts';

const slug = (path: string): string => path.replaceAll('/', '-');
const shown = 8;

export const leftoverChecks = [
  {
    id: 'FileAvailable',
    severity: 'error',
    roles: everyNode,
    why: 'files of an earlier cluster would be mixed with the new one',
    remedy: 'reset the machine with the tool that made them',
    judge: ({ leftovers }) =>
      leftovers.map((path) => ({
        id: `FileAvailable-${slug(path)}`,
        message: `${path} is there from an earlier cluster`,
        fix: 'run k8ts reset (or kubeadm reset, if kubeadm made it)',
      })),
  },
  {
    id: 'DirAvailable',
    severity: 'error',
    roles: ['control-plane'],
    why: 'a datastore of an earlier cluster shows that this machine was its master',
    remedy: 'reset the machine, or move the folder away',
    judge: ({ usedDirs }) =>
      usedDirs.map((path) => ({
        id: `DirAvailable-${slug(path)}`,
        message: `${path} is not empty`,
        fix: `run kubeadm reset; or, to keep it: mv ${path} ${path}.old`,
      })),
  },
  {
    id: 'LeftoverState',
    severity: 'warning',
    roles: everyNode,
    why: 'links, rules and CNI configurations of another cluster take the packets of this one’s pods',
    remedy: 'reset the machine with the tool that made them; a reboot removes links and rules',
    judge: ({ foreign: { cniConfigs, links, files, rules } }) => [
      ...cniConfigs.map((path) => ({
        id: 'LeftoverState',
        message: `the runtime would give pods the network of ${path}, which comes before that of k8ts`,
        fix: `mv ${path} ${path}.old`,
        severity: 'error' as const,
      })),
      ...links.map((name) => ({
        id: 'LeftoverState',
        message: `there is a network link ${name} of another cluster`,
        fix: `ip link delete dev ${name}`,
        severity: 'error' as const,
      })),
      ...files.map(({ path, owner }) => ({
        id: 'LeftoverState',
        message: `${path} is there: ${owner} was installed on this machine`,
        fix: `take it off with ${owner}'s own uninstaller`,
      })),
      ...(rules.length === 0
        ? []
        : [
            {
              id: 'LeftoverState',
              message: `there are packet rules of another cluster: ${rules.slice(0, shown).join(', ')}${rules.length > shown ? ` and ${rules.length - shown} more` : ''}`,
              fix: 'reboot; nothing but the other cluster’s own programs puts them back',
            },
          ]),
    ],
  },
  {
    id: 'Service-Kubelet',
    severity: 'warning',
    roles: everyNode,
    why: 'another node agent that starts with the machine takes the port and the pods of this one',
    remedy: 'disable the other agent’s service',
    judge: ({ otherAgents }) =>
      otherAgents.map((unit) => ({
        id: 'Service-Kubelet',
        message: `the service ${unit} is enabled and would start at the next boot`,
        fix: `systemctl disable --now ${unit}`,
      })),
  },
] as const satisfies readonly MachineCheck[];
