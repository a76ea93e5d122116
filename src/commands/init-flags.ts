// The flags of init and of init phase: kubeadm's, and what they make of the configuration. A flag wins over the file, and the
// file over what the last run was told.

import * as Flags from '@oclif/core/flags';
import { CodedError, codeOf } from '../base/index.ts';
import {
  type ClusterDocument,
  emptyClusterDocument,
  type Given,
  paths,
  readInitFile,
  whyNotServed,
} from '../config/index.ts';
import type { Host } from '../host/index.ts';
import { given, readConfigFile } from './config-file.ts';
import { list, machineFlags, refusedSwitch, refusedText, sameAs, unsupported } from './flags.ts';

const oneMaster = 'certificates are handed to other masters with it, and there is one master';

export const initFlags = {
  ...machineFlags,
  config: Flags.string({ summary: "File with k8ts's or kubeadm's documents; flags win over it" }),
  'apiserver-advertise-address': Flags.string({
    summary: 'Address that other machines reach this one by; default: that of the default route',
  }),
  'apiserver-bind-port': Flags.integer({ summary: 'Port of the API server; default 6443' }),
  'apiserver-cert-extra-sans': list('More names and addresses for the serving certificate'),
  'control-plane-endpoint': Flags.string({
    summary: 'Stable name or address of the control plane, with or without port',
  }),
  datastore: Flags.string({ summary: 'Where state is kept; default sqlite:///var/lib/k8ts/server/state.db' }),
  'pod-network-cidr': Flags.string({ summary: 'Addresses of pods; default 10.244.0.0/16' }),
  'service-cidr': Flags.string({ summary: 'Addresses of Services; default 10.96.0.0/12' }),
  'service-dns-domain': Flags.string({ summary: 'Domain of Services; default cluster.local' }),
  token: Flags.string({ summary: 'Bootstrap token to use, [a-z0-9]{6}.[a-z0-9]{16}; default: a random one' }),
  'token-ttl': Flags.string({ summary: 'How long the token is valid; 0: for ever; default 24h0m0s' }),
  'skip-token-print': Flags.boolean({ summary: 'Do not show the bootstrap token at the end' }),
  'kubernetes-version': Flags.string({
    hidden: true,
    parse: async (value) => {
      const why = whyNotServed(value);
      if (why !== undefined) throw unsupported('kubernetes-version', why);
      return value;
    },
  }),
  'cert-dir': sameAs('cert-dir', ['/etc/kubernetes/pki'], 'certificates are kept in /etc/kubernetes/pki'),
  'certificate-key': refusedText('certificate-key', oneMaster),
  'upload-certs': refusedSwitch('upload-certs', oneMaster),
  'feature-gates': refusedText('feature-gates', 'k8ts has no feature gates'),
  patches: refusedText('patches', 'the control plane is a service of the machine, not pods'),
  rootfs: refusedText('rootfs', 'k8ts works on the machine that it runs on'),
  'image-repository': Flags.string({ hidden: true }),
  'skip-certificate-key-print': Flags.boolean({ hidden: true }),
} as const;

export interface InitFlags {
  readonly config?: string | undefined;
  readonly 'apiserver-advertise-address'?: string | undefined;
  readonly 'apiserver-bind-port'?: number | undefined;
  readonly 'apiserver-cert-extra-sans'?: readonly string[] | undefined;
  readonly 'control-plane-endpoint'?: string | undefined;
  readonly datastore?: string | undefined;
  readonly 'pod-network-cidr'?: string | undefined;
  readonly 'service-cidr'?: string | undefined;
  readonly 'service-dns-domain'?: string | undefined;
  readonly token?: string | undefined;
  readonly 'token-ttl'?: string | undefined;
  readonly 'skip-token-print': boolean;
  readonly 'image-repository'?: string | undefined;
  readonly 'cri-socket'?: string | undefined;
  readonly 'node-name'?: string | undefined;
  readonly 'ignore-preflight-errors'?: readonly string[] | undefined;
  readonly 'skip-phases'?: readonly string[] | undefined;
  readonly 'service-manager': 'auto' | 'systemd' | 'supervisor';
  readonly fix: boolean;
  readonly 'dry-run': boolean;
  readonly v: number;
}

/** What the cluster shall be: the file or the last run's document, with the flags laid over it. */
export async function initDocument(
  flags: InitFlags,
  host: Pick<Host, 'readFileIfExists'>,
): Promise<Given<ClusterDocument>> {
  const base = await baseDocument(flags.config, host);
  const unused =
    flags['image-repository'] === undefined ? [] : ['--image-repository has no effect: init uses no images'];
  return { document: layOver(base.document, flags), warnings: [...base.warnings, ...unused] };
}

/** The document of --config, or of the last run. */
export async function baseDocument(
  config: string | undefined,
  host: Pick<Host, 'readFileIfExists'>,
): Promise<Given<ClusterDocument>> {
  if (config !== undefined) return readInitFile(await readConfigFile(config), config);
  const kept = await host.readFileIfExists(paths.clusterDocument).catch(onlyForRoot);
  if (kept === undefined) return { document: emptyClusterDocument, warnings: [] };
  return readInitFile(kept.toString('utf8'), paths.clusterDocument);
}

/** A dry run needs no root, but what the last run was told does. */
function onlyForRoot(error: unknown): never {
  if (codeOf(error) !== 'EACCES') throw error;
  throw new CodedError('CONFIG_UNREADABLE', `${paths.clusterDocument}, which init would continue with, is root's`, {
    exit: 'invalidInput',
    hint: 'sudo k8ts init …, or give --config',
    cause: error,
  });
}

function layOver(file: ClusterDocument, flags: InitFlags): ClusterDocument {
  const token = given({ token: flags.token, ttl: flags['token-ttl'] });
  const [first = {}, ...more] = file.bootstrapTokens ?? [];
  const hasToken = Object.keys(token).length > 0;
  return {
    ...file,
    ...given({
      controlPlaneEndpoint: flags['control-plane-endpoint'],
      datastore: flags.datastore,
      skipPhases: mutable(flags['skip-phases']),
      ignorePreflightErrors: mutable(flags['ignore-preflight-errors']),
    }),
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
      ...given({
        advertiseAddress: flags['apiserver-advertise-address'],
        bindPort: flags['apiserver-bind-port'],
        certSans: mutable(flags['apiserver-cert-extra-sans']),
      }),
    },
    node: { ...file.node, ...given({ name: flags['node-name'], criSocket: flags['cri-socket'] }) },
    ...(hasToken ? { bootstrapTokens: [{ ...first, ...token }, ...more] } : {}),
  };
}

function mutable(words: readonly string[] | undefined): string[] | undefined {
  return words === undefined ? undefined : [...words];
}
