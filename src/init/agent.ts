// The master's own node agent. Where the CA's key is elsewhere it joins as every other machine does: with a bootstrap token
// and a certificate request, which somebody has to answer.

import { startAgent } from '../bootstrap/index.ts';
import { paths } from '../config/index.ts';
import { buildKubeconfig } from '../kubeconfig/index.ts';
import { formatToken } from '../tokens/index.ts';
import type { Phase } from '../workflow/index.ts';
import { type InitContext, joinToken } from './context.ts';

export const agent: Phase<InitContext> = {
  name: 'kubelet-start',
  title: 'Starting the node agent',
  run: async ({ host, services, program, config, tokens }) => {
    const caPem = (await host.readFile(paths.caFile)).toString('utf8');
    await startAgent({
      host,
      services,
      program,
      cluster: config.cluster,
      node: config.node,
      caPem,
      bootstrapKubeconfig: buildKubeconfig({
        server: `https://${config.cluster.controlPlaneEndpoint}`,
        user: 'tls-bootstrap-token-user',
        ca: { text: caPem },
        token: { text: formatToken(joinToken(tokens).token) },
      }),
    });
  },
};
