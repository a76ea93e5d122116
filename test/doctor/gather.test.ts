// How the doctor asks: a cluster in memory whose nodes answer the probe, a machine in memory, and everything that may be
// missing or refused.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createKeyPair, issueCertificate } from '../../src/certs/index.ts';
import { ApiStatusError, createFakeClient, type RawAnswer } from '../../src/client/index.ts';
import type { AgentConfig } from '../../src/config/index.ts';
import { createFakeCri } from '../../src/cri/index.ts';
import { diagnose, gather, pathsOf } from '../../src/doctor/index.ts';
import { createFakeHost, type Services } from '../../src/host/index.ts';
import { directOf, lease, node, now, overlayOf, report } from './healthy.ts';

const signal = AbortSignal.timeout(20_000);
const cluster = [node('master'), node('n1'), node('n2'), lease('master', 1), lease('n1', 1), lease('n2', 1)];

/** @param answer of a node to the probe */
function clientThat(answer: (name: string, targets: readonly string[]) => Partial<RawAnswer> | Error, date = now) {
  const asked: string[] = [];
  return {
    asked,
    ...createFakeClient(cluster),
    async raw(_method: string, path: string): Promise<RawAnswer> {
      if (path === '/version') return { status: 200, body: Buffer.from('{}'), date };
      const url = new URL(path, 'https://x');
      const name = url.pathname.split('/')[4] ?? '';
      asked.push(path);
      const given = answer(name, url.searchParams.getAll('target'));
      if (given instanceof Error) throw given;
      return { status: 200, body: Buffer.from(JSON.stringify(report(name).report)), ...given };
    },
  };
}

t.test('every node is asked about every other one', async (t) => {
  const client = clientThat(() => ({}));
  const observed = await gather({ host: createFakeHost(), client, now: () => now }, signal);
  t.match(observed.cluster, { problem: undefined, clockSkew: 500, nodes: { length: 3 }, leases: { length: 3 } });
  t.match(observed.cluster?.reports, { master: { clockSkew: 0 }, n1: { report: { node: 'n1' } }, n2: {} });
  t.ok(
    client.asked.includes(
      `/api/v1/nodes/n1/proxy/k8ts/probe?target=${directOf('master')}&target=${overlayOf('master')}&target=${directOf('n2')}&target=${overlayOf('n2')}`,
    ),
    client.asked.join('\n'),
  );
  t.equal(pathsOf(observed).length, 6);
  t.match(observed.notLookedAt, [/^this machine: it is no node/]);
  t.strictSame(diagnose(observed), []);
});

