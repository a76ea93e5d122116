// A containerd of its own for root tests: private root, state, socket, CNI folders and configuration under one temporary
// folder, in the network and mount namespace that the test runs in. Its images are built from this machine's busybox.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Why root tests cannot run here; undefined when they can. */
export function whyNoContainerd(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  for (const program of ['/usr/bin/containerd', '/usr/bin/ctr', '/bin/busybox', '/usr/lib/cni/bridge']) {
    if (!existsSync(program)) return `needs ${program}`;
  }
  return undefined;
}

/** Runs this test file again inside network and mount namespaces of its own, unless it is there already. */
export function insideNamespaces(file: string): boolean {
  if (process.env['K8TS_TEST_NAMESPACE'] === file) return true;
  const child = spawnSync('unshare', ['--net', '--mount', process.execPath, ...process.execArgv, file], {
    stdio: 'inherit',
    env: { ...process.env, K8TS_TEST_NAMESPACE: file },
  });
  process.exitCode = child.status ?? 1;
  return false;
}

export interface Containerd {
  readonly dir: string;
  readonly socket: string;
  readonly cniConfDir: string;
  stop(): Promise<void>;
}

export const busyboxImage = 'docker.io/k8ts/busybox:test';

/** @param podCidr writes a CNI bridge configuration for it; left out, the network stays not ready. */
export async function startContainerd(podCidr?: string): Promise<Containerd> {
  const dir = mkdtempSync(join(tmpdir(), 'k8ts-containerd-'));
  const socket = join(dir, 'containerd.sock');
  const cniConfDir = join(dir, 'cni');
  mkdirSync(cniConfDir);
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  // Sockets of shims, pods' namespaces and logs stay in this mount namespace and go with it.
  for (const folder of ['/run', '/var/log']) execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', folder]);
  if (podCidr !== undefined) writeFileSync(join(cniConfDir, '10-test.conflist'), bridgeConfig(podCidr, dir));
  writeFileSync(join(dir, 'config.toml'), daemonConfig(dir, socket, cniConfDir));
  const daemon = spawn('containerd', ['--config', join(dir, 'config.toml')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  daemon.stderr.on('data', (chunk) => {
    log = `${log}${chunk}`.slice(-20_000);
  });
  await untilServing(daemon, socket, () => log);
  importImage(dir, socket);
  return {
    dir,
    socket,
    cniConfDir,
    async stop() {
      killShims(dir);
      daemon.kill('SIGTERM');
      if (daemon.exitCode === null) await new Promise((resolve) => daemon.once('exit', resolve));
      unmountBelow(dir);
      unmountBelow('/run/netns');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function bridgeConfig(podCidr: string, dir: string): string {
  return JSON.stringify({
    cniVersion: '0.4.0',
    name: 'test',
    plugins: [
      {
        type: 'bridge',
        bridge: 'k8ts-test0',
        isGateway: true,
        ipam: {
          type: 'host-local',
          dataDir: join(dir, 'ipam'),
          ranges: [[{ subnet: podCidr }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  });
}

function daemonConfig(dir: string, socket: string, cniConfDir: string): string {
  return `version = 2
root = "${dir}/root"
state = "${dir}/state"
[grpc]
  address = "${socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${busyboxImage}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${cniConfDir}"
`;
}

async function untilServing(daemon: ChildProcess, socket: string, log: () => string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (daemon.exitCode !== null) break;
    if (existsSync(socket) && spawnSync('ctr', ['-a', socket, 'version']).status === 0) return;
    await delay(50);
  }
  daemon.kill('SIGKILL');
  throw new Error(`containerd did not start:\n${log()}`);
}

function importImage(dir: string, socket: string): void {
  const tree = join(dir, 'image');
  mkdirSync(join(tree, 'rootfs/bin'), { recursive: true });
  for (const folder of ['etc', 'tmp', 'proc', 'sys', 'dev']) mkdirSync(join(tree, 'rootfs', folder));
  execFileSync('cp', ['/bin/busybox', join(tree, 'rootfs/bin/busybox')]);
  for (const applet of [
    'sh',
    'sleep',
    'cat',
    'echo',
    'true',
    'false',
    'id',
    'env',
    'ls',
    'nc',
    'httpd',
    'kill',
    'touch',
  ]) {
    symlinkSync('busybox', join(tree, 'rootfs/bin', applet));
  }
  execFileSync('tar', ['-C', join(tree, 'rootfs'), '-cf', join(tree, 'layer.tar'), '.']);
  const diffId = `sha256:${createHash('sha256')
    .update(readFileSync(join(tree, 'layer.tar')))
    .digest('hex')}`;
  const config = {
    architecture: 'amd64',
    os: 'linux',
    // `sleep` is what the sandbox container runs; tests give their own command.
    config: { Entrypoint: ['/bin/busybox', 'sleep', '2147483'], Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: [diffId] },
  };
  writeFileSync(join(tree, 'config.json'), JSON.stringify(config));
  writeFileSync(
    join(tree, 'manifest.json'),
    JSON.stringify([{ Config: 'config.json', RepoTags: [busyboxImage], Layers: ['layer.tar'] }]),
  );
  execFileSync('tar', ['-C', tree, '-cf', join(dir, 'image.tar'), 'manifest.json', 'config.json', 'layer.tar']);
  execFileSync('ctr', ['-a', socket, '-n', 'k8s.io', 'images', 'import', join(dir, 'image.tar')], { stdio: 'pipe' });
}

/** The shims outlive containerd by design; each has this socket on its command line. */
function killShims(dir: string): void {
  for (const line of execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n')) {
    const [, pid, args = ''] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    if (pid === undefined || !args.includes('containerd-shim') || !args.includes(dir)) continue;
    for (const child of childrenOf(pid)) process.kill(Number(child), 'SIGKILL');
    process.kill(Number(pid), 'SIGKILL');
  }
}

function childrenOf(pid: string): string[] {
  const found = spawnSync('ps', ['--ppid', pid, '-o', 'pid='], { encoding: 'utf8' });
  return found.stdout.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
}

function unmountBelow(dir: string): void {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  for (const line of mounts.reverse()) {
    const target = line.split(' ')[1];
    if (target?.startsWith(dir) === true) spawnSync('umount', ['-l', target]);
  }
}
