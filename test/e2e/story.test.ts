// The main job on three hosts with stock kubectl, as scripts/demo does it, and what must hold around it: a new image
// rolled out, a dead worker's pods elsewhere, a server killed in the middle of writes, wrong input at each door, and a
// host that is after `reset` what it was before `init`.

import t from 'tap';
import { createLab, eventually, mustSucceed } from './lab.ts';

t.setTimeout(600_000);
const lab = createLab('e2e');
const web = (image: string, replicas: number): string => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: { app: web } }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 2
      tolerations:
        - { key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 1 }
        - { key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 1 }
      containers:
        - name: web
          image: ${image}
          ports: [{ name: http, containerPort: 80 }]
          readinessProbe: { httpGet: { path: /, port: http }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  type: NodePort
  selector: { app: web }
  ports: [{ name: http, port: 80, targetPort: http, nodePort: 30080 }]
`;

interface PodLine {
  readonly name: string;
  readonly node: string;
  readonly ip: string;
}

async function webPods(): Promise<PodLine[]> {
  const columns = 'jsonpath={range .items[*]}{.metadata.name} {.spec.nodeName} {.status.podIP}{"\\n"}{end}';
  const lines = await lab.kubectl(['get', 'pods', '-l', 'app=web', '-o', columns]);
  return lines
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', node = '', ip = ''] = line.split(' ');
      return { name, node, ip };
    });
}

const fetchFrom = async (host: string, url: string): Promise<string> =>
  mustSucceed(await lab.on(host, ['curl', '-sS', '--max-time', '5', url])).stdout;

t.before(async () => {
  await lab.down();
  await lab.up('master', 'node1', 'node2');
  await Promise.all(
    ['master', 'node1', 'node2'].map(async (host) =>
      mustSucceed(await lab.k8ts(host, ['image', 'import', ...lab.images])),
    ),
  );
});
t.teardown(() => lab.down());

t.test('init makes a master, join adds two workers, all Ready', { bail: true }, async (t) => {
  const init = mustSucceed(await lab.k8ts('master', ['init']));
  t.match(init.all, /k8ts join \S+:6443 --token \S+ --discovery-token-ca-cert-hash sha256:[0-9a-f]{64}/);
  const join = mustSucceed(await lab.k8ts('master', ['token', 'create', '--print-join-command']))
    .stdout.trim()
    .split(/\s+/);
  t.equal(join[0], 'k8ts');
  for (const host of ['node1', 'node2']) mustSucceed(await lab.k8ts(host, join.slice(1)));
  const nodes = await lab.kubectl(['get', 'nodes', '--no-headers']);
  for (const name of ['master', 'node1', 'node2']) t.match(nodes, new RegExp(`^${name}\\s+Ready\\s`, 'm'));
  t.match(nodes, /^master\s+Ready\s+control-plane\s/m);
});

t.test('wrong input at the door of join gets its error', async (t) => {
  const endpoint = `${await lab.addressOf('master')}:6443`;
  const created = mustSucceed(await lab.k8ts('master', ['token', 'create', '--print-join-command'])).stdout;
  const token = /--token (\S+)/.exec(created)?.[1] ?? '';
  const hash = /sha256:\S+/.exec(created)?.[0] ?? '';
  await lab.up('stray');
  const join = (...args: string[]) => lab.k8ts('stray', ['join', ...args]);
  const cases = [
    {
      name: 'unknown token',
      args: [endpoint, '--token', 'aaaaaa.0123456789abcdef', '--discovery-token-ca-cert-hash', hash],
      want: /\[TOKEN_UNKNOWN\]/,
    },
    {
      name: 'right id, wrong secret',
      args: [endpoint, '--token', `${token.slice(0, 7)}0123456789abcdef`, '--discovery-token-ca-cert-hash', hash],
      want: /\[CLUSTER_INFO_SIGNATURE\]/,
    },
    {
      name: 'wrong CA hash',
      args: [endpoint, '--token', token, '--discovery-token-ca-cert-hash', `sha256:${'0'.repeat(64)}`],
      want: /\[CA_[A-Z_]+\]/,
    },
    {
      name: 'malformed token',
      args: [endpoint, '--token', 'nonsense', '--discovery-token-ca-cert-hash', hash],
      want: /\[TOKEN_[A-Z_]+\]/,
    },
    {
      name: 'nobody listens',
      args: [endpoint.replace('6443', '6444'), '--token', token, '--discovery-token-ca-cert-hash', hash],
      want: /refused|ECONNREFUSED/i,
    },
  ];
  for (const { name, args, want } of cases) {
    const output = await join(...args);
    t.not(output.code, 0, name);
    t.match(output.all, want, name);
    t.match(output.all, /what to do:/, `${name}: says what to do`);
    t.notMatch(output.all, token.slice(7), `${name}: does not show the secret`);
  }
  mustSucceed(await lab.on('stray', ['pkill', 'containerd']));
  const absent = await join(endpoint, '--token', token, '--discovery-token-ca-cert-hash', hash);
  t.equal(absent.code, 2, 'a runtime that is absent fails preflight');
  t.match(absent.all, /\[ERROR CRI\]/);
  await lab.down('stray');
});

t.test('a Deployment answers through every NodePort, the ClusterIP and its name', { bail: true }, async (t) => {
  await lab.kubectl(['apply', '-f', '-'], { stdin: web('k8ts.dev/web:1', 4) });
  await lab.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
  const pods = await webPods();
  t.same([...new Set(pods.map(({ node }) => node))].sort(), ['node1', 'node2'], 'spread over the workers');
  for (const host of ['master', 'node1', 'node2']) {
    t.match(await fetchFrom('master', `http://${await lab.addressOf(host)}:30080/`), /version 1 from pod web-/, host);
    t.match(await fetchFrom(host, `http://${await lab.addressOf(host)}:30080/`), /version 1/, `${host} from itself`);
  }
  const clusterIp = await lab.kubectl(['get', 'svc', 'web', '-o', 'jsonpath={.spec.clusterIP}']);
  t.match(await fetchFrom('node1', `http://${clusterIp}/`), /version 1/);
  for (const name of ['web', 'web.default', 'web.default.svc.cluster.local']) {
    t.match(
      await lab.kubectl(['exec', 'deploy/web', '--', 'curl', '-sS', '--max-time', '5', `http://${name}/`]),
      /version 1/,
      name,
    );
  }
  const seen = new Set<string>();
  for (let i = 0; i < 40; i++) seen.add(await fetchFrom('node2', `http://${clusterIp}/`));
  t.ok(seen.size > 1, 'requests are spread over the pods');
});

