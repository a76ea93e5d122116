// Label and taint that say what this node is. The taint was given to the agent as well, so that no pod slips in between
// registration and this phase; the label must come from here, because a node may not give itself a role
// (NodeRestriction admission).

import { kinds, type Taint } from '../api/index.ts';
import { startDeadline, waitForNode } from '../bootstrap/index.ts';
import { agentService, controlPlaneLabel } from '../config/index.ts';
import type { Phase } from '../workflow/index.ts';
import type { InitContext } from './context.ts';

const labels = { [controlPlaneLabel]: '', 'node.kubernetes.io/exclude-from-external-load-balancers': '' };

export const markControlPlane: Phase<InitContext> = {
  name: 'mark-control-plane',
  title: 'Marking the node as control plane',
  run: async ({ config, services, client: connect }, progress) => {
    const client = await connect();
    const { name, taints } = config.node;
    await waitForNode({ client, services, service: agentService, node: name, progress, deadline: startDeadline });
    const node = await client.get(kinds.node, { name }, { signal: progress.signal });
    const have = node.spec?.taints ?? [];
    const missing = taints.filter(
      (want) => !have.some(({ key, effect }) => key === want.key && effect === want.effect),
    );
    const all: readonly Taint[] = [
      ...have,
      ...missing.map(({ key, value, effect }) => ({ key, effect, ...(value === undefined ? {} : { value }) })),
    ];
    const patch = { metadata: { labels }, ...(missing.length === 0 ? {} : { spec: { taints: all } }) };
    await client.patch(kinds.node, { name }, 'merge', patch, { signal: progress.signal });
  },
};
