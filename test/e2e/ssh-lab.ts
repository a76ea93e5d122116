// Lab hosts with sshd of their own: started in the host's namespaces, with users, keys and sudo in its private /etc.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Lab, Output } from './lab.ts';
import { mustSucceed } from './lab.ts';

const sshdPath = ['/usr/sbin/sshd', join(import.meta.dirname, '../../.cache/bin/sshd')].find((path) =>
  existsSync(path),
);

/** Why these tests cannot run; false when they can. */
export const skipWithoutSshd = sshdPath === undefined ? 'needs sshd: scripts/setup' : false;

/** Users: root, deploy (sudo without a password), careful (sudo with his password, no key); passwords: NAME-secret. */
const setUp = `
set -e
mkdir -p /run/sshd
getent passwd sshd >/dev/null || useradd --system --no-create-home --shell /usr/sbin/nologin sshd
usermod --shell /bin/sh root # without this machine's own .bashrc
for user in deploy careful; do
  id "$user" >/dev/null 2>&1 || useradd --no-create-home --home-dir / --shell /bin/sh "$user"
  echo "$user:$user-secret" | chpasswd
done
printf 'deploy ALL=(ALL) NOPASSWD: ALL\\ncareful ALL=(ALL) ALL\\n' >/etc/sudoers.d/lab
chmod 440 /etc/sudoers.d/lab
mkdir -p /etc/ssh/lab
[ -e /etc/ssh/lab/host_key ] || ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/lab/host_key
for user in root deploy; do echo "$2" >/etc/ssh/lab/keys-$user; done
cat >/etc/ssh/lab/sshd_config <<CONFIG
HostKey /etc/ssh/lab/host_key
AuthorizedKeysFile /etc/ssh/lab/keys-%u
StrictModes no
UsePAM no
PermitRootLogin yes
PidFile /run/sshd.pid
CONFIG
"$1" -f /etc/ssh/lab/sshd_config
`;

export interface SshLab {
  /** Private folder: home of who runs `up`, its key, its files. */
  readonly dir: string;
  /** Starts sshd on hosts of the lab. */
  startSshd(...hosts: readonly string[]): Promise<void>;
  /** Gives a host another key, as if it had been made anew. */
  changeHostKey(host: string): Promise<void>;
  /** k8ts up on the lab host `admin`, with `file` as cluster.yaml. */
  up(
    file: string,
    args?: readonly string[],
    env?: Readonly<Record<string, string>>,
    options?: { /** Seconds until Ctrl-C. */ readonly interruptAfter?: number },
  ): Promise<Output>;
  /** kubectl on `admin` with the kubeconfig that up wrote. */
  kubectl(...args: readonly string[]): Promise<string>;
  remove(): void;
}

export function createSshLab(lab: Lab): SshLab {
  const dir = mkdtempSync(join(tmpdir(), 'k8ts-up-'));
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, 'id')]);
  const publicKey = readFileSync(join(dir, 'id.pub'), 'utf8').trim();
  const home = [`HOME=${dir}`, 'SSH_AUTH_SOCK=', 'KUBECONFIG='];
  const k8ts = join(import.meta.dirname, '../../bin/k8ts');
  return {
    dir,
    async startSshd(...hosts) {
      await Promise.all(
        hosts.map(async (host) =>
          mustSucceed(await lab.on(host, ['sh', '-c', setUp, 'sh', sshdPath ?? '', publicKey])),
        ),
      );
    },
    async changeHostKey(host) {
      const script = [
        'p=$(cat /run/sshd.pid); kill $p; while kill -0 $p 2>/dev/null; do sleep 0.05; done',
        'rm /etc/ssh/lab/host_key*; exec sh -c "$3" sh "$1" "$2"',
      ].join('; ');
      mustSucceed(await lab.on(host, ['sh', '-c', script, 'sh', sshdPath ?? '', publicKey, setUp]));
    },
    async up(file, args = [], env = {}, { interruptAfter } = {}) {
      const path = join(dir, 'cluster.yaml');
      writeFileSync(path, file);
      const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
      const until =
        interruptAfter === undefined ? [] : ['timeout', '--foreground', '-s', 'INT', String(interruptAfter)];
      const command = ['env', ...home, ...variables, ...until, k8ts, 'up', '-f', path, ...args];
      return lab.on('admin', command, { timeout: 240_000 });
    },
    async kubectl(...args) {
      return mustSucceed(await lab.on('admin', ['env', ...home, lab.kubectlPath, ...args])).stdout;
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
