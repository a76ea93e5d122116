// UDP has no end of connection: a client that keeps sending from one port keeps its conntrack entry alive, and with it the
// endpoint chosen once. When that endpoint is gone the entry has to be deleted. TCP clients notice by themselves.

import type { Host } from '../../host/index.ts';
import type { ServicePlan, UdpFlow } from './model.ts';

/** Flows of `before` that `now` no longer has. */
export function staleFlows(before: ServicePlan | undefined, now: ServicePlan): UdpFlow[] {
  const kept = new Set(now.udpFlows.map(flowId));
  return (before?.udpFlows ?? []).filter((flow) => !kept.has(flowId(flow)));
}

/** Arguments for conntrack(8) that delete the entries of one flow. */
export function deleteFlow({ address, port, endpoint }: UdpFlow): string[] {
  const original = address === undefined ? [] : ['--orig-dst', address];
  const [endpointAddress = ''] = endpoint.split(' . ');
  return ['-D', '-p', 'udp', ...original, '--orig-port-dst', String(port), '--dst-nat', endpointAddress];
}

export async function deleteFlows(host: Host, flows: readonly UdpFlow[], signal: AbortSignal): Promise<void> {
  for (const flow of flows) {
    // Exit code 1: there was no such entry.
    await host.run('conntrack', deleteFlow(flow), { accept: [1], signal });
  }
}

function flowId({ address = '', port, endpoint }: UdpFlow): string {
  return `${address} ${port} ${endpoint}`;
}
