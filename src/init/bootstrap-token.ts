// The tokens that machines join with, and the signed cluster-info that they find the cluster by. The API server makes the
// kubeadm:* roles for bootstrap tokens itself at each start. cluster-info is signed for these tokens here, so that a join may
// follow at once; the bootstrap signer keeps the signatures up to date afterwards.

import { type ConfigMap, kinds, type Secret } from '../api/index.ts';
import { ensureObject } from '../bootstrap/index.ts';
import { paths } from '../config/index.ts';
import { clusterInfoConfigMap, clusterInfoKubeconfig, tokenSecret } from '../tokens/index.ts';
import type { Phase } from '../workflow/index.ts';
import type { InitContext } from './context.ts';

export const bootstrapToken: Phase<InitContext> = {
  name: 'bootstrap-token',
  title: 'Making the bootstrap token and cluster-info',
  run: async ({ config, host, client: connect, tokens }, { signal }) => {
    const client = await connect();
    for (const { token, ...options } of tokens) {
      await ensureObject<Secret>(client, kinds.secret, tokenSecret(token, options), signal);
    }
    const server = `https://${config.cluster.controlPlaneEndpoint}`;
    const caPem = (await host.readFile(paths.caFile)).toString('utf8');
    const signing = tokens.filter(({ usages }) => usages?.includes('signing') ?? true).map(({ token }) => token);
    const want = clusterInfoConfigMap(clusterInfoKubeconfig({ server, caPem }), signing);
    await ensureObject<ConfigMap>(client, kinds.configMap, want, signal, (have) => withSignaturesOf(have, want));
  },
};

/** Signatures for other tokens stay good as long as what is signed stays the same. */
function withSignaturesOf(have: ConfigMap, want: ConfigMap): ConfigMap {
  if (have.data?.['kubeconfig'] !== want.data?.['kubeconfig']) return want;
  return { ...want, data: { ...have.data, ...want.data } };
}
