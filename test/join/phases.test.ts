// The phases of join after discovery, against a cluster in memory.

import t from 'tap';
import type { ConfigMap, Node } from '../../src/api/index.ts';
import { caCertHash } from '../../src/certs/index.ts';
import { ApiStatusError, createFakeClient, type FakeClient } from '../../src/client/index.ts';
import { createFakeHost, type FakeHostOptions, type ServiceStatus, type Services } from '../../src/host/index.ts';
import { type Discovery, isMember, type JoinContext, joinPhases, memberPhases } from '../../src/join/index.ts';
import { createReporter, runPhases } from '../../src/workflow/index.ts';
import { makeCa } from './make-ca.ts';

const configMap = (name: string, text: string): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'kube-system' },
  data: { ClusterConfiguration: text },
});
const kubeadm = configMap('kubeadm-config', 'networking: {serviceSubnet: 10.32.0.0/16, podSubnet: 10.33.0.0/16}\n');
const own = configMap(
  'k8ts-config',
  'clusterDns: 10.32.0.53\noverlay: {backend: vxlan, vni: 7, port: 4789}\nserviceProxy: nftables\ndns: on\n'.replace(
    'dns: on',
    'dns: "on"',
  ),
);
const token = { id: 'abcdef', secret: '0123456789abcdef' };
const readyNode = (name: string, machineID = 'another'): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  status: {
    addresses: [{ type: 'InternalIP', address: '192.0.2.21' }],
    conditions: [{ type: 'Ready', status: 'True' }],
    nodeInfo: { machineID } as NonNullable<NonNullable<Node['status']>['nodeInfo']>,
  },
});

function setup(objects: readonly (ConfigMap | Node)[], hostOptions: FakeHostOptions = {}) {
  const steps: string[] = [];
  const said: string[] = [];
  const host = createFakeHost({
    sysctls: {
      'net.ipv4.ip_forward': '1',
      'net.bridge.bridge-nf-call-iptables': '1',
      'net.bridge.bridge-nf-call-ip6tables': '1',
    },
    onRun: (_program, args) => ({ stdout: args.includes('get') ? '[{"prefsrc":"192.0.2.21"}]' : '[]' }),
    ...hostOptions,
    files: { '/proc/filesystems': '\toverlay\n', '/proc/sys/net/bridge/x': '', ...hostOptions.files },
  });
  let status: ServiceStatus = { state: 'absent', restarts: 0 };
  const client = createFakeClient(objects);
  const services: Services = {
    kind: 'supervisor',
    install: async ({ name }) => void steps.push(`install ${name}`),
    start: async (name) => {
      steps.push(`start ${name}`);
      status = { state: 'running', restarts: 0 };
    },
    restart: async (name) => void steps.push(`restart ${name}`),
    stop: async (name) => {
      steps.push(`stop ${name}`);
      status = { state: 'stopped', restarts: 0 };
    },
    remove: async () => undefined,
    status: async () => status,
    logs: async () => '',
  };
  const context: JoinContext = {
    host,
    services,
    program: ['/node', '/k8ts.js'],
    installProgram: async () => undefined,
    discovery: {
      by: 'token',
      endpoints: ['192.0.2.10:6443'],
      token,
      caCertHashes: [],
      skipCaVerification: true,
    },
    token,
    nodeName: 'w1',
    nodeIp: undefined,
    criSocket: 'unix:///run/containerd/containerd.sock',
    labels: {},
    taints: [],
    maxPods: undefined,
    ignoredChecks: [],
    fix: false,
    connect: async () => client,
    say: (line) => void said.push(line),
    found: { discovered: { server: 'https://192.0.2.10:6443', caPem: 'CA\n', clockSkew: 0 } },
  };
  const reporter = createReporter({ terminal: false, write: () => undefined });
  const run = (skip: readonly string[] = ['preflight', 'discovery', 'wait-node']) =>
    runPhases(joinPhases, context, { reporter, signal: new AbortController().signal, skip });
  const agent = async () => JSON.parse((await host.readFile('/etc/k8ts/agent.json')).toString());
  return { host, client, context, steps, said, run, agent };
}

t.test('the agent is told what the cluster says and what this machine is', async (t) => {
  const { host, run, agent, steps } = setup([kubeadm, own]);
  await run();
  t.match(await agent(), {
    nodeName: 'w1',
    nodeIp: '192.0.2.21',
    serviceCidr: '10.32.0.0/16',
    podCidr: '10.33.0.0/16',
    clusterDns: '10.32.0.53',
    overlay: { vni: 7, port: 4789 },
    taints: [],
  });
  t.match((await host.readFile('/etc/kubernetes/bootstrap-kubelet.conf')).toString(), /abcdef\.0123456789abcdef/);
  t.equal((await host.stat('/etc/kubernetes/bootstrap-kubelet.conf'))?.mode, 0o600);
  t.strictSame(steps, ['install k8ts-agent', 'start k8ts-agent']);
});

t.test('run again, the agent is left running; with another configuration it is stopped first', async (t) => {
  const { run, steps, context } = setup([kubeadm, own]);
  await run();
  await run();
  t.strictSame(steps.slice(2), ['install k8ts-agent', 'start k8ts-agent']);
  Object.assign(context, { nodeIp: '192.0.2.99' });
  await run();
  t.strictSame(steps.slice(4), ['stop k8ts-agent', 'install k8ts-agent', 'start k8ts-agent']);
});

