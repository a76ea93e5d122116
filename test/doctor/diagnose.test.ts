// Every check of the doctor once with what provokes it; `healthy` passes all.

import t from 'tap';
import { diagnose, doctorChecks } from '../../src/doctor/diagnose.ts';
import type { Observations } from '../../src/doctor/observations.ts';
import { blame } from '../../src/doctor/paths.ts';
import { directOf, healthy, lease, machine, names, node, now, overlayOf, report, reportWith } from './healthy.ts';

const certificate = (kind: 'ca' | 'certificate' | 'kubeconfig' | 'agent', notBefore: string, notAfter: string) => ({
  ...machine,
  certificates: [
    {
      name: kind === 'ca' ? 'ca' : 'apiserver',
      path: '/x.crt',
      kind,
      dates: { notBefore: new Date(notBefore), notAfter: new Date(notAfter) },
      problem: undefined,
    },
  ],
});
const on = (changes: Partial<typeof machine>): Observations => ({ ...healthy(), machine: { ...machine, ...changes } });
const gone = { type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting' };

interface Case {
  readonly id: string;
  readonly name: string;
  readonly given: Observations;
  readonly want: readonly { severity?: 'error' | 'warning'; subject: string; cause: RegExp; remedy: RegExp }[];
}

const provoked: readonly Case[] = [
  {
    id: 'ServiceDown',
    name: 'the agent is stopped',
    given: on({ services: [{ name: 'k8ts-agent', state: 'failed', restarts: 2, reason: 'exit code 1' }] }),
    want: [{ subject: 'k8ts-agent', cause: /failed: exit code 1/, remedy: /systemctl start k8ts-agent/ }],
  },
  {
    id: 'ServiceDown',
    name: 'the agent is stopped, under the supervisor',
    given: on({ serviceKind: 'supervisor', services: [{ name: 'k8ts-agent', state: 'stopped', restarts: 0 }] }),
    want: [{ subject: 'k8ts-agent', cause: /it is stopped$/, remedy: /\/var\/log\/k8ts\/k8ts-agent\.log/ }],
  },
  {
    id: 'ServiceRestarts',
    name: 'a service that ends again and again',
    given: on({ services: [{ name: 'k8ts-server', state: 'running', restarts: 12 }] }),
    want: [{ severity: 'warning', subject: 'k8ts-server', cause: /12 times/, remedy: /journalctl -u k8ts-server/ }],
  },
  {
    id: 'Certificate',
    name: 'over',
    given: { ...healthy(), machine: certificate('certificate', '2025-01-01', '2026-01-01') },
    want: [
      { severity: 'error', subject: '/x.crt', cause: /ended on 2026-01-01/, remedy: /k8ts certs renew apiserver/ },
    ],
  },
  {
    id: 'Certificate',
    name: 'soon over',
    given: { ...healthy(), machine: certificate('ca', '2016-06-20', '2026-06-20') },
    want: [{ severity: 'warning', subject: '/x.crt', cause: /ends on 2026-06-20/, remedy: /rotate-ca/ }],
  },
  {
    id: 'Certificate',
    name: 'not yet valid',
    given: { ...healthy(), machine: certificate('agent', '2026-07-01', '2027-06-20') },
    want: [{ severity: 'error', subject: '/x.crt', cause: /in the future/, remedy: /set-ntp/ }],
  },
  {
    id: 'Certificate',
    name: 'unreadable',
    given: on({
      certificates: [{ name: 'kubelet', path: '/y.pem', kind: 'agent', dates: undefined, problem: 'it is cut off' }],
    }),
    want: [{ severity: 'error', subject: '/y.pem', cause: /cut off/, remedy: /restart k8ts-agent/ }],
  },
  {
    id: 'APIUnreachable',
    name: 'no API server',
    given: healthy({ problem: 'it cannot be used: ECONNREFUSED', nodes: [], leases: [] }),
    want: [{ subject: 'API server', cause: /ECONNREFUSED/, remedy: /k8ts status/ }],
  },
  {
    id: 'NodeNotReady',
    name: 'a node is not Ready',
    given: healthy({ nodes: [node('master'), node('n1'), node('n2', { conditions: [gone] })] }),
    want: [{ subject: 'n2', cause: /NodeStatusUnknown: Kubelet stopped posting/, remedy: /on n2: k8ts doctor/ }],
  },
  {
    id: 'NodePressure',
    name: 'a node runs out of disk',
    given: healthy({
      nodes: [
        ...[node('master'), node('n1')],
        node('n2', {
          conditions: [
            { type: 'Ready', status: 'True' },
            { type: 'DiskPressure', status: 'True', message: 'disk is full' },
          ],
        }),
      ],
    }),
    want: [{ severity: 'warning', subject: 'n2', cause: /DiskPressure: disk is full/, remedy: /describe node n2/ }],
  },
  {
    id: 'ClockSkew',
    name: 'this machine is behind',
    given: healthy({ clockSkew: 120_000, reports: {}, leases: names.map((name) => lease(name, -115)) }),
    want: [
      { subject: 'master', cause: /120 s behind the API server's/, remedy: /set-ntp/ },
      { subject: 'n1, n2', cause: /120 s behind/, remedy: /on each of them: timedatectl/ },
    ],
  },
  {
    id: 'ClockSkew',
    name: 'a node is ahead, by what it reports',
    given: healthy({ reports: { n1: { ...report('n1'), clockSkew: 90_300 } } }),
    want: [{ subject: 'n1', cause: /90 s ahead of/, remedy: /on n1: timedatectl/ }],
  },
  {
    id: 'DuplicateMachineID',
    name: 'two clones',
    given: healthy({
      nodes: [
        node('master', { nodeInfo: { machineID: 'a' } as never }),
        ...['n1', 'n2'].map((name) => node(name, { nodeInfo: { machineID: 'b' } as never })),
      ],
    }),
    want: [{ severity: 'warning', subject: 'n1, n2', cause: /one machine id, b/, remedy: /systemd-machine-id-setup/ }],
  },
  {
    id: 'NodeReport',
    name: 'an agent of another distribution',
    given: healthy({ reports: { n1: { problem: 'its agent is not one of k8ts' } } }),
    want: [{ severity: 'warning', subject: 'n1', cause: /not one of k8ts/, remedy: /on n1 itself/ }],
  },
  {
    id: 'ClusterDNS',
    name: 'the cluster DNS is silent on a node',
    given: healthy({ reports: { n1: report('n1', { dns: { cluster: 'ETIMEOUT', nameservers: {} } }) } }),
    want: [
      { subject: 'n1', cause: /kubernetes\.default \(no answer\)/, remedy: /on n1: systemctl restart k8ts-agent/ },
    ],
  },
  {
    id: 'DNSForward',
    name: 'questions are not passed on',
    given: healthy({
      reports: {
        n1: report('n1', {
          dns: { cluster: 'answered', outside: 'ESERVFAIL', nameservers: { '192.0.2.1': 'answered' } },
        }),
      },
    }),
    want: [{ severity: 'error', subject: 'n1', cause: /does not pass on.*SERVFAIL/, remedy: /restart k8ts-agent/ }],
  },
  {
    id: 'DNSForward',
    name: 'the machine’s nameservers are silent',
    given: healthy({
      reports: {
        n1: report('n1', {
          dns: { cluster: 'answered', outside: 'ESERVFAIL', nameservers: { '192.0.2.1': 'ETIMEOUT' } },
        }),
      },
    }),
    want: [{ severity: 'warning', subject: 'n1', cause: /192\.0\.2\.1 \(no answer\)/, remedy: /resolv\.conf of n1/ }],
  },
  {
    id: 'Conntrack',
    name: 'the table is nearly full',
    given: healthy({ reports: { n2: report('n2', { conntrack: { used: 850, limit: 1000 } }) } }),
    want: [{ severity: 'warning', subject: 'n2', cause: /850 of 1000/, remedy: /nf_conntrack_max=2000/ }],
  },
  {
    id: 'Conntrack',
    name: 'the table is full',
    given: healthy({ reports: { n2: report('n2', { conntrack: { used: 1000, limit: 1000 } }) } }),
    want: [{ severity: 'error', subject: 'n2', cause: /1000 of 1000/, remedy: /on n2/ }],
  },
  {
    id: 'DiskFree',
    name: 'a full disk, and one that fills',
    given: healthy({
      reports: {
        n1: report('n1', { disks: [{ path: '/var/lib', sizeBytes: 2 ** 36, freeBytes: 2 ** 29 }] }),
        n2: report('n2', { disks: [{ path: '/var/lib', sizeBytes: 2 ** 36, freeBytes: 2 ** 32 }] }),
      },
    }),
    want: [
      {
        severity: 'error',
        subject: 'n1',
        cause: /\/var\/lib has 512 MiB of 64\.0 GiB free/,
        remedy: /du -xh -d2 \/var\/lib/,
      },
      { severity: 'warning', subject: 'n2', cause: /4\.0 GiB of/, remedy: /on n2/ },
    ],
  },
  {
    id: 'ServingCertificate',
    name: 'an agent serves a certificate that is over',
    given: healthy({
      reports: {
        n1: report('n1', {
          reached: [{ target: directOf('n2'), outcome: 'ok', certificateEnds: '2026-05-01T00:00:00.000Z' }],
        }),
        n2: report('n2', { reached: [] }),
        master: report('master', { reached: [] }),
      },
    }),
    want: [{ subject: 'n2', cause: /ended on 2026-05-01/, remedy: /on n2: systemctl restart/ }],
  },
  {
    id: 'AgentUnreachable',
    name: 'an agent does not run',
    given: healthy({
      reports: {
        n1: reportWith('n1', { [directOf('n2')]: 'refused', [overlayOf('n2')]: 'refused' }),
        master: reportWith('master', { [directOf('n2')]: 'refused', [overlayOf('n2')]: 'refused' }),
      },
    }),
    want: [
      {
        subject: 'n2',
        cause: /nothing listens on 192\.0\.2\.12:10250: its agent does not run \(seen from master, n1\)/,
        remedy: /on n2: systemctl start k8ts-agent/,
      },
    ],
  },
  {
    id: 'AgentUnreachable',
    name: 'a firewall between two',
    given: healthy({
      reports: { n1: reportWith('n1', { [directOf('n2')]: 'no-answer', [overlayOf('n2')]: 'no-answer' }) },
    }),
    want: [{ subject: 'n2', cause: /does not answer \(seen from n1\)/, remedy: /open TCP port 10250/ }],
  },
  {
    id: 'AgentUnreachable',
    name: 'no route',
    given: healthy({
      reports: { n1: reportWith('n1', { [directOf('n2')]: 'unroutable', [overlayOf('n2')]: 'unroutable' }) },
    }),
    want: [{ subject: 'n2', cause: /no way to/, remedy: /on n1: ip route get 192\.0\.2\.12/ }],
  },
  {
    id: 'OverlayUDP',
    name: 'one node drops the overlay’s packets',
    given: healthy({
      reports: {
        master: reportWith('master', { [overlayOf('n1')]: 'no-answer' }),
        n1: reportWith('n1', { [overlayOf('master')]: 'no-answer', [overlayOf('n2')]: 'no-answer' }),
        n2: reportWith('n2', { [overlayOf('n1')]: 'no-answer' }),
      },
    }),
    want: [{ subject: 'n1', cause: /between n1 and any other node/, remedy: /open UDP port 8472/ }],
  },
  {
    id: 'OverlayUDP',
    name: 'something between two',
    given: healthy({ reports: { n1: reportWith('n1', { [overlayOf('n2')]: 'no-answer' }) } }),
    want: [{ subject: 'n1, n2', cause: /between n1 and n2.*\(n1 → n2\)/, remedy: /UDP port 8472/ }],
  },
  {
    id: 'PacketsLost',
    name: 'large packets of the overlay are lost',
    given: healthy({ reports: { n1: reportWith('n1', { [overlayOf('n2')]: 'large-lost' }) } }),
    want: [{ subject: 'n1, n2', cause: /large ones are lost/, remedy: /MTU/ }],
  },
  {
    id: 'PacketsLost',
    name: 'large packets are lost without the overlay',
    given: healthy({
      reports: { n1: reportWith('n1', { [directOf('n2')]: 'large-lost', [overlayOf('n2')]: 'large-lost' }) },
    }),
    want: [{ subject: 'n1, n2', cause: /from n1, 192\.0\.2\.12:10250 takes a connection/, remedy: /MTU.*agent of n2/ }],
  },
  {
    id: 'OverlayMTU',
    name: 'too small, too large, absent',
    given: healthy({
      reports: {
        master: report('master', { overlay: { device: 'k8ts.1', mtu: 1400 } }),
        n1: report('n1', { overlay: { device: 'k8ts.1', mtu: 1500 } }),
        n2: { ...report('n2'), report: (({ overlay: _overlay, ...rest }) => rest)(report('n2').report) },
      },
    }),
    want: [
      { severity: 'error', subject: 'n1', cause: /MTU 1500; 1450 fits into eth0 \(1500\)/, remedy: /k8ts\.1 mtu 1450/ },
      { severity: 'error', subject: 'n2', cause: /no overlay link/, remedy: /restart its agent/ },
      { severity: 'warning', subject: 'master', cause: /MTU 1400/, remedy: /on master: ip link set/ },
    ],
  },
  {
    id: 'MTUMismatch',
    name: 'nodes with links of different MTU',
    given: healthy({
      reports: {
        n2: report('n2', { underlay: { device: 'eth0', mtu: 9000 }, overlay: { device: 'k8ts.1', mtu: 8950 } }),
      },
    }),
    want: [
      { severity: 'warning', subject: 'master, n1, n2', cause: /1500 on master, n1; 9000 on n2/, remedy: /mtu 1500/ },
    ],
  },
];

t.test('nothing is found where nothing is wrong', async (t) => {
  t.strictSame(diagnose(healthy()), []);
  t.strictSame(diagnose({ now, machine: undefined, cluster: undefined, notLookedAt: [] }), []);
});

t.test('every check has a case that provokes it', async (t) => {
  const missing = doctorChecks.filter(({ id }) => !provoked.some((one) => one.id === id));
  t.strictSame(
    missing.map(({ id }) => id),
    [],
  );
  t.ok(doctorChecks.every(({ why, remedy }) => why.length > 10 && remedy.length > 5));
});

for (const { id, name, given, want } of provoked) {
  t.test(`${id}: ${name}`, async (t) => {
    const found = diagnose(given);
    t.match(
      found,
      want.map((one) => ({ id, ...one })),
    );
    t.equal(found.length, want.length, 'nothing else is said');
  });
}

t.test('a Lease tells the time of a node that does not report', async (t) => {
  const silent = { n1: { problem: 'it answered 500' } };
  const skews = (given: Observations): readonly string[] =>
    diagnose(given).flatMap(({ id, subject, cause }) => (id === 'ClockSkew' ? [`${subject}: ${cause}`] : []));
  const renewed = (secondsAgo: number) => [lease('master', 5), lease('n1', secondsAgo), lease('n2', 5)];
  t.match(skews(healthy({ reports: silent, leases: renewed(-60) })), [/^n1: its clock is 60 s ahead of/]);
  t.match(skews(healthy({ reports: silent, leases: renewed(100) })), [/^n1: its clock is 100 s behind/]);
  t.strictSame(skews(healthy({ reports: silent, leases: renewed(45) })), [], 'a renewal may be some time ago');
  const dead = [node('master'), node('n1', { conditions: [gone] }), node('n2')];
  t.strictSame(skews(healthy({ reports: silent, leases: renewed(100), nodes: dead })), [], 'a dead node has no clock');
});

t.test('a machine without nameservers does not mean to know names outside', async (t) => {
  const dns = { cluster: 'answered', outside: 'ESERVFAIL', nameservers: {} };
  t.strictSame(diagnose(healthy({ reports: { n1: report('n1', { dns }) } })), []);
});

t.test('what the preflight checks say of the machine is said, and the same on several nodes once', async (t) => {
  const preflight = [
    { id: 'Swap', check: 'Swap', severity: 'error' as const, message: 'swap is on', fix: 'swapoff -a' },
  ];
  t.strictSame(diagnose(on({ preflight })), [
    { id: 'Swap', severity: 'error', subject: 'master', cause: 'swap is on', remedy: 'swapoff -a' },
  ]);
  const dns = { cluster: 'ETIMEOUT', nameservers: {} };
  const everywhere = Object.fromEntries(names.map((name) => [name, report(name, { dns })]));
  t.match(diagnose(healthy({ reports: everywhere })), [{ id: 'ClusterDNS', subject: 'master, n1, n2' }]);
});

t.test('who is to blame', async (t) => {
  const pairs = (...words: readonly string[]) => words.map((word) => ({ from: word.slice(0, 1), to: word.slice(1) }));
  const all = pairs('ab', 'ba', 'ac', 'ca', 'bc', 'cb');
  t.match(blame(all, pairs('ab', 'ca')), [{ node: 'a' }]);
  t.match(blame(all, pairs('ab', 'ba')), [{ between: { from: 'b', to: 'a' }, pairs: pairs('ab', 'ba') }]);
  t.match(blame(pairs('ab', 'ba'), pairs('ab')), [{ between: { from: 'a', to: 'b' } }], 'two cannot tell');
  t.strictSame(
    blame(all, all).map((trouble) => ('node' in trouble ? trouble.node : '')),
    ['a', 'b', 'c'],
  );
  t.strictSame(blame(all, []), []);
});
