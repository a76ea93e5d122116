// Demands that this scheduler cannot judge, or the nodes' agents cannot meet. A pod that makes one stays pending with the
// demand named, because placing it as if it had not asked would break a promise that its author relies on.

import type { PodSpec } from '../../api/index.ts';
import { isEmpty } from '../pod-needs.ts';
import type { Filter } from './filter.ts';

export const unsupported = {
  name: 'Unsupported',
  helpedBy: [],
  prepare: ({ pod }) => {
    const demand = pod.spec === undefined ? undefined : whyUnsupported(pod.spec);
    return demand === undefined ? undefined : () => [demand];
  },
} as const satisfies Filter;

function whyUnsupported(spec: PodSpec): string | undefined {
  const { volumes = [], resourceClaims = [], affinity, containers = [], initContainers = [] } = spec;
  const ephemeral = volumes.find((volume) => volume.ephemeral !== undefined);
  if (ephemeral !== undefined) return `volume "${ephemeral.name}" is ephemeral: nobody makes its PersistentVolumeClaim`;
  if (resourceClaims.length > 0) return `resource claim "${resourceClaims[0]?.name}" is not placed by this scheduler`;
  for (const { name, env = [], lifecycle } of [...initContainers, ...containers]) {
    if (env.some(({ valueFrom }) => valueFrom?.fileKeyRef !== undefined)) {
      return `container "${name}" has a variable from a file (fileKeyRef), which no agent here reads`;
    }
    if (lifecycle?.stopSignal !== undefined) {
      return `container "${name}" wants a stop signal of its own (lifecycle.stopSignal), which no agent here sends`;
    }
  }
  const { podAffinity, podAntiAffinity } = affinity ?? {};
  const terms = [podAffinity, podAntiAffinity].flatMap((one) => [
    ...(one?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(one?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
  ]);
  const selective = terms.some(
    ({ namespaceSelector }) => namespaceSelector !== undefined && !isEmpty(namespaceSelector),
  );
  return selective
    ? 'pod affinity with a namespaceSelector that names labels is not placed by this scheduler'
    : undefined;
}
