import t from 'tap';
import { kinds, type Node } from '../../src/api/index.ts';
import { createFakeClient } from '../../src/client/index.ts';
import { createFakeHost, type Services } from '../../src/host/index.ts';
import { type ResetContext, resetPhases } from '../../src/reset/index.ts';
import { createReporter, runPhases } from '../../src/workflow/index.ts';

async function setup(options: Parameters<typeof createFakeHost>[0] = {}) {
  const host = createFakeHost({
    files: { '/etc/keep': 'theirs', '/var/log/pods/default_theirs_u/0.log': '' },
    sysctls: { 'net.ipv4.ip_forward': '0' },
    ...options,
  });
  const steps: string[] = [];
  const note = (line: string) => async () => void steps.push(line);
  const services: Services = {
    kind: 'supervisor',
    install: async () => undefined,
    start: async () => undefined,
    restart: async () => undefined,
    stop: (name) => note(`stop ${name}`)(),
    remove: (name) => note(`remove ${name}`)(),
    status: async () => ({ state: 'running', restarts: 0 }),
    logs: async () => '',
  };
  const sandbox = (id: string, labels: Record<string, string>) => ({
    id,
    labels,
    metadata: { namespace: 'default', name: id, uid: 'u', attempt: 0 },
  });
  const cri = {
    listPodSandbox: async () => [sandbox('ours', { 'io.kubernetes.pod.uid': 'u' }), sandbox('theirs', {})],
    stopPodSandbox: (id: string) => note(`stop sandbox ${id}`)(),
    removePodSandbox: (id: string) => note(`remove sandbox ${id}`)(),
  } as unknown as ResetContext['cri'];
  const client = createFakeClient([{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } } as Node]);
  const said: string[] = [];
  const context: ResetContext = {
    host: host.bare,
    journal: host.journal,
    services,
    cri,
    nodeName: 'n1',
    client,
    agentData: '/var/lib/k8ts/agent',
    say: (line) => void said.push(line),
  };
  const reporter = createReporter({ terminal: false, write: () => undefined });
  const run = (more: Partial<ResetContext> = {}) =>
    runPhases(resetPhases, { ...context, ...more }, { reporter, signal: new AbortController().signal });
  return { host, client, steps, said, run };
}

t.test('the node leaves, its pods and services end, and every change is taken back', async (t) => {
  const { host, client, steps, said, run } = await setup();
  const before = host.files();
  await host.writeFile('/etc/k8ts/agent.json', '{}');
  await host.writeSysctl('net.ipv4.ip_forward', '1');
  await host.record({ kind: 'nft-table', family: 'ip', name: 'k8ts' });
  await host.bare.writeFile('/var/log/pods/default_ours_u/web/0.log', 'written by the runtime');
  await run();
  t.strictSame(host.files(), before);
  t.equal(await host.readSysctl('net.ipv4.ip_forward'), '0');
  t.strictSame(steps, [
    'stop k8ts-agent',
    'stop k8ts-server',
    'stop sandbox ours',
    'remove sandbox ours',
    'remove k8ts-agent',
    'remove k8ts-server',
  ]);
  t.strictSame((await client.list(kinds.node)).items, []);
  t.match(said.join('\n'), /Taken back: 1 files, 1 folders, 1 kernel settings, 1 nftables tables\.\nNot touched: /);
});

t.test('links to logs and the cgroups of pods go, those of others stay', async (t) => {
  const { host, run } = await setup();
  await host.bare.writeFile('/var/log/containers/ours_default_web-1.log', '');
  await host.bare.writeFile('/var/log/containers/theirs_default_web-1.log', '');
  for (const top of ['cpu', 'memory']) await host.bare.makeDir(`/sys/fs/cgroup/${top}/kubepods/besteffort/podu`);
  await host.record({ kind: 'directory', path: '/sys/fs/cgroup/cpu/kubepods', shared: true });
  await run();
  t.strictSame(await host.readDir('/var/log/containers'), ['theirs_default_web-1.log']);
  t.equal(await host.stat('/sys/fs/cgroup/cpu/kubepods'), undefined);
  t.ok(await host.stat('/sys/fs/cgroup/memory/kubepods/besteffort/podu'), 'not noted, so not ours');
});

t.test('a cluster that does not answer does not stop the reset, and what stays is told', async (t) => {
  const { client, said, run } = await setup();
  client.failNext(
    ({ verb }) => verb === 'delete',
    Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
  );
  await run();
  t.match(said[0], /node object stays: connect ECONNREFUSED.*kubectl delete node n1/);
});

t.test('a machine that never joined is reset as well', async (t) => {
  const { steps, said, run } = await setup();
  await run({ client: undefined, nodeName: undefined, cri: undefined });
  t.notOk(steps.some((step) => step.includes('sandbox')));
  t.match(said.join('\n'), 'There was nothing to take back.');
});

t.test('what cannot be taken back is named and can be tried again', async (t) => {
  const { host, run } = await setup({
    onRun: (program) => (program === 'swapon' ? { code: 1, stderr: 'no such device' } : {}),
  });
  await host.record({ kind: 'swap', device: '/dev/sda2' });
  await t.rejects(run(), { code: 'RESET_INCOMPLETE', message: /swap \/dev\/sda2: .*no such device/s, hint: /again/ });
  t.strictSame(await host.journal.changes(), [{ kind: 'swap', device: '/dev/sda2' }]);
});

