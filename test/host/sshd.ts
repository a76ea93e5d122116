// Real sshd for tests, without a port of its own: this process listens on a free port of 127.0.0.1 and gives each
// connection to an `sshd -i`, which runs in a mount namespace with private /etc and /run, where its users are made.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

export interface Sshd {
  readonly port: number;
  /** A private folder of the test. */
  readonly dir: string;
  /** The public host key: `TYPE BASE64`. */
  readonly hostKey: string;
  /** Path of a new private key that every user may log in with. */
  makeKey(name: string, options?: { readonly type?: string; readonly passphrase?: string }): string;
  /** Breaks every connection that is open. */
  hangUp(): void;
}

export const sshdPath = ['/usr/sbin/sshd', join(import.meta.dirname, '../../.cache/bin/sshd')].find((path) =>
  existsSync(path),
);

/** Why sshd cannot be run here; false when it can. */
export const skipSshd =
  process.getuid?.() !== 0
    ? 'needs root, for users and a mount namespace'
    : sshdPath === undefined
      ? 'needs sshd: scripts/setup'
      : false;

/** Users: alice (sudo without a password), bob (sudo with his), carol (no sudo), dave (no shell); passwords: NAME-secret. */
const setUp = `
set -e
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/sshd "$1/upper" "$1/work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" /etc
getent passwd sshd >/dev/null || useradd --system --no-create-home --shell /usr/sbin/nologin sshd
usermod --shell /bin/sh root # without this machine's own .bashrc
for user in alice bob carol dave; do
  useradd --no-create-home --home-dir / --shell /bin/bash "$user"
  echo "$user:$user-secret" | chpasswd
done
usermod --shell /usr/sbin/nologin dave
echo 'alice ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/alice
echo 'bob ALL=(ALL) ALL' >/etc/sudoers.d/bob
chmod 440 /etc/sudoers.d/*
echo ready
exec cat
`;

export async function startSshd(t: Test, settings: readonly string[] = []): Promise<Sshd> {
  const dir = mkdtempSync(join(tmpdir(), 'k8ts-sshd-'));
  chmodSync(dir, 0o755);
  mkdirSync(join(dir, 'etc'));
  const keygen = (file: string, type: string, passphrase: string): void =>
    void execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'test', '-f', file]);
  keygen(join(dir, 'host_key'), 'ed25519', '');
  const config = join(dir, 'sshd_config');
  const lines = [
    `HostKey ${dir}/host_key`,
    `AuthorizedKeysFile ${dir}/authorized_keys`,
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin yes',
    'PidFile none',
    'LogLevel ERROR',
    ...settings,
  ];
  writeFileSync(config, lines.join('\n'));
  writeFileSync(join(dir, 'authorized_keys'), '');

  const namespace = spawn(
    'unshare',
    ['--mount', '--propagation', 'private', 'sh', '-c', setUp, 'sh', join(dir, 'etc')],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  await new Promise<void>((resolve, reject) => {
    namespace.stdout?.on('data', () => resolve());
    namespace.on('exit', (code) => reject(new Error(`the namespace ended with ${code}`)));
  });

  const children = new Set<ChildProcess>();
  const sockets = new Set<Socket>();
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    const child = spawn('nsenter', ['-t', String(namespace.pid), '-m', sshdPath ?? '', '-i', '-f', config], {
      stdio: [socket, socket, 'ignore'],
    });
    children.add(child);
    child.on('exit', () => {
      children.delete(child);
      sockets.delete(socket);
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const hangUp = (): void => {
    for (const child of children) child.kill('SIGKILL');
    for (const socket of sockets) socket.destroy();
  };
  t.teardown(async () => {
    hangUp();
    server.close();
    namespace.stdin?.end();
    await new Promise((resolve) => namespace.on('exit', resolve));
    rmSync(dir, { recursive: true, force: true });
  });
  const [type, key] = readFileSync(join(dir, 'host_key.pub'), 'utf8').split(' ');
  return {
    port: (server.address() as AddressInfo).port,
    dir,
    hostKey: `${type} ${key}`,
    makeKey(name, { type = 'ed25519', passphrase = '' } = {}) {
      const path = join(dir, name);
      keygen(path, type, passphrase);
      writeFileSync(join(dir, 'authorized_keys'), readFileSync(`${path}.pub`), { flag: 'a' });
      return path;
    },
    hangUp,
  };
}
