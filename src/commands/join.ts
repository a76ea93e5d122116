import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { CodedError } from '../base/index.ts';
import { createClient } from '../client/index.ts';
import {
  criSocketSchema,
  defaultCriSocket,
  hostNameOf,
  nodeNameSchema,
  parseDocument,
  socketUrl,
  whyNotAddress,
} from '../config/index.ts';
import { type JoinContext, joinPhases } from '../join/index.ts';
import { formatToken, parseToken } from '../tokens/index.ts';
import { createReporter, runPhases } from '../workflow/index.ts';
import { list, machineFlags } from './flags.ts';
import { openMachine, requireRoot } from './machine.ts';
import { K8tsCommand } from './oclif.ts';

const { 'dry-run': _dryRun, ...joinFlags } = machineFlags;

export default class Join extends K8tsCommand {
  static override description =
    'Verifies the cluster by token and CA hash before anything is sent or changed, then starts the node agent, which asks for its own certificate. Run again, it continues where it was stopped.';
  static override examples = [
    '$ k8ts join 192.0.2.10:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:…',
  ];
  static override args = {
    endpoint: Args.string({ required: true, description: 'host:port of the API server; port 6443 if left out' }),
  };
  static override flags = {
    ...joinFlags,
    token: Flags.string({ summary: 'Bootstrap token', required: true }),
    'discovery-token-ca-cert-hash': list("Hash of the cluster's CA, sha256:…; may be repeated"),
    'discovery-token-unsafe-skip-ca-verification': Flags.boolean({ summary: 'Trust whoever knows the token' }),
    'node-ip': Flags.string({ summary: 'Address of this node; default: the one it sends from to the API server' }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Join);
    const token = parseToken(flags.token);
    const hashes = flags['discovery-token-ca-cert-hash'] ?? [];
    const skipCaVerification = flags['discovery-token-unsafe-skip-ca-verification'];
    requireHashes(hashes, skipCaVerification);
    const criSocket = parseDocument(criSocketSchema, flags['cri-socket'] ?? defaultCriSocket, '--cri-socket');
    const nodeIp = flags['node-ip'];
    if (nodeIp !== undefined) requireAddress(nodeIp);
    requireRoot('join');
    const machine = await openMachine({ manager: flags['service-manager'], verbosity: flags.v, installs: true });
    const name = flags['node-name'] ?? (await hostNameOf(machine.host));
    const reporter = createReporter();
    const context: JoinContext = {
      ...machine,
      endpoint: endpointOf(args.endpoint),
      token,
      caCertHashes: hashes,
      skipCaVerification,
      nodeName: parseDocument(nodeNameSchema, name, 'the node name (--node-name)'),
      nodeIp,
      criSocket: socketUrl(criSocket),
      labels: {},
      taints: [],
      ignoredChecks: flags['ignore-preflight-errors'] ?? [],
      connect: async ({ server, caPem }, { id, secret }) =>
        createClient({ server, ca: caPem, token: formatToken({ id, secret }), retries: 1 }),
      say: (line) => reporter.say(line),
      found: {},
    };
    try {
      await runPhases(joinPhases, context, { reporter, signal: this.signal, skip: flags['skip-phases'] ?? [] });
    } finally {
      await context.found.client?.close();
    }
  }
}

/** kubeadm takes host:port; a URL is what people paste from a kubeconfig. */
function endpointOf(text: string): string {
  const bare = text.replace(/^https:\/\//, '').replace(/\/$/, '');
  if (/^[A-Za-z0-9][-.A-Za-z0-9]*(:\d{1,5})?$/.test(bare)) return bare.includes(':') ? bare : `${bare}:6443`;
  throw new CodedError('ENDPOINT_INVALID', `"${text}" is not host:port`, {
    exit: 'invalidInput',
    hint: 'paste the join command as the master printed it: k8ts token create --print-join-command',
  });
}

function requireHashes(hashes: readonly string[], skip: boolean): void {
  const hint = 'paste the join command as the master printed it: k8ts token create --print-join-command';
  const bad = hashes.find((hash) => !/^sha256:[0-9a-f]{64}$/.test(hash));
  if (bad !== undefined) {
    throw new CodedError('CA_HASH_INVALID', `"${bad}" is not sha256: and 64 hexadecimal digits`, {
      exit: 'invalidInput',
      hint,
    });
  }
  if (hashes.length > 0 || skip) return;
  throw new CodedError('CA_HASH_MISSING', '--discovery-token-ca-cert-hash is missing', { exit: 'invalidInput', hint });
}

function requireAddress(text: string): void {
  const problem = whyNotAddress(text);
  if (problem !== undefined) throw new CodedError('ADDRESS_INVALID', `--node-ip ${problem}`, { exit: 'invalidInput' });
}