t.test('a pod that cannot be removed is named, and the rest is taken back', async (t) => {
  const { host, said, run } = await setup();
  await host.writeFile('/etc/k8ts/agent.json', '{}');
  const cri = {
    listPodSandbox: async () => [
      {
        id: 'stuck',
        labels: { 'io.kubernetes.pod.uid': 'u' },
        metadata: { namespace: 'default', name: 'web', uid: 'u' },
      },
    ],
    stopPodSandbox: async () => {
      throw new Error('device or resource busy');
    },
  } as unknown as ResetContext['cri'];
  await run({ cri });
  t.match(said.join('\n'), /Pod default\/web stays .*: device or resource busy/);
  t.equal(host.files()['/etc/k8ts/agent.json'], undefined);
});

t.test('pods whose runtime is dead are ended by their cgroup, which only k8ts made', async (t) => {
  const procs = '/sys/fs/cgroup/kubepods/burstable/pod1/cgroup.procs';
  const { host, run } = await setup({
    onRun: async (program) => {
      if (program === 'kill') await host.bare.remove(procs);
      return undefined;
    },
  });
  await host.record({ kind: 'directory', path: '/sys/fs/cgroup/kubepods', shared: true });
  await host.bare.writeFile(procs, '41\n42\n');
  await host.bare.writeFile('/sys/fs/cgroup/theirs/cgroup.procs', '43\n');
  await run({ cri: undefined });
  t.same(
    host.commands.filter((line) => line.startsWith('kill')),
    ['kill -KILL 41 42'],
  );
});

t.test('the program stays as long as something could not be taken back', async (t) => {
  let broken = true;
  const { host, run } = await setup({
    onRun: (program, args) =>
      program === 'ip' && args[1] === 'delete' && broken ? { code: 2, stderr: 'busy' } : undefined,
  });
  await host.record({ kind: 'directory', path: '/opt/k8ts' });
  await host.bare.writeFile('/opt/k8ts/1.0.0-abc/bin/k8ts', 'program');
  await host.record({ kind: 'link', name: 'cni0' });
  await t.rejects(run(), { code: 'RESET_INCOMPLETE', hint: /again/ });
  t.ok(host.files()['/opt/k8ts/1.0.0-abc/bin/k8ts']);
  broken = false;
  await run();
  t.equal(host.files()['/opt/k8ts/1.0.0-abc/bin/k8ts'], undefined);
});

t.test('what CNI plugins kept of our pods goes, of others it stays', async (t) => {
  const rule = (network: string, chain: string) =>
    `-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"${network}\\" id: \\"4f\\"" -j ${chain}`;
  const listing = [
    '-N CNI-HOSTPORT-DNAT',
    rule('k8ts', 'CNI-DN-a'),
    rule('theirs', 'CNI-DN-b'),
    rule('k8ts', 'CNI-DN-c'),
  ];
  const { host, run } = await setup({
    programs: ['iptables'],
    onRun: (program, args) =>
      program === 'iptables' && args.includes('-S') ? { stdout: `${listing.join('\n')}\n` } : undefined,
  });
  await host.bare.writeFile('/var/lib/cni/results/k8ts-4f-eth0', '{}');
  await host.bare.writeFile('/var/lib/cni/results/cni-loopback-4f-lo', '{}');
  await host.bare.writeFile('/var/lib/cni/results/theirs-5e-eth0', '{}');
  await host.bare.writeFile('/var/lib/k8ts/agent/pods/u1/etc-hosts', '');
  await host.bare.writeFile('/var/log/pods/default_web_u1/web/0.log', '');
  await host.bare.writeFile('/var/log/containers/web_default_web-4f.log', '');
  await run({ cri: undefined });
  t.notOk(host.files()['/var/log/pods/default_web_u1/web/0.log']);
  t.notOk(host.files()['/var/log/containers/web_default_web-4f.log']);
  t.equal(host.files()['/var/log/pods/default_theirs_u/0.log'], '');
  t.match(host.files(), { '/var/lib/cni/results/theirs-5e-eth0': '{}' });
  t.notOk(host.files()['/var/lib/cni/results/k8ts-4f-eth0']);
  t.notOk(host.files()['/var/lib/cni/results/cni-loopback-4f-lo']);
  t.same(
    host.commands.filter((line) => / -[DFX] /.test(line)),
    [
      'iptables -w -t nat -D CNI-HOSTPORT-DNAT 3',
      'iptables -w -t nat -D CNI-HOSTPORT-DNAT 1',
      'iptables -w -t nat -F CNI-DN-c',
      'iptables -w -t nat -X CNI-DN-c',
      'iptables -w -t nat -F CNI-DN-a',
      'iptables -w -t nat -X CNI-DN-a',
    ],
  );
});

t.test('logs of a pod whose sandbox the agent had removed already go too', async (t) => {
  const { host, run } = await setup();
  await host.bare.writeFile('/var/lib/k8ts/agent/pods/u9/volumes/x', '');
  await host.bare.writeFile('/var/log/pods/default_ending_u9/web/0.log', '');
  await run();
  t.same(
    Object.keys(host.files()).filter((path) => path.startsWith('/var/log/pods')),
    ['/var/log/pods/default_theirs_u/0.log'],
  );
});