t.test('a pod on one node reaches a pod on the other by address', async (t) => {
  const pods = await webPods();
  const from = pods.find(({ node }) => node === 'node1');
  const to = pods.find(({ node }) => node === 'node2');
  const page = await lab.kubectl([
    'exec',
    from?.name ?? '',
    '--',
    'curl',
    '-sS',
    '--max-time',
    '5',
    `http://${to?.ip}/`,
  ]);
  t.equal(page.trim(), `version 1 from pod ${to?.name}`);
});

t.test('logs, exec, describe and explain work as users know them', async (t) => {
  const [pod] = await webPods();
  const name = pod?.name ?? '';
  t.match(await lab.kubectl(['logs', name]), /GET \/ HTTP/);
  t.equal((await lab.kubectl(['logs', name, '--tail=1'])).trim().split('\n').length, 1);
  t.equal(
    (await lab.kubectl(['exec', '-i', name, '--', 'cat'], { stdin: 'through and back' })).trim(),
    'through and back',
  );
  const failed = await lab.tryKubectl(['exec', name, '--', '/bin/sh', '-c', 'exit 7']);
  t.equal(failed.code, 7);
  const terminal = await lab.on('master', [
    'script',
    '-qec',
    `${lab.kubectlPath} --kubeconfig /etc/kubernetes/admin.conf exec -it ${name} -- tty`,
    '/dev/null',
  ]);
  t.match(terminal.stdout, /\/dev\/pts\/\d+/);
  const described = await lab.kubectl(['describe', 'pod', name]);
  t.match(described, /Status:\s+Running/);
  t.match(described, /Scheduled.*\n.*(Pulled|Created|Started)/);
  t.match(await lab.kubectl(['explain', 'deployment.spec.strategy']), /rollingUpdate/);
  t.match(await lab.kubectl(['get', 'pods']), /NAME\s+READY\s+STATUS\s+RESTARTS\s+AGE\n.*1\/1\s+Running/);
});

