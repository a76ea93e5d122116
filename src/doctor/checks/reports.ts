// What each node reports of itself: names, connections, disks, and the certificates that its neighbours serve.

import type { NodeReport } from '../../probe/index.ts';
import { reported } from '../nodes.ts';
import type { Complaint, DoctorCheck } from '../observations.ts';

const gibibyte = 1024 ** 3;

export const reportChecks = [
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

function size(bytes: number): string {
  return bytes < gibibyte ? `${Math.round(bytes / 1024 ** 2)} MiB` : `${(bytes / gibibyte).toFixed(1)} GiB`;
}
