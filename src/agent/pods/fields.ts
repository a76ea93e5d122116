// The downward API: what a pod may ask about itself, as text, for environment variables and files.
// Source: kubernetes.io/docs/concepts/workloads/pods/downward-api.

import { type Container, type Pod, parseQuantity, quantityMilliValue, quantityValue } from '../../api/index.ts';
import { allContainers } from './identity.ts';

export interface FieldSources {
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
  /** Stands in for limits that a container does not have. */
  readonly allocatable: Readonly<Record<string, string>>;
}

/** Throws Error with upstream's sentence when there is no such field. */
export function podField(pod: Pod, path: string, sources: FieldSources): string {
  const { metadata, spec } = pod;
  const keyed = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path);
  if (keyed !== null) return (keyed[1] === 'labels' ? metadata?.labels : metadata?.annotations)?.[keyed[2] ?? ''] ?? '';
  switch (path) {
    case 'metadata.name':
      return metadata?.name ?? '';
    case 'metadata.namespace':
      return metadata?.namespace ?? '';
    case 'metadata.uid':
      return metadata?.uid ?? '';
    case 'metadata.labels':
      return quotedLines(metadata?.labels);
    case 'metadata.annotations':
      return quotedLines(metadata?.annotations);
    case 'spec.nodeName':
      return spec?.nodeName ?? '';
    case 'spec.serviceAccountName':
      return spec?.serviceAccountName ?? '';
    case 'status.hostIP':
      return sources.hostIps[0] ?? '';
    case 'status.hostIPs':
      return sources.hostIps.join(',');
    case 'status.podIP':
      return sources.podIps[0] ?? '';
    case 'status.podIPs':
      return sources.podIps.join(',');
    default:
      throw new Error(`unsupported fieldPath: ${path}`);
  }
}

type ResourceRef = { readonly resource: string; readonly containerName?: string; readonly divisor?: string };

/** `limits.cpu`, `requests.memory` and so on, in units of the divisor, rounded up. */
export function containerField(pod: Pod, own: Container, ref: ResourceRef, { allocatable }: FieldSources): string {
  const container = allContainers(pod).find(({ name }) => name === ref.containerName) ?? own;
  const [kind = '', ...rest] = ref.resource.split('.');
  const resource = rest.join('.');
  if (kind !== 'limits' && kind !== 'requests') throw new Error(`unsupported container resource: ${ref.resource}`);
  const limit = container.resources?.limits?.[resource];
  const amount =
    kind === 'limits' ? (limit ?? allocatable[resource]) : (container.resources?.requests?.[resource] ?? limit);
  const value = parseQuantity(amount ?? '0');
  const divisor = parseQuantity(ref.divisor === undefined || ref.divisor === '0' ? '1' : ref.divisor);
  if (resource === 'cpu') return String(Math.ceil(quantityMilliValue(value) / quantityMilliValue(divisor)));
  return String(Math.ceil(quantityValue(value) / quantityValue(divisor)));
}

function quotedLines(map: Readonly<Record<string, string>> = {}): string {
  return Object.keys(map)
    .sort()
    .map((key) => `${key}=${JSON.stringify(map[key])}`)
    .join('\n');
}
