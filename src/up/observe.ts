// What a machine is now, read by one script: a second run looks at every machine and nothing else, so this is what it costs.

import { CodedError } from '../base/index.ts';
import { type BundleArchitecture, currentLink, type Manifest } from '../bundle/index.ts';
import { agentConfigPath, paths, serverConfigPath } from '../config/index.ts';
import type { Host } from '../host/index.ts';

export interface Seen {
  readonly hostName: string;
  readonly architecture: BundleArchitecture;
  /** Name of the installed version; undefined: none. */
  readonly installed: string | undefined;
  readonly isMaster: boolean;
  readonly nodeName: string | undefined;
  readonly caPem: string | undefined;
  /** The administrator's kubeconfig, on a control plane. */
  readonly adminConf: string | undefined;
}

const sections = {
  uid: 'id -u',
  name: 'uname -n',
  machine: 'uname -m',
  bundle: `cat ${currentLink}/bundle.json`,
  server: `[ ! -e ${serverConfigPath} ] || echo yes`,
  agent: `cat ${agentConfigPath}`,
  ca: `cat ${paths.caFile}`,
  admin: `cat ${paths.adminConf}`,
} as const;

const script = Object.entries(sections)
  .map(([name, command]) => `echo "== ${name}"; ${command} 2>/dev/null`)
  .join('\n');

/** @throws CodedError NOT_ROOT, ARCH_UNSUPPORTED */
export async function observeHost(host: Pick<Host, 'run' | 'name'>, signal: AbortSignal): Promise<Seen> {
  const { stdout } = await host.run('sh', ['-c', `${script}\n:`], { readsOnly: true, signal });
  const found = new Map(
    stdout
      .split(/^== /m)
      .slice(1)
      .map((section) => {
        const end = section.indexOf('\n');
        return [section.slice(0, end), section.slice(end + 1).trim()] as const;
      }),
  );
  const textOf = (name: keyof typeof sections): string | undefined => found.get(name) || undefined;
  if (textOf('uid') !== '0') {
    throw notRoot(host.name);
  }
  const manifest = textOf('bundle');
  const agent = textOf('agent');
  return {
    hostName: textOf('name') ?? '',
    architecture: architectureOf(host.name, textOf('machine') ?? ''),
    installed: manifest === undefined ? undefined : (JSON.parse(manifest) as Manifest).name,
    isMaster: textOf('server') === 'yes',
    nodeName: agent === undefined ? undefined : (JSON.parse(agent) as { readonly nodeName: string }).nodeName,
    caPem: textOf('ca'),
    adminConf: textOf('admin'),
  };
}

export function notRoot(name: string): CodedError {
  return new CodedError('NOT_ROOT', `whoever logs in to ${name} is not root there`, {
    hint: 'set `user: root`, or `sudo: true` for a user who may become root',
  });
}

function architectureOf(name: string, machine: string): BundleArchitecture {
  if (machine === 'x86_64') return 'x64';
  if (machine === 'aarch64') return 'arm64';
  throw new CodedError('ARCH_UNSUPPORTED', `k8ts runs on x86_64 and aarch64; ${name} is ${machine}`, {
    exit: 'preflight',
  });
}