t.test(
  'applying again with a change changes only that; a new image rolls out; undo brings the old one back',
  async (t) => {
    t.match(
      await lab.kubectl(['apply', '-f', '-'], { stdin: web('k8ts.dev/web:1', 4) }),
      /deployment.apps\/web unchanged/,
    );
    t.match(
      await lab.kubectl(['apply', '-f', '-'], { stdin: web('k8ts.dev/web:2', 4) }),
      /deployment.apps\/web configured/,
    );
    await lab.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    t.match(await fetchFrom('master', `http://${await lab.addressOf('node1')}:30080/`), /version 2/);
    await lab.kubectl(['rollout', 'undo', 'deployment/web']);
    await lab.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    t.match(await fetchFrom('master', `http://${await lab.addressOf('node1')}:30080/`), /version 1/);
    await lab.kubectl(['scale', 'deployment/web', '--replicas=5']);
    await lab.kubectl(['label', 'deployment/web', 'tier=front']);
    await lab.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    t.equal((await webPods()).length, 5);
  },
);

t.test('wrong input at the door of the API gets its error, and nothing is stored', async (t) => {
  const unknown = await lab.tryKubectl(['create', '-f', '-'], {
    stdin: 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: bad }\ndatta: { a: b }\n',
  });
  t.match(unknown.stderr, /unknown field "datta"/);
  t.not(unknown.code, 0);
  const malformed = await lab.tryKubectl(['create', '-f', '-'], { stdin: 'apiVersion: v1\nkind: [ConfigMap\n' });
  t.not(malformed.code, 0);
  const invalid = await lab.tryKubectl(['create', '-f', '-'], {
    stdin: 'apiVersion: v1\nkind: Pod\nmetadata: { name: bad }\nspec: { containers: [{ name: "Not Valid" }] }\n',
  });
  t.match(invalid.stderr, /The Pod "bad" is invalid/);
  t.match(invalid.stderr, /spec\.containers\[0\]\.image: Required value/);
  const conflict = await lab.tryKubectl(['replace', '-f', '-'], {
    stdin:
      'apiVersion: v1\nkind: Service\nmetadata: { name: web, resourceVersion: "1" }\nspec: { ports: [{ port: 80 }] }\n',
  });
  t.match(conflict.stderr, /the object has been modified/);
  t.match((await lab.tryKubectl(['get', 'configmap', 'bad'])).stderr, /\(NotFound\): configmaps "bad" not found/);
});

t.test('a server killed in the middle of writes comes back with every acknowledged one', async (t) => {
  const writer = lab.on('master', [
    '/bin/sh',
    '-c',
    'for i in $(seq 60); do "$0" --kubeconfig /etc/kubernetes/admin.conf create configmap "kept-$i" --from-literal=n=$i >/dev/null 2>&1 && echo "kept-$i"; done',
    lab.kubectlPath,
  ]);
  await eventually('the first write is there', 60_000, async () => lab.kubectl(['get', 'configmap', 'kept-3']));
  mustSucceed(await lab.on('master', ['pkill', '-KILL', '-f', 'run server']));
  const acknowledged = (await writer).stdout.trim().split('\n');
  t.ok(acknowledged.length > 3);
  const kept = await eventually('the server is back', 60_000, async () =>
    (await lab.kubectl(['get', 'configmaps', '-o', 'name'])).split('\n'),
  );
  t.same(
    acknowledged.filter((name) => !kept.includes(`configmap/${name}`)),
    [],
  );
  await lab.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
});

