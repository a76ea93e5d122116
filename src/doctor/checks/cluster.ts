// The cluster as its API server shows it: nodes and clocks; and what each node reports of itself.

import type { Lease, Stored } from '../../api/index.ts';
import { whyNodeNotReady } from '../../bootstrap/index.ts';
import type { NodeReport } from '../../probe/index.ts';
import { reported } from '../nodes.ts';
import type { Complaint, DoctorCheck, Observations } from '../observations.ts';

const skewBound = 30_000;
/** An agent renews its Lease every 10 s, and is taken for dead after 40 s. */
const leaseBound = 40_000;
const gibibyte = 1024 ** 3;

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
  {
    id: 'NodeReport',
    severity: 'warning',
    why: 'what a node does not report cannot be judged',
    remedy: 'mend what the reason names',
    judge: ({ cluster }) =>
      Object.entries(cluster?.reports ?? {}).flatMap(([name, found]) =>
        'problem' in found
          ? [{ subject: name, cause: found.problem, remedy: `run k8ts doctor on ${name} itself` }]
          : [],
      ),
  },
  {
    id: 'ClusterDNS',
    severity: 'error',
    why: 'pods find Services by name',
    remedy: 'restart the agent of the node, which answers the names there',
    judge: (observed) =>
      reported(observed).flatMap(([node, { report }]) =>
        report.dns.cluster === undefined || report.dns.cluster === 'answered'
          ? []
          : [
              {
                subject: node,
                cause: `the cluster DNS does not know kubernetes.default (${dnsText(report.dns.cluster)})`,
                remedy: `on ${node}: systemctl restart k8ts-agent; its log: journalctl -u k8ts-agent`,
              },
            ],
      ),
  },
  {
    id: 'DNSForward',
    severity: 'error',
    why: 'pods look names outside of the cluster up by the cluster DNS, which asks the machine’s nameservers',
    remedy: 'mend the machine’s nameservers in /etc/resolv.conf',
    judge: (observed) => reported(observed).flatMap(([node, { report }]) => forwarding(node, report)),
  },
  {
    id: 'Conntrack',
    severity: 'warning',
    why: 'when the table is full new connections are dropped, on the node and for all its pods',
    remedy: 'raise net.netfilter.nf_conntrack_max',
    judge: (observed) =>
      reported(observed).flatMap(
        ([
          node,
          {
            report: { conntrack },
          },
        ]): Complaint[] => {
          if (conntrack === undefined || conntrack.used < 0.8 * conntrack.limit) return [];
          const { used, limit } = conntrack;
          return [
            {
              subject: node,
              cause: `${used} of ${limit} connections are tracked`,
              remedy: `on ${node}: sysctl -w net.netfilter.nf_conntrack_max=${2 * limit}, and the same in /etc/sysctl.d`,
              severity: used > 0.95 * limit ? 'error' : 'warning',
            },
          ];
        },
      ),
  },
  {
    id: 'DiskFree',
    severity: 'error',
    why: 'images, logs and the datastore live under /var/lib; a full disk stops all of them',
    remedy: 'free at least 1 GiB; below a tenth pods are ended',
    judge: (observed) =>
      reported(observed).flatMap(([node, { report }]) =>
        report.disks
          .filter(({ sizeBytes, freeBytes }) => freeBytes < Math.max(gibibyte, sizeBytes / 10))
          .map(
            ({ path, sizeBytes, freeBytes }): Complaint => ({
              subject: node,
              cause: `${path} has ${size(freeBytes)} of ${size(sizeBytes)} free`,
              remedy: `on ${node}: du -xh -d2 ${path} | sort -h | tail shows what takes it; free some, or give it a larger disk`,
              severity: freeBytes < gibibyte ? 'error' : 'warning',
            }),
          ),
      ),
  },
  {
    id: 'ServingCertificate',
    severity: 'error',
    why: 'the API server does not talk to an agent whose certificate is over: no logs, no exec, no metrics',
    remedy: 'restart the agent, which asks for a new one',
    judge: (observed) => {
      const { cluster, now } = observed;
      const ends = new Map(
        reported(observed).flatMap(([, { report }]) =>
          report.reached.flatMap(({ target, certificateEnds: end }) =>
            end === undefined ? [] : [[target, end] as const],
          ),
        ),
      );
      return (cluster?.nodes ?? []).flatMap(({ metadata, status }) => {
        const address = status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
        const end = ends.get(`${address}:${status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 10250}`);
        if (end === undefined || Date.parse(end) > now) return [];
        const remedy = `on ${metadata.name}: systemctl restart k8ts-agent`;
        return [
          { subject: metadata.name, cause: `its agent serves a certificate that ended on ${end.slice(0, 10)}`, remedy },
        ];
      });
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

function forwarding(node: string, { dns }: NodeReport): Complaint[] {
  if (dns.outside === undefined || dns.outside === 'answered') return [];
  const servers = Object.entries(dns.nameservers);
  if (servers.length === 0) return []; // a machine without nameservers knows nothing outside, and does not mean to
  if (servers.some(([, answer]) => answer === 'answered')) {
    const cause = `the cluster DNS does not pass on questions for names outside (${dnsText(dns.outside)}), though the machine's nameserver answers`;
    return [
      { subject: node, cause, remedy: `on ${node}: systemctl restart k8ts-agent; its log: journalctl -u k8ts-agent` },
    ];
  }
  const silent = servers.map(([server, answer]) => `${server} (${dnsText(answer)})`).join(', ');
  return [
    {
      subject: node,
      cause: `none of the machine's nameservers answers: ${silent}`,
      remedy: `name one that works in /etc/resolv.conf of ${node}, or open UDP port 53 to it`,
      severity: 'warning',
    },
  ];
}

/** c-ares' codes in words. */
function dnsText(code: string): string {
  const words: Readonly<Record<string, string>> = {
    ETIMEOUT: 'no answer',
    ECONNREFUSED: 'nobody listens there',
    ESERVFAIL: 'it failed: SERVFAIL',
    EREFUSED: 'it refused',
    ENOTFOUND: 'no such name',
  };
  return words[code] ?? code;
}

function seconds(ms: number): string {
  return `${Math.round(Math.abs(ms) / 1000)} s`;
}

function size(bytes: number): string {
  return bytes < gibibyte ? `${Math.round(bytes / 1024 ** 2)} MiB` : `${(bytes / gibibyte).toFixed(1)} GiB`;
}
