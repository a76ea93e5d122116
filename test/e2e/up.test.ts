// `k8ts up` against real sshd on lab hosts: a cluster from a file in every way that one logs in, again without a change, with
// changes, with machines that fail, with one taken out, and broken off.

import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import t from 'tap';
import { createLab, eventually, mustSucceed } from './lab.ts';
import { createSshLab, skipWithoutSshd } from './ssh-lab.ts';

t.setTimeout(600_000);
const lab = createLab('up');
const ssh = createSshLab(lab);
const workers = ['node1', 'node2', 'node3', 'node4'];
const secrets = { LOGIN: 'careful-secret', SUDO: 'careful-secret' };

interface FileHost {
  readonly address: string | undefined;
  readonly [field: string]: unknown;
}

/** The file, with `hosts` laid over the usual ones; null leaves one out. */
async function fileOf(hosts: Readonly<Record<string, object | null>> = {}): Promise<string> {
  const bastion = { address: await lab.addressOf('node1') };
  const usual: Record<string, object> = {
    master: { role: 'control-plane' },
    node1: { user: 'deploy' },
    node2: { user: 'careful', passwordFrom: { env: 'LOGIN' }, sudoPasswordFrom: { env: 'SUDO' } },
    node3: { bastion, labels: { disk: 'ssd' } },
    node4: { taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }] },
  };
  const list: FileHost[] = [];
  for (const name of new Set([...Object.keys(usual), ...Object.keys(hosts)])) {
    const own = hosts[name];
    if (own === null) continue;
    const { address, ...rest } = { address: await addressOf(name), ...usual[name], ...own };
    list.push({ name, address, ...rest });
  }
  return dump({
    apiVersion: 'k8ts.dev/v1',
    kind: 'Cluster',
    metadata: { name: 'lab' },
    ssh: { key: './id' },
    hosts: list,
  });
}

/** undefined: the lab has no such host. */
const addressOf = (name: string): Promise<string | undefined> => lab.addressOf(name).catch(() => undefined);

const up = async (hosts: Parameters<typeof fileOf>[0] = {}, args: readonly string[] = []) =>
  ssh.up(await fileOf(hosts), args, secrets);