t.test('an API server with another clock is told from one that is right', async (t) => {
  const client = clientThat(() => ({}), now - 200_000);
  const observed = await gather({ host: createFakeHost(), client, now: () => now }, signal);
  t.match(
    diagnose(observed).map(({ id, cause }) => `${id}: ${cause}`),
    [/ClockSkew: its clock is 200 s ahead of the API server's/],
  );
});

t.test('a node that cannot be asked is no obstacle', async (t) => {
  const client = clientThat((name) => {
    if (name === 'n1') return { status: 404 };
    if (name === 'n2') return { status: 502, body: Buffer.from('dial tcp') };
    return {};
  });
  const { cluster: seen } = await gather({ host: createFakeHost(), client, now: () => now }, signal);
  t.match(seen?.reports['n1'], { problem: /not one of k8ts/ });
  t.equal(seen?.reports['n2'], undefined, 'the others tell that it does not answer');
  const odd = clientThat((name) => (name === 'n1' ? { status: 500, body: Buffer.from('oops') } : new Error('lost')));
  const { cluster: strange } = await gather({ host: createFakeHost(), client: odd, now: () => now }, signal);
  t.match(strange?.reports, { n1: { problem: 'it answered 500: oops' }, n2: { problem: 'lost' } });
});

t.test('without the right to ask nodes, that is said', async (t) => {
  const client = clientThat(() => ({ status: 403 }));
  const noLeases = {
    ...client,
    list: ((kind, options) => {
      if (kind.kind !== 'Lease') return client.list(kind, options);
      throw new ApiStatusError(403, 'Forbidden', 'no');
    }) as typeof client.list,
  };
  const observed = await gather({ host: createFakeHost(), client: noLeases, now: () => now }, signal);
  t.match(observed.cluster, { problem: undefined, nodes: { length: 3 }, leases: [] });
  t.match(observed.notLookedAt, [/^this machine/, /^what master, n1, n2 see.*use admin\.conf/]);
});

t.test('an API server that does not answer is the finding', async (t) => {
  const client = clientThat(() => ({}));
  const broken = { ...client, raw: () => Promise.reject(new Error('connect ECONNREFUSED 192.0.2.10:6443')) };
  const observed = await gather({ host: createFakeHost(), client: broken, now: () => now }, signal);
  t.match(diagnose(observed), [{ id: 'APIUnreachable', cause: /ECONNREFUSED/ }]);
});

t.test('the machine itself: services, certificates, runtime, its own report', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'k8ts-doctor-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const { privateKeyPem, publicKeyPem } = await createKeyPair();
  const old = issueCertificate({
    publicKeyPem,
    subject: { commonName: 'kubernetes', organizations: [] },
    usages: ['cert sign'],
    signer: { self: true, keyPem: privateKeyPem },
    notBefore: new Date('2020-01-01'),
    notAfter: new Date('2021-01-01'),
  });
  const host = createFakeHost({
    programs: ['ip'],
    files: {
      '/etc/kubernetes/pki/ca.crt': old,
      '/etc/kubernetes/pki/ca.key': privateKeyPem,
      '/var/lib/k8ts/agent/pki/kubelet-client-current.pem': `${old}${privateKeyPem}`,
      '/var/lib/k8ts/agent/pki/kubelet-server-current.pem': 'nonsense',
      '/var/lib/rancher/k3s/x': '',
      '/proc/swaps': 'Filename\n/dev/sda2 partition\n',
    },
    onRun: (program, args) => {
      if (program === 'getent') return { stdout: '192.0.2.10 STREAM\n' };
      if (program === 'ip' && args.includes('route')) return { stdout: '[{"dst":"default","dev":"eth0"}]' };
      if (program === 'ip') return { stdout: '[{"ifname":"eth0","mtu":1500,"addr_info":[{"local":"192.0.2.10"}]}]' };
      return {};
    },
  });
  const services = {
    kind: 'systemd',
    status: async (name: string) =>
      name === 'k8ts-server'
        ? { state: 'running', restarts: 0 }
        : { state: 'failed', restarts: 9, reason: 'exit code 7' },
  } as Partial<Services> as Services;
  const config = {
    nodeName: 'master',
    nodeIp: '192.0.2.10',
    certDir: '/var/lib/k8ts/agent/pki',
    criSocket: 'unix:///run/c.sock',
    podCidr: '10.244.0.0/16',
    serviceCidr: '10.96.0.0/12',
    clusterDns: '127.0.0.1',
    clusterDomain: 'cluster.local',
    dns: 'off',
    overlay: { backend: 'vxlan', vni: 1, port: 8472 },
    cni: { confDir: '/etc/cni/net.d', binDirs: ['/usr/lib/cni'] },
  } as Partial<AgentConfig> as AgentConfig;
  const observed = await gather({ host, node: { config, services, cri: createFakeCri() } }, signal);
  t.match(observed.notLookedAt, ['the cluster: there is no kubeconfig']);
  const found = diagnose(observed);
  const said = found.map(({ id, subject, cause }) => `${id} ${subject}: ${cause}`);
  for (const want of [
    /^ServiceDown k8ts-agent: it is failed: exit code 7/,
    /^Certificate \/etc\/kubernetes\/pki\/ca\.crt: it ended on 2021-01-01/,
    /^Certificate \/var\/lib\/k8ts\/agent\/pki\/kubelet-client-current\.pem: it ended on 2021-01-01/,
    /^Certificate \/var\/lib\/k8ts\/agent\/pki\/kubelet-server-current\.pem: the certificate cannot be read/,
    /^LeftoverState master: .*k3s was installed/,
    /^Swap master: swap is on: \/dev\/sda2/,
    /^OverlayMTU master: the node has no overlay link/,
  ]) {
    t.ok(
      said.some((line) => want.test(line)),
      `${want}\n${said.join('\n')}`,
    );
  }
  t.strictSame(await host.journal.changes(), [], 'nothing was changed');
});
