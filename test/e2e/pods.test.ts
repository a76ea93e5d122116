// What a node does for its pods, seen through stock kubectl on a master and one worker: states and reasons as users know
// them, streams, volumes that follow their sources, probes and hooks, names and addresses, and a node whose processes die.

import t from 'tap';
import { createLab, eventually, mustSucceed } from './lab.ts';

t.setTimeout(240_000);
const lab = createLab('e2e-pods');
const busybox = 'k8ts.dev/busybox:1';
const sleeper = `image: ${busybox}, command: [sleep, '1000']`;

/** A pod of one line, in YAML's flow style. */
const pod = (name: string, spec: string, more = ''): string =>
  `---\napiVersion: v1\nkind: Pod\nmetadata: { name: ${name}${more} }\nspec: { terminationGracePeriodSeconds: 1, ${spec} }\n`;

const main = `
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { colour: red }
---
apiVersion: v1
kind: Secret
metadata: { name: keys }
stringData: { pass: sesame }
---
apiVersion: v1
kind: Pod
metadata: { name: multi, labels: { app: multi } }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: web
      image: k8ts.dev/web:1
      ports: [{ name: http, containerPort: 80, hostPort: 8088 }]
      readinessProbe: { httpGet: { path: /, port: http }, periodSeconds: 1 }
      volumeMounts: [{ name: all, mountPath: /all }]
      resources: { requests: { memory: 32Mi }, limits: { memory: 64Mi } }
      env:
        - { name: NODE, valueFrom: { fieldRef: { fieldPath: spec.nodeName } } }
        - { name: MEMORY, valueFrom: { resourceFieldRef: { resource: requests.memory, divisor: 1Mi } } }
    - { name: side, image: ${busybox}, command: [sh, -c, 'while true; do echo tick; sleep 1; done'] }
  volumes:
    - name: all
      projected:
        sources:
          - { configMap: { name: settings } }
          - { secret: { name: keys } }
          - { downwardAPI: { items: [{ path: labels, fieldRef: { fieldPath: metadata.labels } }] } }
---
apiVersion: v1
kind: Service
metadata: { name: np }
spec: { type: NodePort, selector: { app: multi }, ports: [{ name: http, port: 80, targetPort: http, nodePort: 30111 }] }
---
apiVersion: v1
kind: Service
metadata: { name: elsewhere }
spec: { type: ExternalName, externalName: np.default.svc.cluster.local }
---
apiVersion: v1
kind: Service
metadata: { name: headless }
spec: { clusterIP: None, selector: { app: multi }, ports: [{ name: http, port: 80 }] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: pods-may-look }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view }
subjects: [{ kind: ServiceAccount, name: default, namespace: default }]
`;

const failing = [
  pod('crash', `containers: [{ name: c, image: ${busybox}, command: [sh, -c, 'echo dying; exit 3'] }]`),
  pod('never', 'containers: [{ name: c, image: registry.invalid/none:1, imagePullPolicy: Never }]'),
  pod(
    'config',
    `containers: [{ name: c, ${sleeper}, env: [{ name: X, valueFrom: { configMapKeyRef: { name: absent, key: k } } }] }]`,
  ),
  pod('program', `containers: [{ name: c, image: ${busybox}, command: [/no/such/program] }]`),
  pod('once', `restartPolicy: Never, containers: [{ name: c, image: ${busybox}, command: ['true'] }]`),
  pod(
    'failed',
    `restartPolicy: Never, containers: [{ name: c, image: ${busybox}, command: [sh, -c, 'echo why >&2; exit 4'], terminationMessagePolicy: FallbackToLogsOnError }]`,
  ),
].join('');

const others = [
  pod(
    'host',
    `hostNetwork: true, nodeName: node1, dnsPolicy: ClusterFirstWithHostNet, containers: [{ name: c, ${sleeper} }]`,
  ),
  pod(
    'own-dns',
    `dnsPolicy: None, dnsConfig: { nameservers: [10.96.0.10], options: [{ name: ndots, value: '2' }] }, containers: [{ name: c, ${sleeper} }]`,
  ),
  pod(
    'probed',
    `containers: [{ name: c, image: ${busybox}, command: [sh, -c, 'touch /ok; trap "exit 0" TERM; sleep 1000 & wait'],
       startupProbe: { exec: { command: [test, -f, /ok] }, periodSeconds: 1 },
       livenessProbe: { exec: { command: [test, -f, /ok] }, periodSeconds: 1, failureThreshold: 1 },
       lifecycle: { postStart: { exec: { command: [touch, /started] } }, preStop: { exec: { command: [sh, -c, 'echo stopping > /dev/termination-log'] } } } }]`,
  ),
  pod(
    'ordered',
    `initContainers: [{ name: first, image: ${busybox}, command: ['true'] }, { name: car, ${sleeper}, restartPolicy: Always }], containers: [{ name: c, ${sleeper} }]`,
  ),
].join('');

const exec = (name: string, ...command: string[]) => lab.kubectl(['exec', name, '-c', 'web', '--', ...command]);
const reset = async (host: string) => mustSucceed(await lab.k8ts(host, ['reset', '--force']));