t.test('k8ts up', { skip: skipWithoutSshd }, async (t) => {
  t.teardown(async () => {
    await lab.down();
    ssh.remove();
  });
  await lab.down();
  await lab.up('admin', 'master', ...workers, 'node5');
  await ssh.startSshd('master', ...workers, 'node5');
  const kubeconfig = join(ssh.dir, '.kube/config');
  mustSucceed(await lab.on('admin', ['mkdir', '-p', join(ssh.dir, '.kube')]));
  const others = { clusters: [{ name: 'mine', cluster: { server: 'https://mine' } }], 'current-context': 'mine' };
  writeFileSync(kubeconfig, dump({ ...others, contexts: [], users: [], extensions: [{ name: 'kept' }] }));

  await t.test('a machine that is not known is not spoken to', async (t) => {
    const refused = await up();
    t.equal(refused.code, 1);
    t.match(refused.all, /master, phase connect: .*\[SSH_HOST_KEY_UNKNOWN\]\n +what to do: .*hostKey: SHA256:/);
  });

  await t.test('a dry run says what would be done, and does nothing', async (t) => {
    const { stdout } = mustSucceed(await up({}, ['--dry-run', '--accept-new-host-keys']));
    t.match(stdout, /master: install k8ts [\d.]+-[0-9a-f]+\n +master: k8ts init \(it is no control plane yet\)/);
    t.equal((await lab.on('master', ['test', '-e', '/opt/k8ts'])).code, 1);
  });

  await t.test('one control plane and four workers, in every way to log in', { bail: true }, async (t) => {
    const made = mustSucceed(await up());
    t.notMatch(made.all, 'careful-secret');
    const nodes = await ssh.kubectl('--context', 'lab', 'get', 'nodes', '--no-headers');
    for (const name of ['master', ...workers]) t.match(nodes, new RegExp(`^${name} +Ready `, 'm'));
    const [node3, node4] = ['node3', 'node4'].map((name) =>
      ssh.kubectl('--context', 'lab', 'get', 'node', name, '-oyaml'),
    );
    t.match(await node3, /disk: ssd/);
    t.match(load((await node4) ?? ''), { spec: { taints: [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }] } });
    t.match(load(readFileSync(kubeconfig, 'utf8')), {
      clusters: [{ name: 'mine' }, { name: 'lab' }],
      'current-context': 'mine',
      extensions: [{ name: 'kept' }],
    });
    t.equal(statSync(kubeconfig).mode & 0o777, 0o600);
    for (const host of ['master', 'node2']) {
      const left = await lab.on(host, ['sh', '-c', 'ls -d /run/k8ts-up* /var/lib/k8ts-up* 2>/dev/null']);
      t.equal(left.stdout, '', `${host}: no archive, no token and no lock stay behind`);
    }
    const tokens = await ssh.kubectl('--context', 'lab', '-n', 'kube-system', 'get', 'secrets', '-oyaml');
    t.notMatch(tokens, Buffer.from('k8ts up').toString('base64'), 'the token is taken back');
  });

  await t.test('again: nothing to do', async (t) => {
    const before = readFileSync(kubeconfig, 'utf8');
    const { stdout } = mustSucceed(await up());
    t.match(stdout, /Nothing to do: all 5 machines/);
    t.equal(readFileSync(kubeconfig, 'utf8'), before);
  });

  await t.test('labels and taints become what the file says', async (t) => {
    const changed = { node3: { labels: { zone: 'a' } }, node4: {} };
    const hosts = { ...changed, node4: { taints: [] } };
    const { stdout } = mustSucceed(await up(hosts, ['--dry-run']));
    t.match(stdout, /node3: label zone=a, label disk removed\n +node4: taint dedicated:NoSchedule removed/);
    mustSucceed(await up(hosts));
    t.notMatch(await ssh.kubectl('--context', 'lab', 'get', 'node', 'node3', '-oyaml'), 'ssd');
    t.match(mustSucceed(await up(hosts)).stdout, /Nothing to do/);
  });

  await t.test('a machine with another version gets this one, and its services are started again', async (t) => {
    const agent = async () => (await lab.on('node3', ['pgrep', '-o', '-f', 'k8ts.js run agent'])).stdout.trim();
    const before = await agent();
    const older =
      'cd /opt/k8ts; n=$(readlink current); mv $n old; sed -i "s/$n/old/" old/bundle.json; ln -sfn old current';
    mustSucceed(await lab.on('node3', ['sh', '-c', older]));
    const hosts = { node3: { labels: { zone: 'a' } }, node4: { taints: [] } };
    mustSucceed(await up(hosts));
    t.match(mustSucceed(await lab.on('node3', ['readlink', '/opt/k8ts/current'])).stdout, /^[\d.]+-[0-9a-f]+\n$/);
    t.not(await agent(), before);
    t.match(mustSucceed(await up(hosts)).stdout, /Nothing to do/);
  });

  await t.test('machines that fail are named, and do not stop the others', async (t) => {
    await ssh.changeHostKey('node4');
    mustSucceed(await lab.on('node5', ['pkill', 'containerd']));
    const hosts = {
      node3: { labels: { zone: 'b' } },
      node5: {},
      node6: { address: '10.89.0.250', hostKey: `SHA256:${'A'.repeat(43)}` },
    };
    const failed = await up(hosts, ['--accept-new-host-keys']);
    t.equal(failed.code, 1);
    t.match(failed.stderr, /3 of 7 machines failed/);
    t.match(failed.stderr, /node4, phase connect: .*\[SSH_HOST_KEY_CHANGED\]\n +what to do: .*ssh-keygen -R/);
    t.match(failed.stderr, /node5, phase join: k8ts join: [\s\S]*CRI[\s\S]*what to do:/);
    t.match(failed.stderr, /node6, phase connect: .*\[SSH_UNREACHABLE\]/);
    t.match(await ssh.kubectl('--context', 'lab', 'get', 'node', 'node3', '-oyaml'), /zone: b/);
  });

  await t.test('somebody else is at it', async (t) => {
    const script = 'echo $$ >/run/holder; echo jane >/run/k8ts-up.lock; exec sleep 600';
    const holder = lab.on('node3', ['flock', '/run/k8ts-up.lock', 'sh', '-c', script], { timeout: 200_000 });
    await eventually('the lock is held', 30_000, async () =>
      (await lab.on('node3', ['grep', '-q', 'jane', '/run/k8ts-up.lock'])).code === 0 ? true : undefined,
    );
    const refused = await up({ node4: null, node3: { labels: {} } });
    t.match(refused.stderr, /node3, phase lock: .*jane.*\[UP_LOCKED\][\s\S]*1 of 4 machines failed: node3/);
    mustSucceed(await lab.on('node3', ['sh', '-c', 'kill $(cat /run/holder)']));
    await holder;
    mustSucceed(await up({ node4: null }));
  });

  await t.test('nodes that are taken out stay until --prune, and their machines are reset then', async (t) => {
    const without = { node1: null, node4: null };
    const strays = mustSucceed(await up(without)).stdout;
    t.match(strays, /Nothing to do.*\nnode1 is not in the file; --prune removes it\.\nnode4 is not/s);
    t.match((await up(without, ['--prune'])).stderr, /\[NOT_CONFIRMED\]/);
    const pruned = await up(without, ['--prune', '--yes']);
    t.match(pruned.stderr, /node4, phase connect: .*\[SSH_HOST_KEY_CHANGED\]/, 'one that cannot be reset is named');
    t.notMatch(pruned.stderr, /node1, phase/);
    t.equal((await ssh.kubectl('--context', 'lab', 'get', 'nodes', '-oname')).trim().split('\n').length, 3);
    const left = await lab.on('node1', ['sh', '-c', 'ls -d /opt/k8ts /var/lib/k8ts/* /etc/kubernetes /run/k8ts-up*']);
    t.equal(left.stdout, '');
    t.match(mustSucceed(await up(without)).stdout, /Nothing to do: all 3 machines/);
  });

  await t.test('broken off by Ctrl-C, it continues the next time', async (t) => {
    await lab.up('node7');
    await ssh.startSshd('node7');
    const hosts = { node1: null, node4: null, node7: {} };
    const broken = await ssh.up(await fileOf(hosts), ['--accept-new-host-keys'], secrets, { interruptAfter: 3 });
    if (broken.code !== 0) t.match(broken.stderr, /\[INTERRUPTED\]/);
    mustSucceed(await up(hosts, ['--accept-new-host-keys']));
    t.match(await ssh.kubectl('--context', 'lab', 'get', 'nodes', '--no-headers'), /^node7 +Ready /m);
  });
});
