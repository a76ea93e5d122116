// The phases of init, run against a machine and a cluster in memory, as --dry-run does.

import t, { type Test } from 'tap';
import { kinds } from '../../src/api/index.ts';
import { createDryRun } from '../../src/commands/dry-run.ts';
import { resolveInitConfig } from '../../src/config/index.ts';
import { createFakeHost } from '../../src/host/index.ts';
import { type InitContext, initPhases } from '../../src/init/index.ts';
import { parseKubeconfig } from '../../src/kubeconfig/index.ts';
import { createReporter, runPhases } from '../../src/workflow/index.ts';

async function setup(document: object = {}) {
  const machine = createFakeHost({
    sysctls: {
      'net.ipv4.ip_forward': '0',
      'net.bridge.bridge-nf-call-iptables': '0',
      'net.bridge.bridge-nf-call-ip6tables': '1',
    },
    files: { '/proc/filesystems': 'nodev\toverlay\n', '/proc/sys/net/bridge/x': '', '/usr/lib/cni/bridge': '' },
    onRun: () => ({ stdout: '[{"dst":"default","dev":"eth0","prefsrc":"192.0.2.10"}]' }),
  });
  const given = { apiVersion: 'k8ts.dev/v1' as const, kind: 'ClusterConfiguration' as const, ...document };
  const config = await resolveInitConfig(machine, given, 'test');
  const dry = createDryRun(machine, config.node.name);
  const said: string[] = [];
  const context: InitContext = {
    ...dry,
    config,
    program: ['/node', '/k8ts.js'],
    installProgram: async () => undefined,
    document: given,
    tokens: [{ token: { id: 'abcdef', secret: '0123456789abcdef' }, ttl: 3_600_000 }],
    showToken: true,
    fix: false,
    ignoredChecks: [],
    client: async () => dry.client,
    say: (line) => void said.push(line),
  };
  const reporter = createReporter({ terminal: false, write: () => undefined });
  const signal = new AbortController().signal;
  // Preflight asks the container runtime of the machine that the test runs on; it has tests of its own.
  const run = () => runPhases(initPhases, context, { reporter, signal, skip: ['preflight'] });
  return { dry, context, said, run, machine };
}

const transcript = `
write /etc/k8ts/cluster.yaml mode 600 new
set net.ipv4.ip_forward = 1 (is 0)
set net.bridge.bridge-nf-call-iptables = 1 (is 0)
write /etc/modules-load.d/k8ts.conf mode 644 new
write /etc/sysctl.d/90-k8ts.conf mode 644 new
make folder /etc/kubernetes/pki mode 700
write /etc/kubernetes/pki/ca.key mode 600 new
write /etc/kubernetes/pki/ca.crt mode 644 new
write /etc/kubernetes/pki/apiserver.key mode 600 new
write /etc/kubernetes/pki/apiserver.crt mode 644 new
write /etc/kubernetes/pki/apiserver-kubelet-client.key mode 600 new
write /etc/kubernetes/pki/apiserver-kubelet-client.crt mode 644 new
write /etc/kubernetes/pki/front-proxy-ca.key mode 600 new
write /etc/kubernetes/pki/front-proxy-ca.crt mode 644 new
write /etc/kubernetes/pki/front-proxy-client.key mode 600 new
write /etc/kubernetes/pki/front-proxy-client.crt mode 644 new
write /etc/kubernetes/pki/sa.key mode 600 new
write /etc/kubernetes/pki/sa.pub mode 644 new
write /etc/kubernetes/admin.conf mode 600 new
write /etc/kubernetes/super-admin.conf mode 600 new
write /etc/kubernetes/kubelet.conf mode 600 new
write /etc/kubernetes/controller-manager.conf mode 600 new
write /etc/kubernetes/scheduler.conf mode 600 new
make folder /var/lib/k8ts/server mode 700
write /etc/k8ts/server.json mode 600 new
install service k8ts-server: /node /k8ts.js run server --config /etc/k8ts/server.json
start service k8ts-server
create Secret kube-system/bootstrap-token-abcdef
create ConfigMap kube-public/cluster-info
make folder /var/lib/k8ts/agent mode 700
write /etc/k8ts/agent.json mode 600 new
install service k8ts-agent: /node --max-semi-space-size=1 /k8ts.js run agent --config /etc/k8ts/agent.json
start service k8ts-agent
create ConfigMap kube-system/kubeadm-config
create ConfigMap kube-system/kubelet-config
create ConfigMap kube-system/kubelet-config-1.35
create ConfigMap kube-system/k8ts-config
create Role kube-system/kubeadm:nodes-kubeadm-config
create Role kube-system/kubeadm:kubelet-config
create Role kube-system/k8ts:nodes-config
create ClusterRole k8ts:list-nodes
create ClusterRoleBinding k8ts:list-nodes
create RoleBinding kube-system/kubeadm:nodes-kubeadm-config
create RoleBinding kube-system/kubeadm:kubelet-config
create RoleBinding kube-system/k8ts:nodes-config
create Service kube-system/kube-dns
patch Node n1: {"metadata":{"labels":{"node-role.kubernetes.io/control-plane":"","node.kubernetes.io/exclude-from-external-load-balancers":""}},"spec":{"taints":[{"key":"node-role.kubernetes.io/control-plane","effect":"NoSchedule"}]}}
`.trim();

