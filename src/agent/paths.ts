// Where the agent keeps what belongs to a pod. The layout below a pod's folder is the kubelet's, and so is the log
// folder, because log shippers know it: /var/log/pods/NAMESPACE_NAME_UID/CONTAINER/N.log.

import { join } from 'node:path';

export interface PodName {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface AgentPaths {
  readonly pods: string;
  readonly logs: string;
  /** Links to the logs of single containers. */
  readonly logLinks: string;
  /** Volumes that must not reach a disk; on a tmpfs. */
  readonly secrets: string;
  podDir(uid: string): string;
  volumeDir(uid: string, plugin: string, volume: string): string;
  /** Bind sources of single files: /etc/hosts, termination logs. */
  hostsFile(uid: string): string;
  terminationLog(uid: string, container: string, attempt: number): string;
  /** Bind sources of subPath mounts. */
  subPathDir(uid: string): string;
  podLogDir(pod: PodName): string;
}

export function agentPaths(dataDir: string, logs = '/var/log/pods'): AgentPaths {
  const pods = join(dataDir, 'pods');
  const podDir = (uid: string): string => join(pods, uid);
  return {
    pods,
    logs,
    logLinks: '/var/log/containers',
    secrets: '/run/k8ts/volumes',
    podDir,
    volumeDir: (uid, plugin, volume) => join(podDir(uid), 'volumes', `kubernetes.io~${plugin}`, volume),
    hostsFile: (uid) => join(podDir(uid), 'etc-hosts'),
    terminationLog: (uid, container, attempt) => join(podDir(uid), 'containers', container, String(attempt)),
    subPathDir: (uid) => join(podDir(uid), 'volume-subpaths'),
    podLogDir: ({ namespace, name, uid }) => join(logs, `${namespace}_${name}_${uid}`),
  };
}
