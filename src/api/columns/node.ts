// The columns of Nodes and Namespaces.

import type { Column } from '../kind.ts';
import type { Namespace, Node } from '../types.ts';
import { age, orNone, text, wide } from './column.ts';

const rolePrefix = 'node-role.kubernetes.io/';

export const nodeColumns: readonly Column<Node>[] = [
  text('Status', 'Whether the node is ready and takes pods.', ({ spec, status }) => {
    const ready = (status?.conditions ?? []).find(({ type }) => type === 'Ready');
    const word = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
    return spec?.unschedulable === true ? `${word},SchedulingDisabled` : word;
  }),
  text('Roles', 'Roles from the node-role.kubernetes.io labels.', ({ metadata }) => {
    const roles = Object.entries(metadata?.labels ?? {}).flatMap(([key, value]) => {
      if (key.startsWith(rolePrefix) && key.length > rolePrefix.length) return [key.slice(rolePrefix.length)];
      return key === 'kubernetes.io/role' && value !== '' ? [value] : [];
    });
    return orNone([...new Set(roles)].sort().join(','));
  }),
  age,
  text('Version', 'Version of the node agent.', ({ status }) => status?.nodeInfo?.kubeletVersion ?? ''),
  wide('Internal-IP', 'Address inside the cluster.', (node) => addressOf(node, 'InternalIP')),
  wide('External-IP', 'Address outside the cluster.', (node) => addressOf(node, 'ExternalIP')),
  wide('OS-Image', 'Operating system.', ({ status }) => status?.nodeInfo?.osImage || '<unknown>'),
  wide('Kernel-Version', 'Kernel.', ({ status }) => status?.nodeInfo?.kernelVersion || '<unknown>'),
  wide(
    'Container-Runtime',
    'Container runtime.',
    ({ status }) => status?.nodeInfo?.containerRuntimeVersion || '<unknown>',
  ),
];

function addressOf({ status }: Node, wanted: string): string {
  return orNone((status?.addresses ?? []).find(({ type }) => type === wanted)?.address);
}

export const namespaceColumns: readonly Column<Namespace>[] = [
  text('Status', 'Active, or Terminating while it is being emptied.', ({ status }) => status?.phase ?? ''),
  age,
];
