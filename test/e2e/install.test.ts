// The installed form: a master that serves itself, a host that has neither checkout nor npm and joins by one line, services
// that run from /opt/k8ts, images without a registry, and hosts that are after reset what they were before: with pods and
// Services in use, twice, with a dead runtime, and with half of the state gone.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createLab, eventually, mustSucceed, type Output } from './lab.ts';

t.setTimeout(600_000);
const lab = createLab('install');
const root = join(import.meta.dirname, '../..');
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Not /root and all of /var/lib: those are this machine's, and others may write there meanwhile. */
const stateScript = readFileSync(join(root, 'scripts/vm-lab.d/machine-state'), 'utf8').replace(
  ' /root /var/lib /var/log ',
  ' /var/lib/k8ts /var/lib/cni /var/lib/kubelet /var/log ',
);

/** Links, rules, settings, mounts, processes, cgroups and files, a line each; without what other labs mount meanwhile. */
const stateOf = async (host: string): Promise<readonly string[]> =>
  mustSucceed(await lab.on(host, ['sh', '-s'], { stdin: stateScript }))
    .stdout.split('\n')
    .filter((fact) => !/^mount (\/run\/netns\/k8ts-|\/var\/cache\/|\/tmp\/)/.test(fact));
/** As somebody types it, without what this test has in its environment. */
const shell = (host: string, line: string): Promise<Output> =>
  lab.on(host, ['env', '-i', 'HOME=/root', `PATH=${path}`, 'sh', '-c', `cd / && ${line}`]);
const processesOf = async (host: string): Promise<string> =>
  (await lab.on(host, ['pgrep', '-af', 'dist/k8ts.js'])).stdout;

const workload = `
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      tolerations: [{ operator: Exists }]
      containers:
        - name: web
          image: k8ts.dev/web:1
          ports: [{ containerPort: 80, hostPort: 8080 }]
          volumeMounts: [{ name: scratch, mountPath: /scratch }]
      volumes: [{ name: scratch, emptyDir: { medium: Memory } }]
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  type: NodePort
  selector: { app: web }
  ports: [{ port: 80, nodePort: 30081 }]
`;

let before: { readonly master: readonly string[]; readonly bare: readonly string[] };
let line = '';

t.before(async () => {
  await lab.down();
  await lab.up('master', 'bare');
});
t.teardown(() => lab.down());

t.test('images: built from files, listed, written to a file, loaded from it', async (t) => {
  const folder = t.testdir({ rootfs: { etc: { motd: 'hello' } } });
  const name = 'k8ts.dev/built:1';
  const built = mustSucceed(
    await lab.k8ts('master', [
      'image',
      'build',
      '-t',
      name,
      '--rootfs',
      `${folder}/rootfs`,
      '--entrypoint',
      '/x',
      '-o',
      'json',
    ]),
  );
  t.match(JSON.parse(built.stdout), [{ name }]);
  const file = `${folder}/built.tar`;
  mustSucceed(await lab.k8ts('master', ['image', 'export', name, '--file', file]));
  const imported = mustSucceed(await lab.k8ts('bare', ['image', 'import', file, '-o', 'yaml']));
  t.equal(imported.stdout, `- name: ${name}\n`);
  const list = mustSucceed(await lab.k8ts('bare', ['image', 'list', '-o', 'json']));
  t.match(JSON.parse(list.stdout), [{ name, id: /^sha256:/, bytes: Number }]);

  for (const { args, code } of [
    { args: ['export', 'k8ts.dev/none:1', '--file', file], code: 'IMAGE_NOT_FOUND' },
    { args: ['export', name, '--file', '/nowhere/x.tar'], code: 'IMAGE_EXPORT_FAILED' },
    { args: ['import', '/nowhere.tar'], code: 'IMAGE_FILE_MISSING' },
    { args: ['build', '-t', name, '--rootfs', '/nowhere'], code: 'ROOTFS_MISSING' },
    { args: ['build', '-t', 'short', '--rootfs', folder], code: 'IMAGE_NAME_INVALID' },
  ]) {
    const refused = await lab.k8ts('master', ['image', ...args]);
    t.not(refused.code, 0);
    t.match(refused.stderr, `[${code}]`);
    t.match(refused.stderr, /what to do/);
  }
});