t.test('a cluster that kubeadm made has no k8ts-config: defaults are taken', async (t) => {
  const { run, agent } = setup([kubeadm]);
  await run();
  t.match(await agent(), { clusterDns: '10.32.0.10', overlay: { vni: 1, port: 8472 } });
});

t.test('another machine with this name, and this machine under another name', async (t) => {
  const refused = { code: 'PREFLIGHT_FAILED', exit: 'preflight' };
  const taken = setup([kubeadm, own, readyNode('w1')]);
  await t.rejects(taken.run(), {
    ...refused,
    message: /DuplicateHostname[\s\S]*--node-name[\s\S]*kubectl delete node w1/,
  });
  t.strictSame(taken.steps, [], 'nothing was started');
  t.equal(await taken.host.stat('/etc/k8ts/agent.json'), undefined, 'nothing was written');
  const { machineId } = await taken.host.facts();
  const clone = setup([kubeadm, own, readyNode('w0', machineId)]);
  await t.rejects(clone.run(), { ...refused, message: /DuplicateMachineID[\s\S]*systemd-machine-id-setup/ });
  Object.assign(clone.context, { ignoredChecks: ['DuplicateMachineID'] });
  await clone.run();
  t.match(clone.said.join(), /WARNING DuplicateMachineID/);
  await t.resolves(setup([kubeadm, own, readyNode('w1', machineId)]).run(), 'this machine itself, after a reset');
});

t.test('a token that may not list the nodes, as in clusters of kubeadm, still sees the one of this name', async (t) => {
  const { client, run } = setup([kubeadm, own, readyNode('w1')]);
  client.failNext(({ verb }) => verb === 'list', new ApiStatusError(403, 'Forbidden', 'no'));
  await t.rejects(run(), { code: 'PREFLIGHT_FAILED', message: /DuplicateHostname/ });
});

t.test('a machine that is a node already needs no token', async (t) => {
  const ca = await makeCa();
  const files = {
    '/etc/kubernetes/pki/ca.crt': ca.certPem,
    '/etc/kubernetes/kubelet.conf': 'x',
    '/etc/k8ts/agent.json': '{"nodeName":"w7"}',
  };
  const { host, context, steps, said } = setup([], { files });
  t.ok(await isMember(host));
  t.notOk(
    await isMember(setup([], { files: { '/etc/k8ts/agent.json': '{}' } }).host),
    'not before it has a certificate',
  );
  const reporter = createReporter({ terminal: false, write: () => undefined });
  const runAs = (caCertHashes: readonly string[]) =>
    runPhases(
      memberPhases,
      { ...context, discovery: { ...context.discovery, caCertHashes } as Discovery },
      {
        reporter,
        signal: new AbortController().signal,
        skip: ['wait-node'],
      },
    );
  await runAs([caCertHash(ca.certPem)]);
  t.match(said, [/node w7 of this cluster already/]);
  t.strictSame(steps, ['install k8ts-agent', 'start k8ts-agent']);
  await t.rejects(runAs([`sha256:${'0'.repeat(64)}`]), {
    code: 'OTHER_CLUSTER',
    message: /node w7 of another cluster/,
  });
});

t.test('a login that came with the discovery file goes to the agent', async (t) => {
  const { host, context, run } = setup([kubeadm, own]);
  Object.assign(context, { token: undefined, discovery: { by: 'file', file: '/f' } });
  await t.rejects(run(), { code: 'LOGIN_MISSING', hint: /k8ts token create/ });
  const login = { cert: 'CERT', key: 'KEY' };
  context.found.discovered = { server: 'https://192.0.2.10:6443', caPem: 'CA\n', clockSkew: 0, login };
  await run();
  const written = (await host.readFile('/etc/kubernetes/bootstrap-kubelet.conf')).toString();
  t.match(written, `client-certificate-data: ${Buffer.from('CERT').toString('base64')}`);
  t.notMatch(written, 'token:');
});

function forbid(client: FakeClient): void {
  client.failNext(({ verb }) => verb === 'get', new ApiStatusError(403, 'Forbidden', 'may not get configmaps'));
}

t.test('a token that may not read the configuration', async (t) => {
  const { run, client } = setup([kubeadm, own]);
  forbid(client);
  await t.rejects(run(), {
    code: 'CONFIG_NOT_READABLE',
    message: /kubeadm-config cannot be read: may not get/,
    hint: /upload-config/,
  });
});

t.test('a phase that is left out is missed by name', async (t) => {
  const { run, context } = setup([kubeadm, own]);
  delete context.found.discovered;
  await t.rejects(run(), { code: 'PHASE_NEEDED', message: /phase discovery has to run first/, hint: /--skip-phases/ });
});

t.test('a machine of another cluster', async (t) => {
  const { requireSameCluster } = await import('../../src/join/phases.ts');
  const { context } = setup([], { files: { '/etc/kubernetes/pki/ca.crt': 'OTHER\n' } });
  await t.rejects(requireSameCluster(context, 'CA\n'), {
    code: 'OTHER_CLUSTER',
    exit: 'preflight',
    hint: /k8ts reset/,
  });
  await t.resolves(requireSameCluster(setup([]).context, 'CA\n'));
  const [old, young] = [(await makeCa()).certPem, (await makeCa()).certPem];
  const rotating = setup([], { files: { '/etc/kubernetes/pki/ca.crt': old } });
  await t.resolves(requireSameCluster(rotating.context, `${young}${old}`), 'a CA that is being replaced');
  await t.rejects(requireSameCluster(rotating.context, young), { code: 'OTHER_CLUSTER' });
});