async function join(host: string): Promise<void> {
  const command = mustSucceed(await lab.k8ts('master', ['token', 'create', '--print-join-command'])).stdout.trim();
  mustSucceed(await lab.k8ts(host, command.split(/\s+/).slice(1)));
}

t.before(async () => {
  await lab.down();
  await lab.up('master', 'node1');
  await Promise.all(
    ['master', 'node1'].map(async (host) => mustSucceed(await lab.k8ts(host, ['image', 'import', ...lab.images]))),
  );
  mustSucceed(await lab.k8ts('master', ['init']));
  await join('node1');
  await lab.kubectl(['apply', '-f', '-'], { stdin: main });
  await lab.kubectl(['apply', '-f', '-'], { stdin: failing + others });
  await lab.kubectl(['wait', '--for=condition=Ready', 'pod/multi', 'pod/probed', 'pod/ordered', '--timeout=60s']);
});
t.teardown(() => lab.down());

t.test('states and reasons are those that users know', async (t) => {
  const want: Readonly<Record<string, RegExp>> = {
    crash: /^crash\s+0\/1\s+CrashLoopBackOff\s+[1-9]/m,
    never: /^never\s+0\/1\s+ErrImageNeverPull\s+0/m,
    config: /^config\s+0\/1\s+CreateContainerConfigError\s+0/m,
    program: /^program\s+0\/1\s+CrashLoopBackOff\s+[1-9]/m,
    once: /^once\s+0\/1\s+Completed\s+0/m,
    failed: /^failed\s+0\/1\s+Error\s+0/m,
    ordered: /^ordered\s+2\/2\s+Running\s+0/m,
  };
  for (const [name, line] of Object.entries(want)) {
    t.ok(
      await eventually(`${name} is shown as ${line}`, 60_000, async () => {
        const shown = await lab.kubectl(['get', 'pods']);
        if (!line.test(shown)) throw new Error(shown);
        return true;
      }),
    );
  }
  const message = 'jsonpath={.status.containerStatuses[0].state.terminated.message}';
  t.equal(await lab.kubectl(['get', 'pod', 'failed', '-o', message]), 'why\n');
  t.equal(await lab.kubectl(['logs', 'crash', '--previous']), 'dying\n');
  const about = await lab.kubectl([
    'get',
    'events',
    '--field-selector',
    'involvedObject.name=multi',
    '-o',
    'jsonpath={.items[*].involvedObject.fieldPath}',
  ]);
  t.match(about, /spec\.containers\{web\}/);
  t.match(about, /spec\.containers\{side\}/);
});

t.test('streams: exec, cp, port-forward, run, debug, logs', async (t) => {
  t.equal((await lab.kubectl(['exec', 'multi', '-c', 'side', '--', 'echo', 'side'])).trim(), 'side');
  for (const setting of ['true', 'false']) {
    const spdy = ['env', `KUBECTL_REMOTE_COMMAND_WEBSOCKETS=${setting}`, 'KUBECONFIG=/etc/kubernetes/admin.conf'];
    const echo = await lab.on('master', [...spdy, lab.kubectlPath, 'exec', '-i', 'multi', '-c', 'side', '--', 'cat'], {
      stdin: 'there',
    });
    t.equal(echo.stdout, 'there', `websockets ${setting}`);
  }
  await lab.kubectl(['cp', '/etc/hostname', 'multi:/tmp/copied', '-c', 'web']);
  t.equal((await exec('multi', 'cat', '/tmp/copied')).trim(), 'master');
  const forward = `"$0" --kubeconfig /etc/kubernetes/admin.conf port-forward pod/multi 18080:80 >/dev/null & pid=$!
    for i in $(seq 50); do curl -s --max-time 2 http://127.0.0.1:18080/ && break; sleep 0.1; done; kill $pid`;
  t.match((await lab.on('master', ['sh', '-c', forward, lab.kubectlPath])).stdout, /version 1 from pod multi/);
  const run = ['run', '-i', '--rm', 'guest', `--image=${busybox}`, '--restart=Never', '--', 'sh', '-c', 'cat; exit 5'];
  const guest = await lab.tryKubectl(run, { stdin: 'hello\n' });
  t.match(guest.stdout, /^hello$/m);
  t.equal(guest.code, 5, 'the exit code of the container');
  const debug = ['debug', 'multi', '--profile=general', '-c', 'look', `--image=${busybox}`, '--target=web', '--', 'ps'];
  await lab.kubectl(debug);
  t.match(
    await eventually(
      'the debug container has answered',
      60_000,
      async () => (await lab.kubectl(['logs', 'multi', '-c', 'look'])) || undefined,
    ),
    /nginx/,
    'it sees the processes of its target',
  );
  t.match(
    await lab.kubectl(['logs', 'multi', '-c', 'side', '--tail=1', '--timestamps']),
    /^\d{4}-\d\d-\d\dT\S+Z tick\n$/,
  );
  t.match((await lab.tryKubectl(['top', 'pods'])).stderr, /Metrics API not available/);
});