t.test('a master runs what init installed, and prints the line for new hosts', { bail: true }, async (t) => {
  const images = lab.images.filter((file) => /(pause|web-1).tar$/.test(file));
  for (const host of ['master', 'bare']) mustSucceed(await lab.k8ts(host, ['image', 'import', ...images]));
  // From here on the other host has no checkout, no node_modules and no k8ts.
  mustSucceed(await lab.on('bare', ['mount', '-t', 'tmpfs', 'tmpfs', root]));
  before = { master: await stateOf('master'), bare: await stateOf('bare') };
  mustSucceed(await lab.k8ts('master', ['init']));
  const running = await processesOf('master');
  t.match(running, /\/opt\/k8ts\/current\/dist\/k8ts\.js run server/);
  t.match(running, /\/opt\/k8ts\/current\/dist\/k8ts\.js run agent/);
  t.notMatch(running, root, 'nothing runs from the checkout');

  t.match(
    (await lab.on('bare', ['curl', '-sSk', `https://${await lab.addressOf('master')}:6443/k8ts/install`])).stdout,
    /"code":403/,
  );
  const printed = mustSucceed(await shell('master', 'k8ts token create --print-install-command'));
  line = printed.stdout.trim();
  t.match(line, /^curl .*--pinnedpubkey 'sha256\/\/[A-Za-z0-9+/]{43}='.* \| sh -s --$/);
});

t.test('the line runs nothing unless the master is the right one and the token is valid', async (t) => {
  const pin = await shell('bare', line.replace(/sha256\/\/..../, 'sha256//AAAA'));
  t.match(pin.stderr, /curl: \(90\)/);
  const token = await shell('bare', line.replace(/Bearer \w{6}\.\w{4}/, 'Bearer aaaaaa.0000'));
  t.match(token.stderr, /curl: \(22\).*401/);
  t.strictSame(await stateOf('bare'), before.bare, 'nothing has changed');
});

t.test('the line installs k8ts and joins', { bail: true }, async (t) => {
  const address = await lab.addressOf('bare');
  const joined = mustSucceed(await shell('bare', `${line} --node-ip ${address}`));
  t.match(joined.stdout, /This machine is node bare /);
  t.match(await processesOf('bare'), /\/opt\/k8ts\/current\/dist\/k8ts\.js run agent/);
  t.match(mustSucceed(await shell('bare', 'k8ts --version')).stdout, /^k8ts \d/);
  await lab.kubectl(['apply', '-f', '-'], { stdin: workload });
  await lab.kubectl(['rollout', 'status', 'daemonset/web', '--timeout=60s']);
  for (const port of [30081, 8080]) {
    const page = await eventually(`port ${port} answers`, 20_000, async () => {
      const got = await lab.on('master', ['curl', '-sS', '--max-time', '5', `http://${address}:${port}/`]);
      return got.code === 0 ? got.stdout : undefined;
    });
    t.match(page, /version 1 from pod web-/);
  }
});

t.test('reset asks first', async (t) => {
  const asked = await shell('bare', 'k8ts reset </dev/null');
  t.not(asked.code, 0);
  t.match(asked.stderr, /\[NOT_CONFIRMED\]/);
  t.match(await processesOf('bare'), /run agent/);
});

t.test('after reset a node is what it was, the program included', async (t) => {
  const reset = mustSucceed(await shell('bare', 'k8ts reset --force'));
  t.match(reset.stdout, /kubectl delete node bare/);
  t.strictSame(await stateOf('bare'), before.bare);
});

t.test('reset works when the runtime is dead and half of the state is gone, and when it is run again', async (t) => {
  await lab.kubectl(['delete', 'node', 'bare']);
  mustSucceed(await shell('bare', line));
  await eventually('the pod runs again', 60_000, async () => {
    const pods = await lab.kubectl([
      'get',
      'pods',
      '-o',
      'jsonpath={range .items[*]}{.spec.nodeName} {.status.phase}{"\\n"}{end}',
    ]);
    return /^bare Running$/m.test(pods) ? true : undefined;
  });
  mustSucceed(
    await shell(
      'bare',
      'rm -rf /etc/k8ts/agent.json /etc/kubernetes /run/k8ts/supervisor.sock; pkill -KILL -x containerd; pkill -KILL -f "[r]un supervisor"; true',
    ),
  );
  mustSucceed(await shell('bare', 'cp -a /opt/k8ts /run/kept && /run/kept/current/bin/k8ts reset --force'));
  t.match(mustSucceed(await shell('bare', '/run/kept/current/bin/k8ts reset --force')).stdout, /nothing to take back/);
  t.equal(await processesOf('bare'), '');
  t.equal((await lab.on('bare', ['pgrep', '-a', 'nginx|pause'])).stdout, '', 'pods have ended without their runtime');
  const left = (await stateOf('bare')).filter(
    (fact) => /k8ts|kube|cni0|10\.244|\/var\/(log|lib\/cni)\//.test(fact) && !/k8ts-lab|\/run\/kept/.test(fact),
  );
  t.strictSame(
    left.filter((fact) => !before.bare.includes(fact)),
    [],
  );
});

t.test('after reset a master is what it was, with pods running before', async (t) => {
  mustSucceed(await lab.k8ts('master', ['reset', '--force']));
  t.strictSame(await stateOf('master'), before.master);
});
