// The machine that the doctor runs on.

import { messageOf } from '../base/index.ts';
import { parseCertificate, readInventory } from '../certs/index.ts';
import { type AgentConfig, agentService, kubernetesDir, paths, serverService } from '../config/index.ts';
import type { Cri } from '../cri/index.ts';
import type { Host, Services } from '../host/index.ts';
import { checks, gatherFacts, judge } from '../preflight/index.ts';
import type { CertificateFile, MachineObservations } from './observations.ts';

export interface LocalNode {
  readonly config: AgentConfig;
  readonly services: Services;
  readonly cri: Pick<Cri, 'version' | 'status' | 'cgroupDriver'>;
}

/** Checks of `init` that say something about a machine that is a node already. Disks are judged for every node alike. */
const lasting: ReadonlySet<string> = new Set([
  ...['Swap', 'CRI', 'OOMScoreAdj', 'CgroupDriver', 'FileExisting', 'FileExisting-cni', 'SystemVerification'],
  ...[
    'KernelModules',
    'Inotify',
    'DefaultRoute',
    'CIDROverlap',
    'MTU',
    'ResolvLoop',
    'IptablesBackend',
    'IptablesForward',
    'Firewalld',
  ],
  ...['LeftoverState', 'Service-Kubelet'],
]);

export async function observeMachine(host: Host, node: LocalNode, signal: AbortSignal): Promise<MachineObservations> {
  const { config, services, cri } = node;
  const [server, agent, certificates] = await Promise.all([
    services.status(serverService),
    services.status(agentService),
    readCertificates(host, config.certDir),
  ]);
  const facts = await gatherFacts(
    host,
    cri,
    {
      role: server.state === 'absent' ? 'worker' : 'control-plane',
      nodeName: config.nodeName,
      nodeIp: config.nodeIp,
      apiHost: undefined,
      criSocket: config.criSocket,
      podCidr: config.podCidr,
      serviceCidr: config.serviceCidr,
      ports: [],
      overlayPort: config.overlay.port,
      cniBinDirs: config.cni.binDirs,
      ownPids: [],
      isMember: true,
    },
    signal,
  );
  return {
    nodeName: config.nodeName,
    services: [
      { name: serverService, ...server },
      { name: agentService, ...agent },
    ],
    serviceKind: services.kind,
    preflight: judge(
      facts,
      [],
      checks.filter(({ id }) => lasting.has(id)),
    ),
    certificates,
  };
}

/** Those of the control plane, where there is one, and the agent's own. */
async function readCertificates(host: Host, agentCertDir: string): Promise<readonly CertificateFile[]> {
  const held = await readInventory(host, { certDir: paths.pki, kubeconfigDir: kubernetesDir });
  const own = await Promise.all(
    ['client', 'server'].map((purpose) => readAgentCertificate(host, `${agentCertDir}/kubelet-${purpose}-current.pem`)),
  );
  return [
    ...held
      .filter(({ certificate, problem }) => certificate !== undefined || problem !== undefined)
      .map(({ name, path, kind, certificate, problem }) => ({
        name,
        path: kind === 'kubeconfig' ? path : `${path}.crt`,
        kind,
        dates: certificate,
        problem,
      })),
    ...own.filter((file) => file !== undefined),
  ];
}

async function readAgentCertificate(host: Host, path: string): Promise<CertificateFile | undefined> {
  const pem = (await host.readFileIfExists(path))?.toString('utf8');
  if (pem === undefined) return undefined;
  const base = { name: 'kubelet', path, kind: 'agent' } as const;
  try {
    return { ...base, dates: parseCertificate(pem), problem: undefined };
  } catch (error) {
    return { ...base, dates: undefined, problem: messageOf(error) };
  }
}
