// Checks that need the cluster: join runs them once it has read the cluster's configuration and before it changes the
// machine.

import type { Check, Finding } from '../check.ts';
import type { ClusterFacts } from '../cluster-facts.ts';
import { overlapFindings } from './network.ts';

const worker = ['worker'] as const;
const seconds = (ms: number): string => `${Math.round(Math.abs(ms) / 1000)} s`;

export const clusterChecks = [
  {
    id: 'ClockSkew',
    severity: 'warning',
    roles: worker,
    why: 'certificates and tokens are valid from one time to another; on machines with different clocks they are not',
    remedy: 'set both clocks from one source (timedatectl set-ntp true, or chrony)',
    judge: ({ clockSkew }) =>
      clockSkew === undefined || Math.abs(clockSkew) <= 30_000
        ? []
        : [
            {
              id: 'ClockSkew',
              message: `this machine's clock is ${seconds(clockSkew)} ${clockSkew > 0 ? 'behind' : 'ahead of'} the API server's`,
              fix: 'set the wrong one of the two: timedatectl set-ntp true (compare: date -u)',
            },
          ],
  },
  {
    id: 'DuplicateMachineID',
    severity: 'error',
    roles: worker,
    why: 'clones of one disk share their machine id; DHCP, logs and tools take them for one machine',
    remedy: 'give the clone a machine id of its own',
    judge: ({ nodes = [], machineId, nodeName }) =>
      nodes
        .filter(({ metadata }) => metadata?.name !== nodeName)
        .filter(({ status }) => machineId !== '' && status?.nodeInfo?.machineID === machineId)
        .map(({ metadata }) => ({
          id: 'DuplicateMachineID',
          message: `node ${metadata?.name ?? ''} of the cluster has this machine's id ${machineId}`,
          fix: 'on the clone: rm -f /etc/machine-id /var/lib/dbus/machine-id; systemd-machine-id-setup; reboot',
        })),
  },
  {
    id: 'DuplicateHostname',
    severity: 'error',
    roles: worker,
    why: 'two machines under one node name overwrite each other, and pods of one are ended by the other',
    remedy: 'join under another name, or delete the node of a machine that is gone',
    judge: ({ nodes = [], machineId, nodeName, nodeIp }) =>
      nodes
        .filter(({ metadata }) => metadata?.name === nodeName)
        .flatMap(({ status }): Finding[] => {
          const address = status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
          const isReady =
            status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
          const isOther = status?.nodeInfo !== undefined && status.nodeInfo.machineID !== machineId;
          // Clones of one disk have one machine id, but not one address.
          if (!isOther && !(isReady && address !== nodeIp)) return [];
          return [
            {
              id: 'DuplicateHostname',
              message: `the cluster has a node ${nodeName} already, which is another machine (${address ?? 'without address'})`,
              fix: `pass --node-name with another name; if that machine is gone, on the master: kubectl delete node ${nodeName}`,
              // One that is not Ready may have been replaced by this machine.
              ...(isReady ? {} : { severity: 'warning' as const }),
            },
          ];
        }),
  },
  {
    id: 'KubeletVersion',
    severity: 'warning',
    roles: worker,
    why: 'a node may be up to three minor versions older than its API server, and never newer',
    remedy: 'use a k8ts of the version of the control plane',
    judge: ({ serverVersion, release }) => {
      const server = Number(/^v1\.(\d+)\./.exec(serverVersion ?? '')?.[1] ?? Number.NaN);
      const own = Number(release.split('.')[1]);
      if (Number.isNaN(server) || (server >= own && server <= own + 3)) return [];
      return [
        {
          id: 'KubeletVersion',
          message: `the API server is ${serverVersion}, this agent of release ${release}: not a pair that Kubernetes supports`,
          fix: 'upgrade the older of the two',
        },
      ];
    },
  },
  {
    id: 'CIDROverlap',
    severity: 'error',
    roles: worker,
    why: 'addresses that this machine routes elsewhere cannot be reached as pods or Services',
    remedy: 'take the route off this machine, or make the cluster with other ranges',
    judge: (facts) =>
      overlapFindings(facts, (what) => `take that route off this machine, or make the cluster with another ${what}`),
  },
  {
    id: 'OverlayUDP',
    severity: 'warning',
    roles: worker,
    why: 'pods of different nodes reach each other in UDP packets between the nodes; firewalls often drop them',
    remedy: 'let UDP 8472 through between all nodes',
    judge: ({ overlayAnswer, overlay }) =>
      overlayAnswer === undefined || overlayAnswer.came
        ? []
        : [
            {
              id: 'OverlayUDP',
              message: `no answer from node ${overlayAnswer.node} (${overlayAnswer.address}) through the overlay, UDP ${overlay.port}`,
              fix: `open UDP port ${overlay.port} between the nodes, in both directions (also in the cloud's security group); with strict rp_filter on the master: sysctl -w net.ipv4.conf.all.rp_filter=2`,
            },
          ],
  },
] as const satisfies readonly Check<ClusterFacts>[];
