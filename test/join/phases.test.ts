// The phases of join after discovery, against a cluster in memory.

import t from 'tap';
import type { ConfigMap, Node } from '../../src/api/index.ts';
import { ApiStatusError, createFakeClient, type FakeClient } from '../../src/client/index.ts';
import { createFakeHost, type FakeHostOptions, type ServiceStatus, type Services } from '../../src/host/index.ts';
import { type JoinContext, joinPhases } from '../../src/join/index.ts';
import { createReporter, runPhases } from '../../src/workflow/index.ts';

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
const readyNode = (name: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  status: { conditions: [{ type: 'Ready', status: 'True' }] },
});

function setup(objects: readonly (ConfigMap | Node)[], hostOptions: FakeHostOptions = {}) {
  const steps: string[] = [];
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
    stop: async () => undefined,
    remove: async () => undefined,
    status: async () => status,
    logs: async () => '',
  };
  const context: JoinContext = {
    host,
    services,
    program: ['/node', '/k8ts.js'],
    installProgram: async () => undefined,
    endpoint: '192.0.2.10:6443',
    token: { id: 'abcdef', secret: '0123456789abcdef' },
    caCertHashes: [],
    skipCaVerification: true,
    nodeName: 'w1',
    nodeIp: undefined,
    criSocket: 'unix:///run/containerd/containerd.sock',
    labels: {},
    taints: [],
    ignoredChecks: [],
    connect: async () => client,
    say: () => undefined,
    found: { discovered: { server: 'https://192.0.2.10:6443', caPem: 'CA\n' } },
  };
  const reporter = createReporter({ terminal: false, write: () => undefined });
  const run = (skip: readonly string[] = ['preflight', 'discovery', 'wait-node']) =>
    runPhases(joinPhases, context, { reporter, signal: new AbortController().signal, skip });
  const agent = async () => JSON.parse((await host.readFile('/etc/k8ts/agent.json')).toString());
  return { host, client, context, steps, run, agent };
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

t.test('run again, the agent is left running; with another configuration it is restarted', async (t) => {
  const { run, steps, context } = setup([kubeadm, own]);
  await run();
  await run();
  t.strictSame(steps.slice(2), ['install k8ts-agent', 'start k8ts-agent']);
  Object.assign(context, { nodeIp: '192.0.2.99' });
  await run();
  t.strictSame(steps.slice(4), ['install k8ts-agent', 'restart k8ts-agent']);
});

t.test('a cluster that kubeadm made has no k8ts-config: defaults are taken', async (t) => {
  const { run, agent } = setup([kubeadm]);
  await run();
  t.match(await agent(), { clusterDns: '10.32.0.10', overlay: { vni: 1, port: 8472 } });
});

t.test('a name that a Ready node has is refused, one of a dead node is taken over', async (t) => {
  const taken = setup([kubeadm, own, readyNode('w1')]);
  await t.rejects(taken.run(), { code: 'NODE_NAME_TAKEN', hint: /--node-name.*kubectl delete node w1/ });
  t.strictSame(taken.steps, [], 'nothing was started');
  const dead = { ...readyNode('w1'), status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } };
  await setup([kubeadm, own, dead]).run();
  const itself = setup([kubeadm, own, readyNode('w1')], { files: { '/etc/kubernetes/kubelet.conf': 'x' } });
  await t.resolves(itself.run(), 'this machine itself, on a second run');
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
});
