// Reading and writing the files in daemons.ts. Checked when read too: a hand-edited file fails at start with the field's
// name, not later in the middle of something.

import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { CodedError, messageOf } from '../base/index.ts';
import { apiServerSettingsSchema } from './api-server.ts';
import type { AgentConfig, ServerConfig } from './daemons.ts';
import { parseDocument } from './schema-errors.ts';

export const serverConfigPath = '/etc/k8ts/server.json';
export const agentConfigPath = '/etc/k8ts/agent.json';

const serverSchema = z.strictObject({
  nodeName: z.string(),
  advertiseAddress: z.string(),
  bindAddress: z.string(),
  bindPort: z.int().min(0).max(65535),
  controlPlaneEndpoint: z.string(),
  certDir: z.string(),
  kubeconfigDir: z.string(),
  datastore: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('sqlite'), path: z.string() }),
    z.strictObject({ kind: z.literal('memory') }),
  ]),
  serviceCidr: z.string(),
  podCidr: z.string(),
  clusterDomain: z.string(),
  controllers: z.union([z.literal('all'), z.literal('none'), z.array(z.string())]),
  scheduler: z.boolean(),
  archiveDir: z.string().optional(),
  apiServer: apiServerSettingsSchema.optional(),
}) satisfies z.ZodType<ServerConfig>;

const agentSchema = z.strictObject({
  nodeName: z.string(),
  nodeIp: z.string(),
  kubeconfig: z.string(),
  bootstrapKubeconfig: z.string(),
  certDir: z.string(),
  caFile: z.string(),
  criSocket: z.string(),
  dataDir: z.string(),
  serviceCidr: z.string(),
  podCidr: z.string(),
  clusterDns: z.string(),
  clusterDomain: z.string(),
  bindAddress: z.string(),
  port: z.int().min(0).max(65535),
  taints: z.array(
    z.strictObject({ key: z.string(), value: z.string().optional(), effect: z.string() }) as z.ZodType<
      AgentConfig['taints'][number]
    >,
  ),
  labels: z.record(z.string(), z.string()),
  maxPods: z.int().positive(),
  overlay: z.strictObject({ backend: z.literal('vxlan'), vni: z.int(), port: z.int() }),
  serviceProxy: z.enum(['nftables', 'off']),
  dns: z.enum(['on', 'off']),
  cni: z.strictObject({ confDir: z.string(), binDirs: z.array(z.string()) }),
}) satisfies z.ZodType<AgentConfig>;

/** @throws CodedError CONFIG_UNREADABLE, CONFIG_INVALID */
export async function loadServerConfig(path: string = serverConfigPath): Promise<ServerConfig> {
  return parseDocument(serverSchema, await readJson(path), path);
}

/** @throws CodedError CONFIG_UNREADABLE, CONFIG_INVALID */
export async function loadAgentConfig(path: string = agentConfigPath): Promise<AgentConfig> {
  return parseDocument(agentSchema, await readJson(path), path);
}

/** What server.json holds. @throws CodedError CONFIG_INVALID */
export function formatServerConfig(config: ServerConfig): string {
  return format(parseDocument(serverSchema, config, serverConfigPath));
}

/** What agent.json holds. @throws CodedError CONFIG_INVALID */
export function formatAgentConfig(config: AgentConfig): string {
  return format(parseDocument(agentSchema, config, agentConfigPath));
}

function format(config: ServerConfig | AgentConfig): string {
  return `${JSON.stringify(config, null, 2)}\n`;
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new CodedError('CONFIG_UNREADABLE', `${path} cannot be read: ${messageOf(error)}`, {
      exit: 'invalidInput',
      hint: '`k8ts init` and `k8ts join` write it; run them, or pass --config with the right path',
      cause: error,
    });
  }
}
