// Waits until this node is Ready: a cluster whose first node is not would be handed over broken.

import { startDeadline, waitForReady } from '../bootstrap/index.ts';
import { agentService } from '../config/index.ts';
import type { Phase } from '../workflow/index.ts';
import type { InitContext } from './context.ts';

export const waitNode: Phase<InitContext> = {
  name: 'wait-node',
  title: 'Waiting for the node to be Ready',
  run: async ({ config, services, client }, progress) =>
    waitForReady({
      client: await client(),
      services,
      service: agentService,
      node: config.node.name,
      progress,
      deadline: startDeadline,
    }),
};
