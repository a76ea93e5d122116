import https from 'node:https';
import t from 'tap';
import WebSocket from 'ws';
import { kinds } from '../../src/api/index.ts';
import { containersOf, enterLab, isReady, podOf, poll, sleepScript, stateOf } from './lab.ts';

const lab = await enterLab(t, import.meta.filename, [
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'cm', namespace: 'default' },
    data: { key: 'one' },
  } as object,
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'sec', namespace: 'default' },
    data: { key: 'Z2VoZWlt' },
  } as object,
  { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'default' } },
]);
if (lab !== undefined) {
  const main = podOf('x', sleepScript).spec?.containers[0];
  if (main === undefined) throw new Error('no container');
  const inside = async (name: string, script: string): Promise<string> => {
    const id = containersOf(await lab.get(name))[0]?.containerID?.slice('containerd://'.length) ?? '';
    const { stdout, stderr } = await lab.cri.execSync(id, ['sh', '-c', script], 10);
    return `${Buffer.from(stdout).toString()}${Buffer.from(stderr).toString()}`;
  };

  t.test('environment, volumes, files, user and limits as the container sees them', async (t) => {
    await lab.create(
      podOf('seen', '', {
        hostname: 'web',
        securityContext: { fsGroup: 2000, runAsUser: 1000, runAsGroup: 3000 },
        volumes: [
          { name: 'cm', configMap: { name: 'cm' } },
          { name: 'sec', secret: { secretName: 'sec', defaultMode: 0o400 } },
          { name: 'mem', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
          { name: 'disk', emptyDir: {} },
          { name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
        ],
        containers: [
          {
            ...main,
            resources: { limits: { memory: '32Mi', cpu: '100m' } },
            securityContext: {
              readOnlyRootFilesystem: true,
              capabilities: { drop: ['ALL'] },
              allowPrivilegeEscalation: false,
            },
            env: [
              { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
              { name: 'KEY', valueFrom: { configMapKeyRef: { name: 'cm', key: 'key' } } },
            ],
            volumeMounts: [
              { name: 'cm', mountPath: '/cm' },
              { name: 'cm', mountPath: '/one-file', subPath: 'key' },
              { name: 'sec', mountPath: '/sec', readOnly: true },
              { name: 'mem', mountPath: '/mem' },
              { name: 'disk', mountPath: '/made', subPath: 'a/b' },
              { name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
            ],
          },
        ],
      }),
    );
    const pod = await lab.until('seen', 'ready', isReady);
    const { podIP } = pod?.status ?? {};
    t.equal(await inside('seen', 'echo $IP $KEY'), `${podIP} one\n`);
    t.equal(await inside('seen', 'cat /cm/key /one-file /sec/key'), 'oneonegeheim');
    t.match(await inside('seen', 'cat /var/run/secrets/kubernetes.io/serviceaccount/token'), 'fake');
    t.match(await inside('seen', 'id'), /uid=1000 gid=3000 groups=2000,3000|uid=1000 gid=3000 groups=3000,2000/);
    t.equal(await inside('seen', 'echo x > /mem/f && echo y > /made/f && cat /mem/f /made/f'), 'x\ny\n');
    t.match(await inside('seen', 'echo x > /f'), /Read-only file system/);
    t.match(await inside('seen', 'cat /etc/hosts'), new RegExp(`${podIP}\tweb`));
    t.match(
      await inside('seen', 'cat /etc/resolv.conf'),
      /search default\.svc\.cluster\.local[\s\S]*nameserver 10\.96\.0\.10[\s\S]*ndots:5/,
    );
    t.match(await inside('seen', 'cat /proc/self/status'), /CapEff:\t0{16}\n[\s\S]*NoNewPrivs:\t1/);
    t.match(await inside('seen', 'cat /proc/mounts'), / \/mem tmpfs rw[^\n]*size=1024k/);
    t.match(await inside('seen', 'cat /proc/self/cgroup'), /:cpu:\/kubepods\/pod/);

    await lab.client.patch(kinds.configMap, { namespace: 'default', name: 'cm' }, 'merge', { data: { key: 'two' } });
    await poll(async () => (await inside('seen', 'cat /cm/key')) === 'two', 'new content in the volume');
    await lab.remove('seen', 1);
    await lab.until('seen', 'gone', (now) => now === undefined);
  });

  t.test('a subPath that leads out of its volume is refused', async (t) => {
    const shared = { name: 'v', mountPath: '/v' };
    await lab.create(
      podOf('escape', '', {
        volumes: [{ name: 'v', emptyDir: {} }],
        initContainers: [
          { ...main, name: 'set', command: ['busybox', 'ln', '-s', '/', '/v/out'], volumeMounts: [shared] },
        ],
        containers: [{ ...main, volumeMounts: [{ ...shared, subPath: 'out/etc' }] }],
      }),
    );
    const pod = await lab.until(
      'escape',
      'refused',
      (now) => stateOf(now)?.waiting?.reason === 'CreateContainerConfigError',
    );
    t.match(stateOf(pod)?.waiting?.message, /leads out of its volume/);
    await lab.remove('escape');
    await lab.until('escape', 'gone', (now) => now === undefined);
  });

  t.test('probes decide over readiness and restarts; hooks run', async (t) => {
    const script = 'touch /tmp/alive; sleep 1000';
    await lab.create(
      podOf('probed', script, {
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            ...main,
            command: ['sh', '-c', script],
            lifecycle: { postStart: { exec: { command: ['sh', '-c', 'echo hook > /tmp/hook'] } } },
            readinessProbe: { exec: { command: ['cat', '/tmp/ready'] }, periodSeconds: 1 },
            livenessProbe: { exec: { command: ['cat', '/tmp/alive'] }, periodSeconds: 1, failureThreshold: 1 },
          },
        ],
      }),
    );
    await lab.until(
      'probed',
      'running',
      (now) => stateOf(now)?.running !== undefined && containersOf(now)[0]?.started === true,
    );
    t.equal(await inside('probed', 'cat /tmp/hook'), 'hook\n');
    t.notOk(isReady(await lab.get('probed')));
    await inside('probed', 'touch /tmp/ready');
    await lab.until('probed', 'ready', isReady);
    await inside('probed', 'busybox rm /tmp/alive');
    const pod = await lab.until(
      'probed',
      'restarted',
      (now) => containersOf(now)[0]?.restartCount === 1 && stateOf(now)?.running !== undefined,
    );
    t.match(containersOf(pod), [{ lastState: { terminated: { exitCode: 137 } } }]);
    await lab.remove('probed', 1);
    await lab.until('probed', 'gone', (now) => now === undefined);
    await poll(async () => {
      const reasons = (await lab.client.list(kinds.event)).items.map(({ reason }) => reason);
      return ['Pulled', 'Created', 'Started', 'Unhealthy', 'Killing'].every((reason) => reasons.includes(reason));
    }, 'events as the kubelet writes them');
  });

  t.test('a container that takes too much memory is OOMKilled; a dead sandbox is made anew', async (t) => {
    const eat = 'x=a; while true; do x=$x$x; done';
    await lab.create(
      podOf('hungry', '', {
        restartPolicy: 'Never',
        containers: [{ ...main, command: ['sh', '-c', eat], resources: { limits: { memory: '8Mi' } } }],
      }),
    );
    const hungry = await lab.until('hungry', 'failed', (now) => now?.status?.phase === 'Failed');
    t.match(stateOf(hungry)?.terminated, { reason: 'OOMKilled', exitCode: 137 });
    await lab.remove('hungry');

    await lab.create(podOf('again', sleepScript));
    await lab.until('again', 'ready', isReady);
    const [sandbox] = (await lab.cri.listPodSandbox()).filter(
      ({ state, metadata }) => state === 'ready' && metadata?.name === 'again',
    );
    await lab.cri.stopPodSandbox(sandbox?.id ?? '');
    const again = await lab.until(
      'again',
      'restarted',
      (now) => (containersOf(now)[0]?.restartCount ?? 0) > 0 && isReady(now),
    );
    t.equal(again?.status?.phase, 'Running');
    await lab.remove('again');
    await lab.until('again', 'gone', (now) => now === undefined);
  });

  t.test('logs and exec through the HTTPS server', async (t) => {
    await lab.create(podOf('talk', `echo hello; ${sleepScript}`));
    await lab.until('talk', 'ready', isReady);
    const { port, identity } = await lab.server();
    const log = await new Promise<string>((resolve, reject) => {
      const request = https.request(
        { host: '127.0.0.1', port, path: '/containerLogs/default/talk/main', agent: false, ...identity },
        (response) => {
          let text = '';
          response.on('data', (chunk) => {
            text += chunk;
          });
          response.on('end', () => resolve(text));
        },
      );
      request.on('error', reject);
      request.end();
    });
    t.equal(log, 'hello\n');

    const socket = new WebSocket(
      `wss://127.0.0.1:${port}/exec/default/talk/main?command=sh&command=-c&command=read+x;echo+got+$x&input=1&output=1&error=1`,
      'v4.channel.k8s.io',
      identity,
    );
    const output: string[] = [];
    socket.on('message', (data: Buffer) => {
      output.push(`${data[0]}:${data.subarray(1).toString()}`);
    });
    socket.on('open', () => socket.send(Buffer.concat([Buffer.from([0]), Buffer.from('ping\n')])));
    await new Promise((resolve, reject) => {
      socket.on('close', resolve);
      socket.on('error', reject);
    });
    t.match(output.join(''), /1:got ping\n/);
    t.match(output.join(''), /3:.*"status":"Success"/);
    await lab.remove('talk');
    await lab.until('talk', 'gone', (now) => now === undefined);
    await lab.untilEmpty();
  });
}
