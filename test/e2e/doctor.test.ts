// Things broken on purpose on three hosts, each found by `k8ts doctor` with its remedy; and a clean cluster with nothing
// found. What needs another clock is in test/doctor.

import t, { type Test } from 'tap';
import { createKeyPair, issueCertificate } from '../../src/certs/index.ts';
import type { DoctorFinding, NodePath } from '../../src/doctor/index.ts';
import { createLab, mustSucceed } from './lab.ts';

t.setTimeout(300_000);
const lab = createLab('e2e-doctor');
const hosts = ['master', 'node1', 'node2'] as const;
type Host = (typeof hosts)[number];

interface Said {
  readonly code: number;
  readonly findings: readonly DoctorFinding[];
  readonly paths: readonly NodePath[];
  readonly notLookedAt: readonly string[];
}

/** The disk of the machine that the tests run on is not part of the test. */
async function doctor(host: Host): Promise<Said> {
  const { code, stdout, all } = await lab.k8ts(host, ['doctor', '-o', 'json']);
  try {
    const said: Omit<Said, 'code'> = JSON.parse(stdout);
    return { ...said, code, findings: said.findings.filter(({ id }) => id !== 'DiskFree') };
  } catch {
    throw new Error(`doctor on ${host} printed no JSON\n${all}`);
  }
}

async function on(host: Host, command: string): Promise<void> {
  mustSucceed(await lab.on(host, ['/bin/sh', '-c', command]));
}

/** Breaks something, and mends it when the test is over. */
async function broken(t: Test, host: Host, breaking: string, mending: string): Promise<void> {
  await on(host, breaking);
  t.teardown(() => on(host, mending));
}

const dropped = (what: string): readonly [string, string] => [
  `nft 'add table inet broken; add chain inet broken in { type filter hook input priority -400; }; add rule inet broken in ${what} drop'`,
  'nft delete table inet broken',
];

t.before(async () => {
  await lab.down();
  await lab.up(...hosts);
  // A host without nameservers knows no names outside, and does not mean to.
  await Promise.all(hosts.map((host) => on(host, ': >/etc/resolv.conf')));
});
t.teardown(() => lab.down());

t.test('a machine that is no node, without a kubeconfig', async (t) => {
  const nothing = await lab.k8ts('node2', ['doctor']);
  t.equal(nothing.code, 3);
  t.match(nothing.all, /\[NOTHING_TO_LOOK_AT\]\n.*run it as root on a node, or pass --kubeconfig/);
  const absent = await lab.k8ts('node2', ['doctor', '--kubeconfig', '/nonexistent']);
  t.equal(absent.code, 3);
  t.match(absent.all, /\/nonexistent cannot be used \(ENOENT\) \[KUBECONFIG_ABSENT\]\n.*what to do/);
});

t.test('a cluster of three hosts', { bail: true }, async () => {
  const pause = lab.images[0] ?? '';
  await Promise.all(hosts.map(async (host) => mustSucceed(await lab.k8ts(host, ['image', 'import', pause]))));
  mustSucceed(await lab.k8ts('master', ['init']));
  const made = mustSucceed(await lab.k8ts('master', ['token', 'create', '--print-join-command'])).stdout;
  const join = (/^k8ts join .*--token.*$/m.exec(made)?.[0] ?? '').split(/\s+/).slice(1);
  await Promise.all(['node1', 'node2'].map(async (host) => mustSucceed(await lab.k8ts(host, join))));
});

t.test('nothing is found in a clean cluster', { bail: true }, async (t) => {
  const { code, findings, paths, notLookedAt } = await doctor('master');
  t.strictSame(findings, []);
  t.strictSame(notLookedAt, []);
  t.equal(code, 0);
  t.strictSame(
    paths.map(({ from, to, direct, overlay }) => `${from} ${to} ${direct.outcome} ${overlay?.outcome}`).sort(),
    ['master node1', 'master node2', 'node1 master', 'node1 node2', 'node2 master', 'node2 node1'].map(
      (pair) => `${pair} ok ok`,
    ),
    'every node reaches every other one',
  );
  const shown = mustSucceed(await lab.k8ts('master', ['doctor']));
  t.match(shown.stdout, /^nothing is wrong with machine master and 3 nodes$/m);
  t.match(shown.stdout, /^node1 +ok +· +ok$/m);
});