t.test('what init does, step by step', async (t) => {
  const { dry, run, machine } = await setup();
  const before = machine.files();
  await run();
  t.equal(dry.transcript().join('\n'), transcript);
  t.strictSame(machine.files(), before, 'a dry run leaves the machine as it is');
  t.equal(await machine.readSysctl('net.ipv4.ip_forward'), '0');
});

t.test('run again, it finds everything done', async (t) => {
  const { dry, run } = await setup();
  await run();
  const first = dry.transcript().length;
  await run();
  const again = dry.transcript().slice(first);
  const changes = again.filter((step) => !/^(install|start) service/.test(step));
  // The token's Secret says when it expires, which moves on; a patch that changes nothing is still sent.
  t.strictSame(
    changes.filter((step) => !/^(update Secret|patch Node)/.test(step)),
    [],
  );
});

async function inCluster(t: Test, document: object = {}) {
  const made = await setup(document);
  await made.run();
  const get = (name: string, namespace = 'kube-system') => made.dry.client.get(kinds.configMap, { namespace, name });
  t.ok(await get('kubeadm-config'));
  return { ...made, get };
}

t.test('what joining machines read is there and may be read by them', async (t) => {
  const { dry, get, context } = await inCluster(t);
  t.match((await get('cluster-info', 'kube-public')).data, {
    kubeconfig: /192.0.2.10:6443/,
    'jws-kubeconfig-abcdef': /\.\./,
  });
  const binding = await dry.client.get(kinds.roleBinding, { namespace: 'kube-system', name: 'k8ts:nodes-config' });
  t.match(binding.subjects, [{ name: 'system:nodes' }, { name: 'system:bootstrappers:kubeadm:default-node-token' }]);
  const agent = JSON.parse((await context.host.readFile('/etc/k8ts/agent.json')).toString());
  t.match(agent, {
    nodeName: 'n1',
    nodeIp: '192.0.2.10',
    clusterDns: '10.96.0.10',
    taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }],
    cni: { binDirs: ['/usr/lib/cni'] },
  });
  const kubelet = parseKubeconfig((await context.host.readFile('/etc/kubernetes/kubelet.conf')).toString());
  t.match(kubelet, { server: 'https://192.0.2.10:6443', user: 'system:node:n1' });
  t.notOk(await context.host.stat('/etc/kubernetes/bootstrap-kubelet.conf'), 'its agent needs no token');
});

t.test('the cluster DNS is left out when it is off', async (t) => {
  const { dry } = await inCluster(t, { networking: { dns: 'off' } });
  t.notOk(dry.transcript().some((step) => step.includes('kube-dns')));
});

t.test('it ends with how to use the cluster and how to add machines', async (t) => {
  const { said } = await inCluster(t);
  const text = said.join('\n');
  t.match(text, /mkdir -p \$HOME\/.kube\n\s+sudo cp .*admin.conf \$HOME\/.kube\/config\n\s+sudo chown/);
  t.match(text, /within 1h/);
  t.match(
    text,
    /k8ts join 192.0.2.10:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:[0-9a-f]{64}\n/,
  );
});