t.test('pods of a worker that dies run elsewhere', async (t) => {
  await lab.down('node2');
  await eventually('node2 is NotReady', 90_000, async () =>
    /^node2\s+NotReady/m.test(await lab.kubectl(['get', 'nodes', '--no-headers'])) ? true : undefined,
  );
  await eventually('five web pods run on node1', 60_000, async () => {
    const ready = await lab.kubectl([
      'get',
      'pods',
      '-l',
      'app=web',
      '--field-selector',
      'spec.nodeName=node1',
      '--no-headers',
    ]);
    return ready.split('\n').filter((line) => /1\/1\s+Running/.test(line)).length === 5 ? true : undefined;
  });
  t.match(await fetchFrom('master', `http://${await lab.addressOf('node1')}:30080/`), /version 1/);
});

t.test('delete takes everything with it', async () => {
  await lab.kubectl(['delete', 'node', 'node2']);
  await lab.kubectl(['delete', 'deployment/web', 'service/web', '--timeout=60s']);
  await eventually('no web pods and replica sets are left', 75_000, async () =>
    (await lab.kubectl(['get', 'pods,replicasets', '-o', 'name'])).trim() === '' ? true : undefined,
  );
});

t.test('nodes go on when somebody deletes the namespace of their leases', async (t) => {
  await lab.kubectl(['delete', 'namespace', 'kube-node-lease', '--timeout=60s']);
  await eventually('the leases are back', 40_000, async () =>
    (await lab.kubectl(['get', 'leases', '-n', 'kube-node-lease', '-o', 'name'])).trim().split('\n').length === 2
      ? true
      : undefined,
  );
  t.notMatch(await lab.kubectl(['get', 'nodes']), 'NotReady');
});

t.test('reset makes the host what it was before join', async (t) => {
  const snapshot = async (host: string): Promise<string> =>
    mustSucceed(
      await lab.on(host, [
        '/bin/sh',
        '-c',
        'ip -o link | sed "s/^[0-9]*: //; s/@.*//" | cut -d" " -f1; ip route; nft list ruleset; iptables-save 2>/dev/null | grep -v "^#"; sysctl -a 2>/dev/null | grep -E "^net.(ipv4.(ip_forward|conf.all)|bridge)"; ls /etc/kubernetes /etc/k8ts /etc/cni/net.d /var/lib/k8ts /run/k8ts /opt 2>&1; grep -E "kubelet|k8ts" /proc/mounts | cut -d" " -f2; pgrep -af "^(/pause|[^ ]*node |[^ ]*containerd-shim)" | cut -d" " -f2-; true',
      ]),
    ).stdout;
  await lab.up('fresh');
  mustSucceed(await lab.k8ts('fresh', ['image', 'import', ...lab.images]));
  const before = await snapshot('fresh');
  const join = mustSucceed(await lab.k8ts('master', ['token', 'create', '--print-join-command']))
    .stdout.trim()
    .split(/\s+/);
  mustSucceed(await lab.k8ts('fresh', join.slice(1)));
  await lab.kubectl([
    'run',
    'passenger',
    '--image=k8ts.dev/busybox:1',
    '--overrides={"spec":{"nodeName":"fresh"}}',
    '--',
    'sleep',
    '3600',
  ]);
  await lab.kubectl(['wait', '--for=condition=Ready', 'pod/passenger', '--timeout=30s']);
  t.not(await snapshot('fresh'), before);
  mustSucceed(await lab.k8ts('fresh', ['reset', '--force']));
  t.equal(await snapshot('fresh'), before);
});