t.test('a worker sees its own side, and says what it may not see', async (t) => {
  const { code, findings, paths, notLookedAt } = await doctor('node1');
  t.strictSame(findings, []);
  t.equal(code, 0);
  t.equal(paths.length, 2);
  t.match(notLookedAt, [/what master, node2 see.*admin\.conf/]);
});

t.test('the overlay’s port closed on one node, another cluster’s link, a nameserver that is dead', async (t) => {
  await broken(t, 'node1', ...dropped('udp dport 8472'));
  await broken(t, 'master', 'ip link add flannel.1 type bridge', 'ip link delete flannel.1');
  await broken(t, 'node2', 'echo nameserver 127.0.0.9 >/etc/resolv.conf', ': >/etc/resolv.conf');
  const { code, findings } = await doctor('master');
  t.equal(code, 1);
  t.match(findings, [
    {
      id: 'OverlayUDP',
      severity: 'error',
      subject: 'node1',
      cause: /no packet of the overlay passes between node1 and any other node/,
      remedy: /open UDP port 8472/,
    },
    { id: 'LeftoverState', severity: 'error', subject: 'master', cause: /link flannel\.1/, remedy: /ip link delete/ },
    {
      id: 'DNSForward',
      severity: 'warning',
      subject: 'node2',
      cause: /127\.0\.0\.9 \(nobody listens there\)/,
      remedy: /\/etc\/resolv\.conf of node2/,
    },
  ]);
  t.equal(findings.length, 3);
});

t.test('a wrong MTU on one node, large packets lost on another, a certificate that is over', async (t) => {
  await broken(t, 'node1', 'ip link set dev k8ts.1 mtu 1400', 'ip link set dev k8ts.1 mtu 1450');
  await broken(t, 'node2', ...dropped('udp dport 8472 meta length > 1000'));
  const { privateKeyPem, publicKeyPem } = await createKeyPair();
  const over = issueCertificate({
    publicKeyPem,
    subject: { commonName: 'system:node:master', organizations: ['system:nodes'] },
    usages: ['server auth'],
    signer: { self: true, keyPem: privateKeyPem },
    notBefore: new Date('2020-01-01'),
    notAfter: new Date('2021-01-01'),
  });
  const path = '/var/lib/k8ts/agent/pki/kubelet-server-current.pem';
  await broken(t, 'master', `cp ${path} /run/kept.pem`, `mv /run/kept.pem ${path}`);
  mustSucceed(await lab.on('master', ['tee', path], { stdin: over }));
  const { code, findings } = await doctor('master');
  t.equal(code, 1);
  t.match(findings, [
    {
      id: 'Certificate',
      severity: 'error',
      subject: path,
      cause: 'it ended on 2021-01-01',
      remedy: /systemctl restart k8ts-agent/,
    },
    {
      id: 'PacketsLost',
      severity: 'error',
      subject: 'node2',
      cause: /small packets of the overlay pass between node2 and any other node, large ones are lost/,
      remedy: /compare the MTU/,
    },
    {
      id: 'OverlayMTU',
      severity: 'warning',
      subject: 'node1',
      cause: 'k8ts.1 has MTU 1400; 1450 fits into eth0 (1500)',
      remedy: 'on node1: ip link set dev k8ts.1 mtu 1450',
    },
  ]);
  t.equal(findings.length, 3);
});

t.test('an agent that is stopped', async (t) => {
  // The supervisor first: it would start the agent again.
  await on('node2', "pkill -KILL -f 'run [s]upervisor'; pkill -KILL -f 'run [a]gent'; true");
  const { code, findings } = await doctor('master');
  t.equal(code, 1);
  const dead = findings.filter(({ id }) => id !== 'NodeNotReady'); // which follows after some time
  t.match(dead, [
    {
      id: 'AgentUnreachable',
      severity: 'error',
      subject: 'node2',
      cause: /nothing listens on \S+:10250: its agent does not run \(seen from .*master/,
      remedy: /on node2: systemctl start k8ts-agent/,
    },
  ]);
  t.equal(dead.length, 1);
  const there = await doctor('node2');
  t.equal(there.code, 1);
  t.match(
    there.findings.filter(({ id }) => id === 'ServiceDown'),
    [{ subject: 'k8ts-agent', remedy: /\/var\/log\/k8ts\/k8ts-agent\.log/ }],
  );
});
