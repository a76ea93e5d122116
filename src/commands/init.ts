import { readFile } from 'node:fs/promises';
import * as Flags from '@oclif/core/flags';
import type * as Interfaces from '@oclif/core/interfaces';
import { CodedError, messageOf } from '../base/index.ts';
import { type ApiClient, clientFromKubeconfig } from '../client/index.ts';
import { type ClusterDocument, kubernetesDir, readInitFile, resolveInitConfig } from '../config/index.ts';
import { createLocalHost } from '../host/index.ts';
import { type InitContext, initPhases } from '../init/index.ts';
import { generateToken, parseDuration, parseToken } from '../tokens/index.ts';
import { createReporter, runPhases } from '../workflow/index.ts';
import { createDryRun } from './dry-run.ts';
import { list, machineFlags } from './flags.ts';
import { openMachine, programToInstall, requireRoot } from './machine.ts';
import { K8tsCommand } from './oclif.ts';

export default class Init extends K8tsCommand {
  static override description =
    'Checks the machine, writes certificates, starts the control plane and the node agent, and prints the command that adds machines. Run again, it continues where it was stopped.';
  static override examples = [
    '$ k8ts init',
    '$ k8ts init --apiserver-advertise-address 192.0.2.10 --node-name master',
    '$ k8ts init --control-plane-endpoint api.example.org:6443 --pod-network-cidr 10.32.0.0/16',
    '$ k8ts init --config cluster.yaml --dry-run',
  ];
  static override flags = {
    ...machineFlags,
    config: Flags.string({ summary: 'k8ts.dev/v1 ClusterConfiguration file; flags win over it' }),
    'apiserver-advertise-address': Flags.string({
      summary: 'Address that other machines reach this one by; default: that of the default route',
    }),
    'apiserver-bind-port': Flags.integer({ summary: 'Port of the API server; default 6443' }),
    'apiserver-cert-extra-sans': list('More names and addresses for the serving certificate'),
    'control-plane-endpoint': Flags.string({
      summary: 'Stable name or address of the control plane, with or without port',
    }),
    'pod-network-cidr': Flags.string({ summary: 'Addresses of pods; default 10.244.0.0/16' }),
    'service-cidr': Flags.string({ summary: 'Addresses of Services; default 10.96.0.0/12' }),
    'service-dns-domain': Flags.string({ summary: 'Domain of Services; default cluster.local' }),
    token: Flags.string({ summary: 'Bootstrap token to use, [a-z0-9]{6}.[a-z0-9]{16}; default: a random one' }),
    'token-ttl': Flags.string({ summary: 'How long the token is valid; 0: for ever', default: '24h0m0s' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Init);
    const tokenTtl = parseDuration(flags['token-ttl']);
    const token = flags.token === undefined ? generateToken() : parseToken(flags.token);
    const local = createLocalHost();
    const config = await resolveInitConfig(local, await documentOf(flags), 'the configuration');
    const reporter = createReporter();
    const dry = flags['dry-run'] ? createDryRun(local, config.node.name) : undefined;
    if (dry === undefined) requireRoot('init');
    const machine =
      dry === undefined
        ? await openMachine({ manager: flags['service-manager'], verbosity: flags.v, installs: true })
        : { ...dry, ...(await programToInstall()) };
    let client: ApiClient | undefined = dry?.client;
    const context: InitContext = {
      ...machine,
      config,
      token,
      tokenTtl,
      ignoredChecks: flags['ignore-preflight-errors'] ?? [],
      say: (line) => reporter.say(line),
      client: async () => {
        const path = `${kubernetesDir}/super-admin.conf`;
        client ??= await clientFromKubeconfig((await machine.host.readFile(path)).toString('utf8'), { retries: 0 });
        return client;
      },
    };
    // A dry run has no join command to show.
    const skip = [...(flags['skip-phases'] ?? []), ...(dry === undefined ? [] : ['show-join-command'])];
    try {
      await runPhases(initPhases, context, { reporter, signal: this.signal, skip });
    } finally {
      await client?.close();
    }
    if (dry !== undefined)
      this.print(['This would be done:', ...dry.transcript().map((step) => `  ${step}`)].join('\n'));
  }
}

type InitFlags = Interfaces.InferredFlags<typeof Init.flags>;

/** The file's document with the flags laid over it. */
async function documentOf(flags: InitFlags): Promise<ClusterDocument> {
  const file: ClusterDocument =
    flags.config === undefined
      ? { apiVersion: 'k8ts.dev/v1', kind: 'ClusterConfiguration' }
      : readInitFile(await readConfig(flags.config), flags.config).document;
  const sans = flags['apiserver-cert-extra-sans'] ?? [];
  return {
    ...file,
    ...given({ controlPlaneEndpoint: flags['control-plane-endpoint'] }),
    networking: {
      ...file.networking,
      ...given({
        podCidr: flags['pod-network-cidr'],
        serviceCidr: flags['service-cidr'],
        dnsDomain: flags['service-dns-domain'],
      }),
    },
    apiServer: {
      ...file.apiServer,
      ...given({ advertiseAddress: flags['apiserver-advertise-address'], bindPort: flags['apiserver-bind-port'] }),
      ...(sans.length === 0 ? {} : { certSans: sans }),
    },
    node: { ...file.node, ...given({ name: flags['node-name'], criSocket: flags['cri-socket'] }) },
  };
}

function given<T extends object>(fields: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

async function readConfig(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CodedError('CONFIG_UNREADABLE', `${path} cannot be read: ${messageOf(error)}`, { exit: 'invalidInput' });
  }
}
