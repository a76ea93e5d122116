// Hosts, pods and an outside machine as network namespaces on one bridge, for root tests. Everything has the lab's prefix
// in its name and is gone after `close`. A host runs the real network code in a process of its own (host-process.ts); a
// pod is made by the real CNI plugins from the configuration that this wrote.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KubeObject, Node } from '../../src/api/index.ts';
import type { NetworkConfig } from '../../src/network/index.ts';
import type { FromHost, ToHost } from './host-process.ts';

const execute = promisify(execFile);

export async function run(program: string, args: readonly string[], input?: string): Promise<string> {
  const running = execute(program, [...args], { maxBuffer: 64 * 1024 * 1024 });
  if (input !== undefined) running.child.stdin?.end(input);
  return (await running).stdout;
}

export interface LabHost {
  readonly name: string;
  readonly netns: string;
  readonly ip: string;
  readonly podCidr: string;
  /** Resolves when the node's network is ready. */
  readonly ready: Promise<void>;
  send(message: ToHost): void;
  /** The next message of that kind. */
  next(is: FromHost['is']): Promise<FromHost>;
  exec(program: string, ...args: readonly string[]): Promise<string>;
  addPod(name: string): Promise<LabPod>;
}

export interface LabPod {
  readonly netns: string;
  readonly ip: string;
  /** Takes it off its host's network, as the runtime does before it removes a sandbox. */
  remove(): Promise<void>;
}

export interface HostOptions {
  readonly config?: Partial<NetworkConfig>;
  readonly before?: (netns: string) => Promise<void>;
}

