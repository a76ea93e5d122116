import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { parseClusterFile, pathFrom } from '../../src/up/cluster-file.ts';
import { createReach } from '../../src/up/targets.ts';

const head = 'apiVersion: k8ts.dev/v1\nkind: Cluster\nmetadata: { name: lab }\n';
const master = '{ address: 192.0.2.1, role: control-plane }';
const withHosts = (...hosts: string[]): string => `${head}hosts: [${hosts.join(', ')}]\n`;

t.test('the example is a file that up reads', async (t) => {
  const path = join(import.meta.dirname, '../../examples/cluster.yaml');
  const file = parseClusterFile(readFileSync(path, 'utf8'), path);
  t.ok(file.hosts.length > 1);
});

const wrong = [
  { name: 'not YAML', text: 'a: [', code: 'CONFIG_UNREADABLE', message: /f is not YAML/ },
  {
    name: 'a field that does not exist',
    text: withHosts('{ address: a, role: control-plane, rol: x }'),
    message: /hosts.0: unknown field rol/,
  },
  { name: 'no address', text: withHosts('{ role: control-plane }'), message: /hosts.0.address: is missing/ },
  {
    name: 'a fingerprint that is none',
    text: withHosts('{ address: a, hostKey: MD5:1 }'),
    message: /hostKey: must be SHA256/,
  },
  { name: 'a password in the file', text: withHosts('{ address: a, passwordFrom: secret }'), message: /passwordFrom/ },
  {
    name: 'a bad range',
    text: `${withHosts(master)}cluster: { networking: { podCidr: x } }\n`,
    message: /cluster.networking.podCidr/,
  },
  {
    name: 'no control plane',
    text: withHosts('{ address: a }'),
    code: 'CONTROL_PLANES_UNSUPPORTED',
    message: /no host with role/,
  },
  {
    name: 'several control planes',
    text: withHosts(master, '{ name: two, address: b, role: control-plane }'),
    code: 'CONTROL_PLANES_UNSUPPORTED',
    message: /2 hosts with role: control-plane \(192.0.2.1, two\)/,
  },
  {
    name: 'a name twice',
    text: withHosts('{ name: x, address: a, role: control-plane }', '{ name: x, address: b }'),
    code: 'HOSTS_AMBIGUOUS',
    message: /name x/,
  },
  {
    name: 'an address twice',
    text: withHosts(master, '{ address: 192.0.2.1, port: 22 }'),
    code: 'HOSTS_AMBIGUOUS',
    message: /192.0.2.1:22/,
  },
];
for (const { name, text, code = 'CONFIG_INVALID', message } of wrong) {
  t.test(`refused: ${name}`, async (t) => {
    t.throws(() => parseClusterFile(text, 'f'), { code, message, exit: 'invalidInput' });
  });
}

t.test('one address with several ports, or behind several bastions, is several machines', async (t) => {
  const file = parseClusterFile(
    withHosts(master, '{ address: 192.0.2.1, port: 2222 }', '{ address: 192.0.2.1, bastion: { address: b } }'),
    'f',
  );
  t.equal(file.hosts.length, 3);
});

t.test('paths start at the file or at home', async (t) => {
  t.equal(pathFrom('/etc/k/cluster.yaml', 'id'), '/etc/k/id');
  t.equal(pathFrom('/etc/k/cluster.yaml', '/id'), '/id');
  t.equal(pathFrom('/etc/k/cluster.yaml', '~/.ssh/id'), join(homedir(), '.ssh/id'));
});

t.test('how a machine is reached: defaults, keys, secrets, sudo, bastion', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'k8ts-targets-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'open sesame', '-f', join(dir, 'id')]);
  writeFileSync(join(dir, 'pass'), 'open sesame\n');
  const ssh = {
    user: 'admin',
    port: 2222,
    key: 'id',
    passphraseFrom: { file: 'pass' },
    sudoPasswordFrom: { env: 'SUDO' },
    bastion: { address: 'b', user: 'jump' },
  };
  const env = { SUDO: 'pw', SSH_AUTH_SOCK: '/agent' };
  const reachOf = createReach({ ssh }, { source: join(dir, 'cluster.yaml'), env });
  t.match(await reachOf({ address: 'a' }), {
    target: {
      address: 'a',
      port: 2222,
      user: 'admin',
      keys: [{ path: join(dir, 'id') }],
      agent: undefined,
      bastion: { address: 'b', port: 22, user: 'jump', keys: [{ path: join(dir, 'id') }] },
    },
    sudo: { password: 'pw' },
  });
  t.match(await reachOf({ address: 'a', user: 'root' }), { target: { user: 'root' }, sudo: undefined });
  const bare = createReach({}, { source: '/f', env });
  t.match(await bare({ address: 'a' }), {
    target: { user: 'root', port: 22, agent: '/agent', bastion: undefined },
    sudo: undefined,
  });
  t.match(await bare({ address: 'a', user: 'x', sudo: true }), { sudo: { password: undefined } });
  await t.rejects(bare({ address: 'a', passwordFrom: { env: 'NONE' } }), { code: 'SECRET_ABSENT', message: /\$NONE/ });
  await t.rejects(bare({ address: 'a', passwordFrom: { file: '/none' } }), { code: 'SECRET_ABSENT' });
});
