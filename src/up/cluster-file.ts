// The file that `k8ts up` is told a whole cluster by: its machines, how to reach them, and what the cluster shall be. Secrets
// are never in it: it says where they are (an environment variable or a file), so that it can be kept in version control.
//
//   apiVersion: k8ts.dev/v1
//   kind: Cluster
//   metadata: { name: lab }
//   ssh: { user: admin, key: ~/.ssh/id_ed25519 }
//   hosts:
//     - { name: master, address: 192.0.2.10, role: control-plane }
//     - { name: node1, address: 192.0.2.11, labels: { disk: ssd } }

import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { load } from 'js-yaml';
import * as z from 'zod';
import { CodedError, messageOf } from '../base/index.ts';
import { clusterDocument, nodeNameSchema, parseDocument } from '../config/index.ts';

const nodeShape = clusterDocument.shape.node.unwrap().shape;

const secret = z
  .union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })])
  .describe('Where a secret is: { env: NAME } or { file: PATH }.');
const sshName = z.string().regex(/^[A-Za-z0-9._:-]+$/, 'must be an address or a name');
const hostKey = z
  .string()
  .regex(/^SHA256:[A-Za-z0-9+/]{43}$/, 'must be SHA256: and 43 characters, as ssh-keygen -l prints it');

const access = {
  port: z.int().min(1).max(65535).optional().describe('TCP port of sshd. Default 22.'),
  user: z.string().min(1).optional().describe('Who logs in. Default root.'),
  key: z
    .string()
    .min(1)
    .optional()
    .describe('Private key file. Default: the agent, then ~/.ssh/id_ed25519 and others.'),
  passphraseFrom: secret.optional().describe('Passphrase of the key.'),
  passwordFrom: secret.optional().describe('Password to log in with.'),
} as const;

const machineAccess = {
  ...access,
  sudo: z.boolean().optional().describe('Become root with sudo. Default: unless the user is root.'),
  sudoPasswordFrom: secret.optional().describe("Password that sudo asks for. Default: it doesn't."),
} as const;

const bastion = z.strictObject({
  address: sshName.describe('Address or name.'),
  hostKey: hostKey.optional().describe('Fingerprint of its key. Default: known_hosts.'),
  ...access,
});

const host = z.strictObject({
  name: nodeNameSchema.optional().describe('Name of the Node object. Default: its host name in lower case.'),
  address: sshName.describe('Address or name that it is reached by over SSH.'),
  role: z.enum(['control-plane', 'worker']).optional().describe('Default worker.'),
  hostKey: hostKey.optional().describe('Fingerprint of its key, SHA256:…. Default: known_hosts.'),
  ...machineAccess,
  bastion: bastion.optional().describe('Machine that it is reached through.'),
  nodeIp: nodeShape.ip.describe('Address that other nodes reach it by. Default: that of its way to the API server.'),
  labels: nodeShape.labels.describe('Labels of the node; one that is taken out here is taken off the node.'),
  taints: nodeShape.taints.describe('Taints of the node. Default: NoSchedule on the control plane, none elsewhere.'),
});

const clusterFile = z.strictObject({
  apiVersion: z.literal('k8ts.dev/v1').describe('Version of this format.'),
  kind: z.literal('Cluster').describe('What k8ts up reads.'),
  metadata: z.strictObject({ name: nodeNameSchema.describe('Name of the context in kubeconfigs.') }),
  ssh: z
    .strictObject({ ...machineAccess, bastion: bastion.optional() })
    .optional()
    .describe('What counts for every host that does not say otherwise.'),
  hosts: z.array(host).min(1).describe('The machines.'),
  cluster: clusterDocument
    .omit({ apiVersion: true, kind: true, node: true })
    .optional()
    .describe('What k8ts init is told: the fields of ClusterConfiguration.'),
});

export type ClusterFile = z.infer<typeof clusterFile>;
export type SecretPlace = z.infer<typeof secret>;
export type FileHost = z.infer<typeof host>;
export type FileBastion = z.infer<typeof bastion>;

/** @throws CodedError CONFIG_UNREADABLE, CONFIG_INVALID, HOSTS_AMBIGUOUS, CONTROL_PLANES_UNSUPPORTED */
export function parseClusterFile(yaml: string, source: string): ClusterFile {
  let value: unknown;
  try {
    value = load(yaml);
  } catch (error) {
    throw new CodedError('CONFIG_UNREADABLE', `${source} is not YAML: ${messageOf(error).split('\n', 1)[0]}`, {
      exit: 'invalidInput',
      cause: error,
    });
  }
  const file = parseDocument(clusterFile, value, source);
  requireOneMaster(file, source);
  requireDistinct(file, source);
  return file;
}

/** ~ is the home folder; other relative paths start at the cluster file. */
export function pathFrom(source: string, path: string): string {
  if (path === '~' || path.startsWith('~/')) return join(homedir(), path.slice(1));
  return resolve(dirname(source), path);
}

function requireOneMaster({ hosts }: ClusterFile, source: string): void {
  const masters = hosts.filter(({ role }) => role === 'control-plane');
  if (masters.length === 1) return;
  const which = masters.map(({ name, address }) => name ?? address).join(', ');
  throw new CodedError(
    'CONTROL_PLANES_UNSUPPORTED',
    masters.length === 0
      ? `${source} has no host with role: control-plane`
      : `${source} has ${masters.length} hosts with role: control-plane (${which}); several need a store that they share, which k8ts does not have yet`,
    { exit: 'invalidInput', hint: 'give exactly one host role: control-plane' },
  );
}

function requireDistinct({ hosts, ssh }: ClusterFile, source: string): void {
  const twice = (values: readonly string[]): string | undefined => values.find((one, at) => values.indexOf(one) !== at);
  const same =
    twice(hosts.flatMap(({ name }) => (name === undefined ? [] : [`name ${name}`]))) ??
    twice(
      hosts.map(
        ({ address, port, bastion: over }) => `address ${address}:${port ?? ssh?.port ?? 22} ${over?.address ?? ''}`,
      ),
    );
  if (same === undefined) return;
  throw new CodedError('HOSTS_AMBIGUOUS', `${source} has two hosts with the ${same.trim()}`, {
    exit: 'invalidInput',
    hint: 'each machine stands in the file once',
  });
}
