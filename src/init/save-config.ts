// Keeps what the cluster was described by, so that a run without --config and flags continues the one before it instead of
// making another cluster of it; and refuses what cannot be changed once the cluster has run. Tokens are not kept.

import { dump } from 'js-yaml';
import { CodedError } from '../base/index.ts';
import { type InitConfig, paths, type ServerConfig, serverConfigPath } from '../config/index.ts';
import type { Phase } from '../workflow/index.ts';
import type { InitContext } from './context.ts';

export const saveConfig: Phase<InitContext> = {
  name: 'save-config',
  title: 'Keeping the configuration',
  run: async ({ host, config, document }, progress) => {
    const before = await host.readFileIfExists(serverConfigPath);
    if (before !== undefined) {
      requireUnchanged(config, JSON.parse(before.toString('utf8')) as Partial<ServerConfig>);
      progress.report('this machine is a master already; what is missing is added');
    }
    const { bootstrapTokens: _tokens, skipPhases: _skip, ignorePreflightErrors: _ignore, ...kept } = document;
    await host.writeFile(paths.clusterDocument, dump(kept, { lineWidth: -1 }), { mode: 0o600 });
  },
};

/** Pods and Services have these addresses, the data is at that place, and certificates name this node. */
function requireUnchanged(config: InitConfig, have: Partial<ServerConfig>): void {
  const { cluster, node, datastore } = config;
  const fixed = [
    { name: 'networking.podCidr', is: have.podCidr, want: cluster.podCidr },
    { name: 'networking.serviceCidr', is: have.serviceCidr, want: cluster.serviceCidr },
    { name: 'networking.dnsDomain', is: have.clusterDomain, want: cluster.clusterDomain },
    { name: 'node.name', is: have.nodeName, want: node.name },
    {
      name: 'datastore',
      is: have.datastore?.kind === 'sqlite' ? `sqlite://${have.datastore.path}` : undefined,
      want: `sqlite://${datastore.path}`,
    },
  ].filter(({ is, want }) => is !== undefined && is !== want);
  if (fixed.length === 0) return;
  const lines = fixed.map(({ name, is, want }) => `  ${name} is ${is}, not ${want}`);
  throw new CodedError('CONFIG_FIXED', `this cannot be changed in a cluster that has run:\n${lines.join('\n')}`, {
    exit: 'invalidInput',
    hint: 'run k8ts init without these settings to continue; or k8ts reset, which ends this cluster and its data, first',
  });
}