export interface Lab {
  addNamespace(name: string, ip: string): Promise<string>;
  /** @param options.before called with the host's namespace before the network starts. */
  addHost(name: string, number: number, options?: HostOptions): Promise<LabHost>;
  /** Sends an object to every host, as the API server's watches would. */
  put(kind: 'node' | 'service' | 'endpointSlice', object: KubeObject): void;
  remove(kind: 'node' | 'service' | 'endpointSlice', object: KubeObject): void;
  /** Starts a program that is ended by `close`; resolves with its first line of output. */
  start(netns: string, program: string, ...args: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

export async function createLab(): Promise<Lab> {
  const prefix = `k8t${process.pid.toString(36)}`;
  const folder = await mkdtemp(join(tmpdir(), 'k8ts-network-'));
  const namespaces: string[] = [];
  const children: ChildProcess[] = [];
  const hosts: LabHost[] = [];
  const nodes = new Map<string, Node>();
  const wire = `${prefix}-wire`;
  let links = 0;
  await addNetns(wire);
  await run('ip', ['-n', wire, 'link', 'add', 'br0', 'type', 'bridge']);
  await run('ip', ['-n', wire, 'link', 'set', 'br0', 'up']);

  const lab: Lab = {
    addNamespace: async (name, ip) => {
      const netns = await addNetns(`${prefix}-${name}`);
      const port = `p${links++}`;
      await run('ip', ['-n', wire, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns]);
      await run('ip', ['-n', wire, 'link', 'set', port, 'master', 'br0', 'up']);
      await run('ip', ['-n', netns, 'address', 'add', `${ip}/24`, 'dev', 'eth0']);
      await run('ip', ['-n', netns, 'link', 'set', 'eth0', 'up']);
      return netns;
    },
    addHost,
    put: (kind, object) => {
      for (const host of hosts) host.send({ do: 'put', kind, object });
    },
    remove: (kind, object) => {
      for (const host of hosts) host.send({ do: 'delete', kind, object });
    },
    start: (netns, program, ...args) =>
      new Promise((resolve, reject) => {
        const child = spawn('ip', ['netns', 'exec', netns, program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
        children.push(child);
        child.stdout.once('data', (line: Buffer) => resolve(line.toString().trim()));
        child.once('exit', (code) => reject(new Error(`${program} ended with ${code}`)));
      }),
    async close() {
      await Promise.all(children.map((child) => ended(child)));
      for (const netns of namespaces.reverse()) await run('ip', ['netns', 'delete', netns]);
      await rm(folder, { recursive: true, force: true });
    },
  };
  return lab;

  async function addNetns(netns: string): Promise<string> {
    await run('ip', ['netns', 'add', netns]);
    namespaces.push(netns);
    // Link-local addresses come and go by themselves and would blur what a test compares.
    await run('ip', ['netns', 'exec', netns, 'sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1']);
    await run('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
    return netns;
  }

  async function addHost(name: string, number: number, options: HostOptions = {}): Promise<LabHost> {
    const ip = `192.168.77.${number}`;
    const podCidr = `10.244.${number}.0/24`;
    const netns = await lab.addNamespace(name, ip);
    const confDir = join(folder, name, 'net.d');
    const config: NetworkConfig = {
      nodeName: name,
      nodeIp: ip,
      dataDir: join(folder, name, 'state'),
      serviceCidr: '10.96.0.0/12',
      podCidr: '10.244.0.0/16',
      clusterDns: '10.96.0.10',
      clusterDomain: 'cluster.local',
      overlay: { backend: 'vxlan', vni: 1, port: 8472 },
      serviceProxy: 'nftables',
      dns: 'on',
      cni: { confDir, binDirs: ['/usr/lib/cni'] },
      ...options.config,
    };
    await options.before?.(netns);
    const script = join(import.meta.dirname, 'host-process.ts');
    const child = spawn('ip', ['netns', 'exec', netns, process.execPath, script, JSON.stringify(config)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    children.push(child);
    const next = (is: FromHost['is']): Promise<FromHost> =>
      new Promise((resolve, reject) => {
        const listener = (message: FromHost): void => {
          if (message.is !== is && message.is !== 'error') return;
          child.off('message', listener);
          if (message.is === is) resolve(message);
          else if (message.is === 'error') reject(new Error(message.text));
        };
        child.on('message', listener);
        child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
      });
    child.on('message', (message: FromHost) => {
      if (message.is !== 'node') return;
      nodes.set(name, message.object);
      for (const other of hosts)
        if (other.name !== name) other.send({ do: 'put', kind: 'node', object: message.object });
    });
    const host: LabHost = {
      name,
      netns,
      ip,
      podCidr,
      ready: next('ready').then(() => undefined),
      next,
      send: (message) => child.send(message),
      exec: (program, ...args) => run('ip', ['netns', 'exec', netns, program, ...args]),
      addPod: (pod) => addPod(host, confDir, pod),
    };
    host.ready.catch(() => undefined); // a test that expects the error asks for it itself
    for (const node of nodes.values()) host.send({ do: 'put', kind: 'node', object: node });
    hosts.push(host);
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: { podCIDR: podCidr } };
    nodes.set(name, node);
    lab.put('node', node);
    return host;
  }

  async function addPod(host: LabHost, confDir: string, name: string): Promise<LabPod> {
    const netns = await addNetns(`${prefix}-${name}`);
    const list = JSON.parse(await readFile(join(confDir, '10-k8ts.conflist'), 'utf8'));
    const stdin = JSON.stringify({ cniVersion: list.cniVersion, name: list.name, ...list.plugins[0] });
    const call = (command: string): Promise<string> => {
      const words = [`CNI_COMMAND=${command}`, `CNI_CONTAINERID=${netns}`, `CNI_NETNS=/run/netns/${netns}`];
      words.push('CNI_IFNAME=eth0', 'CNI_PATH=/usr/lib/cni');
      return run('ip', ['netns', 'exec', host.netns, 'env', ...words, '/usr/lib/cni/bridge'], stdin);
    };
    const result = JSON.parse(await call('ADD'));
    const ip = String(result.ips[0].address).split('/')[0] ?? '';
    return { netns, ip, remove: () => call('DEL').then(() => undefined) };
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}
