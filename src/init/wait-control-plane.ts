// Waits until the API server is ready, and says meanwhile what it waits for.

import { startDeadline, waitForApi } from '../bootstrap/index.ts';
import { serverService } from '../config/index.ts';
import type { Phase } from '../workflow/index.ts';
import type { InitContext } from './context.ts';

export const waitControlPlane: Phase<InitContext> = {
  name: 'wait-control-plane',
  title: 'Waiting for the API server',
  run: async ({ services, client }, progress) =>
    waitForApi({ client: await client(), services, service: serverService, progress, deadline: startDeadline }),
};
