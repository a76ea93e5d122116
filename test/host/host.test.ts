import t from 'tap';
import { createFakeHost, createLocalHost, createRecordingHost, createTracingHost } from '../../src/host/index.ts';
import { hostContract } from './contract.ts';

t.test('local host', async (t) => {
  hostContract(t, (journal) => ({ host: createLocalHost({ journal }), bare: createLocalHost() }));
});

t.test('fake host', async (t) => {
  hostContract(t, (journal) => {
    const host = createFakeHost({ journal });
    return { host, bare: host.bare };
  });
});

t.test('a command answers with its output and code', async (t) => {
  const host = createLocalHost();
  t.match(await host.run('cat', [], { stdin: 'in' }), { code: 0, stdout: 'in' });
  t.match(await host.run('sh', ['-c', 'echo no >&2; exit 3'], { accept: [3] }), { code: 3, stderr: 'no\n' });
});

t.test('a failed command names itself and what it printed, without secrets', async (t) => {
  const host = createLocalHost();
  const failed = host.run('sh', ['-c', 'echo "token abcdef.0123456789abcdef" >&2; exit 4']);
  await t.rejects(failed, { code: 'COMMAND_FAILED', message: /^sh -c 'echo .*exit code 4\ntoken abcdef<redacted>/s });
  await t.rejects(host.run('k8ts-no-such-program', []), { code: 'COMMAND_NOT_FOUND' });
  await t.rejects(host.run('sleep', ['20'], { timeout: 20 }), { code: 'COMMAND_TIMEOUT' });
  await t.rejects(host.run('sleep', ['20'], { signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' });
});

t.test('a recording host changes nothing and reads back its own writes', async (t) => {
  const below = createFakeHost({
    files: { '/etc/old': 'old', '/var/x/y': '1' },
    sysctls: { 'net.ipv4.ip_forward': '0' },
  });
  const host = createRecordingHost(below);
  await host.writeFile('/etc/new', 'n', { mode: 0o600 });
  await host.writeFile('/etc/old', 'new');
  await host.remove('/var/x', { recursive: true });
  await host.writeSysctl('net.ipv4.ip_forward', '1');
  await host.run('nft', ['add', 'table', 'ip', 'k8ts']);
  await host.run('ip', ['link'], { readsOnly: true });
  t.equal((await host.readFile('/etc/old')).toString(), 'new');
  t.strictSame(await host.readDir('/etc'), ['new', 'old']);
  t.equal(await host.stat('/var/x/y'), undefined);
  t.equal(await host.readSysctl('net.ipv4.ip_forward'), '1');
  t.strictSame(host.transcript, [
    'write /etc/new mode 600 new',
    'write /etc/old mode 644 changed',
    'remove /var/x and all below',
    'set net.ipv4.ip_forward = 1 (is 0)',
    'run nft add table ip k8ts',
  ]);
  t.strictSame(below.commands, ['ip link']);
  t.strictSame(below.files(), { '/etc/old': 'old', '/var/x/y': '1' });
  t.equal(await below.readSysctl('net.ipv4.ip_forward'), '0');
});

t.test('a tracing host says what it does, and does it', async (t) => {
  const below = createFakeHost({ sysctls: { 'net.x': '0' } });
  const said: string[] = [];
  const host = createTracingHost(below, (line) => said.push(line));
  await host.writeFile('/etc/a', 'secret');
  await host.makeDir('/etc/d');
  await host.writeSysctl('net.x', '1');
  await host.run('ip', ['link']);
  await host.remove('/etc/a');
  t.strictSame(said, ['write /etc/a', 'make folder /etc/d', 'set net.x = 1', 'run ip link', 'remove /etc/a']);
  t.strictSame(below.files(), {});
  t.equal(await below.readSysctl('net.x'), '1');
});