t.test('volumes and environment say what they are made of, and follow it', async (t) => {
  const environment = await exec('multi', '/bin/sh', '-c', 'echo $NODE $MEMORY; cat /all/colour /all/pass /all/labels');
  t.equal(environment, 'node1 32\nredsesameapp="multi"');
  await lab.kubectl(['patch', 'configmap', 'settings', '-p', '{"data":{"colour":"blue"}}']);
  await lab.kubectl(['label', 'pod', 'multi', 'tier=front']);
  await eventually('the files are new', 60_000, async () => {
    const files = await exec('multi', 'cat', '/all/colour', '/all/labels');
    return /^blue/.test(files) && files.includes('tier="front"') ? true : undefined;
  });
});

t.test('a container that is not well is started again, with its hooks', async (t) => {
  await lab.kubectl(['exec', 'probed', '--', 'ls', '/started']);
  await lab.kubectl(['exec', 'probed', '--', 'rm', '/ok']);
  const last =
    'jsonpath={.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].lastState.terminated.message}';
  const [restarts, message] = await eventually('it has been restarted', 60_000, async () => {
    const words = (await lab.kubectl(['get', 'pod', 'probed', '-o', last])).trim().split(' ');
    return words.length === 2 ? words : undefined;
  });
  t.same([restarts, message], ['1', 'stopping']);
});

t.test('names and addresses, from inside', async (t) => {
  const node = await lab.addressOf('node1');
  for (const url of [
    'http://np/',
    'http://elsewhere/',
    'http://headless/',
    `http://${node}:30111/`,
    `http://${node}:8088/`,
  ]) {
    t.match(await exec('multi', 'curl', '-sS', '--max-time', '5', url), /from pod multi/, url);
  }
  const ask = (name: string, ...question: string[]) => lab.kubectl(['exec', name, '--', 'nslookup', ...question]);
  t.match(await ask('host', 'np.default.svc.cluster.local'), /Address: 10\./, 'a pod in the network of the host');
  t.match(await ask('own-dns', '-type=srv', '_http._tcp.headless.default.svc.cluster.local'), /service = 0 100 80 /);
  const ip = await lab.kubectl(['get', 'pod', 'multi', '-o', 'jsonpath={.status.podIP}']);
  t.match(await ask('own-dns', ip), new RegExp(`name = ${ip.replaceAll('.', '-')}\\.headless\\.default`));
  const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
  const list = `curl -sS --max-time 5 --cacert ${folder}/ca.crt -H "Authorization: Bearer $(cat ${folder}/token)" https://kubernetes.default.svc/api/v1/namespaces/default/pods`;
  t.match(await exec('multi', '/bin/sh', '-c', list), /"kind":\s*"PodList"/, 'the API server, as its ServiceAccount');
});

t.test('containers go on when what looks after them dies, and it comes back', async (t) => {
  const containers = async () =>
    mustSucceed(await lab.on('node1', ['ctr', '-n', 'k8s.io', 'tasks', 'ls', '-q'])).stdout;
  const pid = async (what: string) => (await lab.on('node1', ['pgrep', '-o', '-f', `run ${what}`])).stdout.trim();
  await lab.kubectl(['delete', 'pod', 'crash', 'program', '--wait=true']);
  const before = await containers();
  const [supervisor, agent] = [await pid('supervisor'), await pid('agent')];
  mustSucceed(await lab.on('node1', ['kill', '-KILL', supervisor]));
  await eventually('another supervisor', 60_000, async () => (await pid('supervisor')) || undefined);
  t.equal(await pid('agent'), agent, 'the agent goes on');
  const log = '/var/log/k8ts/supervisor.log';
  await eventually('it has adopted the agent', 60_000, async () =>
    (await lab.on('node1', ['grep', '-c', `"adopted".*"pid":${agent}`, log])).stdout.trim() === '1' ? true : undefined,
  );
  mustSucceed(await lab.on('node1', ['kill', '-KILL', agent]));
  await eventually(
    'another agent',
    60_000,
    async () => ((await pid('agent')) !== '' && (await pid('agent')) !== agent) || undefined,
  );
  await lab.kubectl(['run', 'later', `--image=${busybox}`, '--', 'sleep', '1000']);
  await lab.kubectl(['wait', '--for=condition=Ready', 'pod/later', 'pod/multi', '--timeout=30s']);
  const after = await containers();
  t.same(
    before.split('\n').filter((id) => !after.includes(id)),
    [],
    'no container was restarted',
  );
});

t.test('reset with pods leaves nothing of them, and both machines can be used again', async (t) => {
  const left =
    'find /sys/fs/cgroup -name "kubepods*"; ls -A /var/log/pods /var/log/containers | grep -v ^/; ls -d /run/k8ts /etc/k8ts /etc/kubernetes 2>/dev/null; ls /var/lib/k8ts; pgrep -l containerd-shim; true';
  for (const host of ['node1', 'master']) {
    await reset(host);
    t.equal(mustSucceed(await lab.on(host, ['sh', '-c', left])).stdout.trim(), '', host);
  }
  mustSucceed(await lab.k8ts('master', ['init']));
  await join('node1');
  t.match(await lab.kubectl(['get', 'nodes']), /^node1\s+Ready/m);
});
