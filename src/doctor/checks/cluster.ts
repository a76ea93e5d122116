// The cluster as its API server shows it: nodes and clocks.

import type { Lease, Stored } from '../../api/index.ts';
import { whyNodeNotReady } from '../../bootstrap/index.ts';
import { reported } from '../nodes.ts';
import type { Complaint, DoctorCheck, Observations } from '../observations.ts';

const skewBound = 30_000;
/** An agent renews its Lease every 10 s, and is taken for dead after 40 s. */
const leaseBound = 40_000;

export const clusterChecks = [
  {
    id: 'APIUnreachable',
    severity: 'error',
    why: 'without the API server nothing in the cluster changes any more',
    remedy: 'start the control plane',
    judge: ({ cluster }) =>
      cluster?.problem === undefined
        ? []
        : [
            {
              subject: 'API server',
              cause: cluster.problem,
              remedy: 'on the master: k8ts status; systemctl restart k8ts-server (its log: journalctl -u k8ts-server)',
            },
          ],
  },
  {
    id: 'NodeNotReady',
    severity: 'error',
    why: 'no new pods are put on it, and its pods are moved after five minutes',
    remedy: 'mend what the reason names',
    judge: ({ cluster }) =>
      (cluster?.nodes ?? []).flatMap((node) => {
        const cause = whyNodeNotReady(node);
        const { name } = node.metadata;
        return cause === undefined ? [] : [{ subject: name, cause, remedy: `on ${name}: k8ts doctor; k8ts status` }];
      }),
  },
  {
    id: 'NodePressure',
    severity: 'warning',
    why: 'a node that runs out of something takes no new pods and ends some',
    remedy: 'give the node more of it, or fewer pods',
    judge: ({ cluster }) =>
      (cluster?.nodes ?? []).flatMap(({ metadata, status }) =>
        (status?.conditions ?? [])
          .filter(({ type, status: is }) => type.endsWith('Pressure') && is === 'True')
          .map(({ type, message }) => ({
            subject: metadata.name,
            cause: `${type}: ${message ?? ''}`,
            remedy: `kubectl describe node ${metadata.name}; kubectl top pods -A`,
          })),
      ),
  },
  {
    id: 'ClockSkew',
    severity: 'error',
    why: 'certificates and tokens are valid from one time to another; on machines with different clocks they are not',
    remedy: 'set all clocks from one source (timedatectl set-ntp true, or chrony)',
    judge: (observed) => [...serverSkew(observed), ...nodeSkews(observed)],
  },
  {
    id: 'DuplicateMachineID',
    severity: 'warning',
    why: 'clones of one disk share their machine id; DHCP, logs and tools take them for one machine',
    remedy: 'give each clone a machine id of its own',
    judge: ({ cluster }) => {
      const byId = Map.groupBy(cluster?.nodes ?? [], ({ status }) => status?.nodeInfo?.machineID ?? '');
      return [...byId].flatMap(([id, nodes]) =>
        id === '' || nodes.length < 2
          ? []
          : [
              {
                subject: nodes.map(({ metadata }) => metadata.name).join(', '),
                cause: `they have one machine id, ${id}`,
                remedy:
                  'on all but one: rm -f /etc/machine-id /var/lib/dbus/machine-id; systemd-machine-id-setup; reboot',
              },
            ],
      );
    },
  },
] as const satisfies readonly DoctorCheck[];

function serverSkew({ cluster, machine }: Observations): Complaint[] {
  const skew = cluster?.clockSkew;
  if (skew === undefined || Math.abs(skew) <= skewBound) return [];
  return [
    {
      subject: machine?.nodeName ?? 'this machine',
      cause: `its clock is ${seconds(skew)} ${skew > 0 ? 'behind' : 'ahead of'} the API server's`,
      remedy: 'timedatectl set-ntp true on the one that is wrong (compare: date -u)',
    },
  ];
}

/** A node that reported says its time; of another one its Lease tells. All compared with the API server's clock. */
function nodeSkews(observed: Observations): Complaint[] {
  const { cluster, machine, now } = observed;
  if (cluster?.clockSkew === undefined) return [];
  const { nodes, leases, clockSkew } = cluster;
  const told = new Map(reported(observed).map(([name, { clockSkew: ahead }]) => [name, ahead - clockSkew]));
  return nodes.flatMap((node) => {
    const { name } = node.metadata;
    const lease = leases.find(({ metadata }) => metadata.name === name);
    const skew = told.get(name) ?? leaseSkew(lease, now + clockSkew, whyNodeNotReady(node) === undefined);
    if (skew === undefined || Math.abs(skew) <= skewBound || name === machine?.nodeName) return [];
    return [
      {
        subject: name,
        cause: `its clock is ${seconds(skew)} ${skew > 0 ? 'ahead of' : 'behind'} the API server's`,
        remedy: `on ${name}: timedatectl set-ntp true (compare: date -u)`,
      },
    ];
  });
}

/** A renewal in the future, or one that is old though the node is Ready, was written by a clock that is wrong. */
function leaseSkew(lease: Stored<Lease> | undefined, serverNow: number, isReady: boolean): number | undefined {
  const renewed = Date.parse(lease?.spec?.renewTime ?? '');
  if (Number.isNaN(renewed)) return undefined;
  const ahead = renewed - serverNow;
  if (ahead > 0) return ahead;
  return isReady && -ahead > leaseBound + skewBound ? ahead : undefined;
}

function seconds(ms: number): string {
  return `${Math.round(Math.abs(ms) / 1000)} s`;
}
