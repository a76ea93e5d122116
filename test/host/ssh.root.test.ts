import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import {
  openKnownHosts,
  openSshHost,
  readSshKey,
  type SshHost,
  type SshHostOptions,
  type SshTarget,
} from '../../src/host/index.ts';
import { hostContract } from './contract.ts';
import { type Sshd, skipSshd, startSshd } from './sshd.ts';

interface Wanted extends Partial<SshTarget>, Partial<Omit<SshHostOptions, 'knownHosts'>> {
  /** Lines of known_hosts; default: the machine's own key. */
  readonly known?: string;
}

/** A host over SSH as `root` with a key, unless told otherwise. */
async function open(t: Test, sshd: Sshd, wanted: Wanted = {}): Promise<SshHost> {
  const { known = `[127.0.0.1]:${sshd.port} ${sshd.hostKey}\n`, ...rest } = wanted;
  const file = join(sshd.dir, `known_hosts-${randomBytes(4).toString('hex')}`);
  writeFileSync(file, known);
  const target = { address: '127.0.0.1', port: sshd.port, user: 'root', keys: [], ...rest };
  const host = await openSshHost(target, { knownHosts: await openKnownHosts([file]), timeout: 30_000, ...rest });
  t.teardown(() => host.close());
  return host;
}

t.test('over SSH', { skip: skipSshd }, async (t) => {
  const sshd = await startSshd(t);
  const keys = [await readSshKey(sshd.makeKey('id'))];
  const root = await open(t, sshd, { keys });
  const file = (name: string): string => join(sshd.dir, name);

  t.test('what every host does, as root', async (t) => {
    hostContract(t, async (journal) => ({ host: await open(t, sshd, { keys, journal }), bare: root }));
  });

  t.test('what every host does, through sudo', async (t) => {
    const sudo = {};
    const bare = await open(t, sshd, { keys, user: 'alice', sudo });
    hostContract(t, async (journal) => ({ host: await open(t, sshd, { keys, user: 'alice', sudo, journal }), bare }));
  });

  t.test('a command answers with its output and code', async (t) => {
    t.match(await root.run('cat', [], { stdin: 'in' }), { code: 0, stdout: 'in' });
    t.match(await root.run('sh', ['-c', 'echo no >&2; exit 3'], { accept: [3] }), { code: 3, stderr: 'no\n' });
    const env = { A: "it's" };
    t.match(await root.run('sh', ['-c', 'echo "$A $PWD"'], { env, cwd: '/usr' }), { stdout: "it's /usr\n" });
    t.match(await root.run('printf', ['%s|', '', ' $HOME ', '`id`', "a'b", 'x\\y', 'two\nlines', '!', '*', 'ä']), {
      stdout: "| $HOME |`id`|a'b|x\\y|two\nlines|!|*|ä|",
    });
  });

  t.test('a failed command names itself and what it printed, without secrets', async (t) => {
    const failed = root.run('sh', ['-c', 'echo "token abcdef.0123456789abcdef" >&2; exit 4']);
    await t.rejects(failed, { code: 'COMMAND_FAILED', message: /^sh -c 'echo .*exit code 4\ntoken abcdef<redacted>/s });
    await t.rejects(root.run('k8ts-no-such-program', []), { code: 'COMMAND_NOT_FOUND' });
  });

  t.test('time limits and signals end the program over there', async (t) => {
    const pids = file('pids');
    const sleep = ['-c', `echo $$ >>${pids}; exec sleep 60`];
    await t.rejects(root.run('sh', sleep, { timeout: 300 }), { code: 'COMMAND_TIMEOUT' });
    await t.rejects(root.run('sh', sleep, { signal: AbortSignal.timeout(300) }), { name: 'TimeoutError' });
    await t.rejects(root.run('sh', sleep, { signal: AbortSignal.abort(new Error('not at all')) }), /not at all/);
    const started = readFileSync(pids, 'utf8').trim().split('\n');
    t.equal(started.length, 2);
    for (const pid of started) t.notOk(existsSync(`/proc/${pid}`), 'it has ended');
  });

  t.test('more commands at once than sshd has sessions', async (t) => {
    const answers = await Promise.all(Array.from({ length: 25 }, (_, n) => root.run('echo', [String(n)])));
    t.strictSame(
      answers.map(({ stdout }) => stdout.trim()),
      answers.map((_, n) => String(n)),
    );
  });

  t.test('all commands are ended at once, though every session is taken', async (t) => {
    const signal = AbortSignal.timeout(500);
    const all = await Promise.allSettled(Array.from({ length: 10 }, () => root.run('sleep', ['60'], { signal })));
    t.ok(all.every(({ status }) => status === 'rejected'));
    t.match(await root.run('echo', ['free again']), { stdout: 'free again\n' });
  });

  t.test('output is followed as it comes, and noise of login scripts is not part of it', async (t) => {
    const heard: string[] = [];
    const args = ['-c', 'echo one; echo two >&2'];
    const answer = await root.run('sh', args, { onOutput: (text) => heard.push(text) });
    t.match(answer, { stdout: 'one\n', stderr: 'two\n' });
    t.strictSame(heard.sort(), ['one\n', 'two\n']);
    await root.writeFile('/etc/noise.sh', 'echo welcome; echo "have a nice day" >&2\n');
    const noisy = await startSshd(t, ['SetEnv BASH_ENV=/etc/noise.sh']);
    const host = await open(t, noisy, { keys: [await readSshKey(noisy.makeKey('id'))], user: 'alice' });
    await root.writeFile('/etc/noise.sh', '');
    t.match(await host.run('echo', ['hello']), { stdout: 'hello\n', stderr: '' });
  });

  t.test('facts, programs and kernel settings are those of the machine', async (t) => {
    const facts = await root.facts();
    t.match(facts, { uid: 0, architecture: process.arch });
    t.ok(facts.memoryBytes > 0 && facts.processors > 0);
    t.match(facts.addresses, [{ device: 'lo', address: '127.0.0.1', family: 4 }]);
    t.match(await root.which('sh'), /^\/.*\/sh$/);
    t.equal(await root.which('k8ts-no-such-program'), undefined);
    t.match(await root.readSysctl('kernel.ostype'), 'Linux');
    t.equal(await root.readSysctl('net.k8ts.none'), undefined);
    await t.rejects(root.writeSysctl('net.k8ts.none', '1'), { code: 'SYSCTL_ABSENT' });
  });

  t.test('a write through a link changes what it leads to, and keeps the link', async (t) => {
    await root.writeFile(file('real'), 'one');
    await root.run('ln', ['-s', 'real', file('link')]);
    await root.writeFile(file('link'), 'two');
    t.equal(readFileSync(file('real'), 'utf8'), 'two');
    t.match(await root.stat(file('link')), { kind: 'link' });
    await t.rejects(root.writeFile('/', 'x'), { code: 'EISDIR' });
    await t.rejects(root.readFile('/etc'), { code: 'EISDIR' });
  });

  t.test('sudo: with a password, a wrong one, none, and a user who may not', async (t) => {
    const bob = await open(t, sshd, { keys, user: 'bob', sudo: { password: 'bob-secret' } });
    t.match(await bob.run('id', ['-u']), { stdout: '0\n' });
    t.match(await bob.run('cat', [], { stdin: 'not the password' }), { stdout: 'not the password' });
    const cases = [
      { user: 'bob', sudo: { password: 'wrong' }, code: 'SSH_SUDO_PASSWORD' },
      { user: 'bob', sudo: {}, code: 'SSH_SUDO_REFUSED' },
      { user: 'carol', sudo: { password: 'carol-secret' }, code: 'SSH_SUDO_REFUSED' },
    ];
    for (const { user, sudo, code } of cases) {
      const host = await open(t, sshd, { keys, user, sudo });
      await t.rejects(host.run('id', []), { code, message: /^((?!secret).)*$/s }, code);
    }
  });

  t.test('machines that let nobody run anything', async (t) => {
    const dave = await open(t, sshd, { keys, user: 'dave' });
    await t.rejects(dave.run('id', []), { code: 'SSH_SHELL_REFUSED', message: /not available/ });
    const none = await startSshd(t, ['MaxSessions 0']);
    const host = await open(t, none, { keys: [await readSshKey(none.makeKey('id'))] });
    await t.rejects(host.run('id', []), { code: 'SSH_SESSION_REFUSED', hint: /MaxSessions/ });
    const old = await startSshd(t, ['Ciphers 3des-cbc']);
    await t.rejects(open(t, old, { keys }), { code: 'SSH_NO_COMMON_ALGORITHM' });
  });

  t.test('output without an end is cut off', async (t) => {
    await t.rejects(root.run('yes', []), { code: 'COMMAND_OUTPUT_TOO_LONG' });
  });

  t.test('a password that sudo does not ask for reaches nobody', async (t) => {
    const host = await open(t, sshd, { keys, user: 'alice', sudo: { password: 'not needed' } });
    t.match(await host.run('cat', [], { stdin: 'input' }), { stdout: 'input', stderr: '' });
    const seen = await host.run('sh', ['-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "']);
    t.notMatch(seen.stdout, 'not needed');
  });

  t.test('an upload: whole, there already, continued, and begun by another file', async (t) => {
    const from = file('archive');
    const to = file('there/archive');
    const content = randomBytes(3_000_000);
    writeFileSync(from, content);
    const sha256 = createHash('sha256').update(content).digest('hex');
    const size = content.length;
    const seen: number[] = [];
    t.strictSame(await root.upload({ from, to, sha256, onProgress: (have) => seen.push(have) }), {
      sent: size,
      resumed: 0,
    });
    t.equal(seen.at(-1), size);
    t.strictSame(await root.upload({ from, to, sha256 }), { sent: 0, resumed: 0 });
    await root.remove(to);
    writeFileSync(`${to}.part`, content.subarray(0, 1_000_000));
    t.strictSame(await root.upload({ from, to, sha256 }), { sent: 2_000_000, resumed: 1_000_000 });
    t.ok(readFileSync(to).equals(content));
    await root.remove(to);
    writeFileSync(`${to}.part`, randomBytes(1_000_000));
    t.match(await root.upload({ from, to, sha256 }), { sent: 2_000_000 + size });
    t.ok(readFileSync(to).equals(content));
    await t.rejects(root.upload({ from, to: file('there/other'), sha256: '0'.repeat(64) }), { code: 'UPLOAD_CORRUPT' });
    t.notOk(existsSync(file('there/other')));
    await t.rejects(root.upload({ from, to: '/proc/k8ts/archive', sha256 }), { code: 'UPLOAD_FAILED' });
  });

  t.test('an upload that is broken off continues', async (t) => {
    const from = file('large');
    const to = file('there/large');
    const content = randomBytes(20_000_000);
    writeFileSync(from, content);
    const sha256 = createHash('sha256').update(content).digest('hex');
    const stop = new AbortController();
    const onProgress = (have: number): void => {
      if (have > 5_000_000) stop.abort(new Error('enough'));
    };
    await t.rejects(root.upload({ from, to, sha256, signal: stop.signal, onProgress }), /enough/);
    t.notOk(existsSync(to), 'not whole: not there');
    const kept = statSync(`${to}.part`).size;
    t.ok(kept > 0 && kept < content.length);
    t.strictSame(await root.upload({ from, to, sha256 }), { sent: content.length - kept, resumed: kept });
  });

  t.test('a connection that breaks: what runs is told, and a file is never half written', async (t) => {
    const own = await startSshd(t);
    const host = await open(t, own, { keys: [await readSshKey(own.makeKey('id'))] });
    const path = join(own.dir, 'kept');
    await host.writeFile(path, 'old');
    const lost = [
      t.rejects(host.run('sleep', ['60']), { code: 'SSH_CONNECTION_LOST' }),
      t.rejects(host.run('cat', [], { stdin: Readable.from(neverEnding()) }), { code: 'SSH_CONNECTION_LOST' }),
    ];
    setTimeout(() => own.hangUp(), 300);
    await Promise.all(lost);
    t.ok(host.ended.aborted);
    await t.rejects(host.writeFile(path, 'new'), { code: 'SSH_CONNECTION_LOST' });
    t.equal(readFileSync(path, 'utf8'), 'old');
  });
});

async function* neverEnding(): AsyncGenerator<string> {
  for (;;) {
    yield 'x';
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

t.test('the machine and who logs in are verified', { skip: skipSshd }, async (t) => {
  const sshd = await startSshd(t);
  const path = sshd.makeKey('id');
  const keys = [await readSshKey(path)];
  const other = execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(sshd.dir, 'other')]);
  void other;
  const otherKey = readFileSync(join(sshd.dir, 'other.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
  const name = `[127.0.0.1]:${sshd.port}`;
  const print = execFileSync('ssh-keygen', ['-lf', join(sshd.dir, 'host_key.pub')], { encoding: 'utf8' });
  const fingerprint = /SHA256:\S+/.exec(print)?.[0] ?? '';

  const refused = [
    { name: 'unknown', known: '', code: 'SSH_HOST_KEY_UNKNOWN', hint: fingerprint },
    { name: 'changed', known: `${name} ${otherKey}\n`, code: 'SSH_HOST_KEY_CHANGED', hint: /ssh-keygen -R/ },
    {
      name: 'changed, and new ones are accepted',
      known: `${name} ${otherKey}\n`,
      acceptNewHostKeys: true,
      code: 'SSH_HOST_KEY_CHANGED',
    },
    { name: 'revoked', known: `@revoked ${name} ${sshd.hostKey}\n`, code: 'SSH_HOST_KEY_REVOKED' },
    {
      name: 'revoked, though pinned',
      known: `@revoked * ${sshd.hostKey}\n`,
      hostKey: fingerprint,
      code: 'SSH_HOST_KEY_REVOKED',
    },
    { name: 'not the pinned one', hostKey: `SHA256:${'A'.repeat(43)}`, code: 'SSH_HOST_KEY_CHANGED' },
  ];
  for (const { name, code, hint, ...wanted } of refused) {
    t.test(`host key ${name}`, async (t) => {
      await t.rejects(open(t, sshd, { keys, ...wanted }), { code, ...(hint === undefined ? {} : { hint }) });
    });
  }

  t.test('host key: hashed name, pinned, and accepted once', async (t) => {
    const hashed = join(sshd.dir, 'hashed');
    writeFileSync(hashed, `${name} ${sshd.hostKey}\n`);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', hashed], { stdio: 'ignore' });
    t.match(readFileSync(hashed, 'utf8'), /^\|1\|/);
    await open(t, sshd, { keys, known: readFileSync(hashed, 'utf8') });
    await open(t, sshd, { keys, known: '', hostKey: fingerprint });
    const file = join(sshd.dir, 'new/known_hosts');
    const target = { address: '127.0.0.1', port: sshd.port, user: 'root', keys };
    const accept = { knownHosts: await openKnownHosts([file]), acceptNewHostKeys: true };
    (await openSshHost(target, accept)).close();
    t.equal(readFileSync(file, 'utf8'), `${name} ${sshd.hostKey}\n`);
    t.equal(statSync(file).mode & 0o777, 0o600);
    (await openSshHost(target, { knownHosts: await openKnownHosts([file]) })).close();
  });

  t.test('an agent, a password, a password asked for, an RSA key, an encrypted key', async (t) => {
    const socket = join(sshd.dir, 'agent');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.teardown(() => agent.kill());
    await new Promise((resolve) => agent.stdout.once('data', resolve));
    execFileSync('ssh-add', ['-q', path], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
    const encrypted = sshd.makeKey('encrypted', { passphrase: 'open sesame' });
    const ways: readonly Partial<SshTarget>[] = [
      { agent: socket },
      { agent: join(sshd.dir, 'no-agent'), user: 'carol', password: 'carol-secret' },
      { user: 'carol', password: 'carol-secret' },
      { keys: [await readSshKey(sshd.makeKey('rsa', { type: 'rsa' }))] },
      { keys: [await readSshKey(encrypted, 'open sesame')] },
    ];
    for (const way of ways) {
      const host = await open(t, sshd, way);
      t.match(await host.run('id', ['-un']), { stdout: `${way.user ?? 'root'}\n` });
      host.close();
    }
    await t.rejects(readSshKey(encrypted), { code: 'SSH_KEY_ENCRYPTED' });
    await t.rejects(readSshKey(encrypted, 'wrong'), { code: 'SSH_KEY_PASSPHRASE' });
    await t.rejects(readSshKey(`${path}.pub`), { code: 'SSH_KEY_INVALID' });
    await t.rejects(readSshKey(join(sshd.dir, 'none')), { code: 'SSH_KEY_UNREADABLE' });
  });

  t.test('wrong credentials, nobody there, something else there', async (t) => {
    const wrong = [await readSshKey(join(sshd.dir, 'other'))];
    await t.rejects(open(t, sshd, { keys: wrong }), { code: 'SSH_AUTH_FAILED', message: /root@127.0.0.1:\d+/ });
    await t.rejects(open(t, sshd, { user: 'carol', password: 'wrong' }), { code: 'SSH_AUTH_FAILED' });
    const closed = createServer();
    const portOf = async (server: Server): Promise<number> => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return (server.address() as AddressInfo).port;
    };
    const free = await portOf(closed);
    closed.close();
    await t.rejects(open(t, sshd, { keys, port: free }), { code: 'SSH_REFUSED' });
    const web = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const silent = createServer(() => undefined);
    t.teardown(() => [web, silent].forEach((server) => void server.close()));
    await t.rejects(open(t, sshd, { keys, port: await portOf(web) }), { code: 'SSH_NOT_SSH' });
    await t.rejects(open(t, sshd, { keys, port: await portOf(silent), timeout: 300 }), { code: 'SSH_UNREACHABLE' });
    await t.rejects(open(t, sshd, { keys, address: 'k8ts.invalid' }), { code: 'SSH_NAME_UNKNOWN' });
    const signal = AbortSignal.abort(new Error('stopped'));
    await t.rejects(open(t, sshd, { keys, signal }), /stopped/);
  });

  t.test('a bastion: through it, and what it refuses', async (t) => {
    const bastion = await startSshd(t);
    const strict = await startSshd(t, ['AllowTcpForwarding no']);
    const way = (over: Sshd, key: string): SshTarget => ({
      address: '127.0.0.1',
      port: over.port,
      user: 'carol',
      keys: [],
      password: key,
    });
    const known = [sshd, bastion, strict].map(({ port, hostKey }) => `[127.0.0.1]:${port} ${hostKey}\n`).join('');
    const host = await open(t, sshd, { keys, known, bastion: way(bastion, 'carol-secret') });
    t.match(await host.run('id', ['-un']), { stdout: 'root\n' });
    host.close();
    await t.rejects(open(t, sshd, { keys, known, bastion: way(bastion, 'wrong') }), {
      code: 'SSH_AUTH_FAILED',
      message: /^carol@/,
    });
    await t.rejects(open(t, sshd, { keys, known, bastion: way(strict, 'carol-secret') }), {
      code: 'SSH_FORWARD_REFUSED',
    });
    await t.rejects(
      open(t, sshd, { keys, bastion: way(bastion, 'carol-secret') }),
      { code: 'SSH_HOST_KEY_UNKNOWN' },
      'its key counts as well',
    );
  });
});
