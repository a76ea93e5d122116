// Whether an APIService's server can be asked, and where it listens: judged from the Service and its EndpointSlices. Pure.
// Source: kube-aggregator pkg/controllers/status/remote/remote_available_controller.go.

import { randomInt } from 'node:crypto';
import { type APIService, type EndpointSlice, kinds, type Service, type ServicePort } from '../../api/index.ts';
import type { ObjectReader } from '../contracts.ts';

export type Condition = NonNullable<NonNullable<APIService['status']>['conditions']>[number];

export interface Verdict {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

export const passed: Verdict = { status: 'True', reason: 'Passed', message: 'all checks passed' };
const serviceLabel = 'kubernetes.io/service-name';

export function refused(reason: string, message: string): Verdict {
  return { status: 'False', reason, message };
}

export type ApiServiceSpec = NonNullable<APIService['spec']>;
export type ServiceReference = NonNullable<ApiServiceSpec['service']>;

/** host:port of one ready endpoint, drawn anew each time; or why there is none. */
export function locate(
  reader: ObjectReader,
  { namespace = '', name = '', port = 443 }: ServiceReference,
): string | Verdict {
  const service = reader.get<Service>(kinds.service, namespace, name);
  if (service === undefined) return refused('ServiceNotFound', `service/${name} in "${namespace}" is not present`);
  if (service.spec?.type === 'ExternalName') return `${service.spec.externalName ?? ''}:${port}`;
  const chosen = service.spec?.ports?.find((one) => one.port === port);
  if (chosen === undefined) {
    return refused('ServicePortError', `service/${name} in "${namespace}" is not listening on port ${port}`);
  }
  const slices = reader
    .list<EndpointSlice>(kinds.endpointSlice, namespace)
    .filter(({ metadata }) => metadata?.labels?.[serviceLabel] === name);
  if (slices.length === 0) {
    return refused('EndpointsNotFound', `cannot find endpointslices for service/${name} in "${namespace}"`);
  }
  const ready = slices.flatMap((slice) => addressesOf(slice, chosen));
  const drawn = ready.length === 0 ? undefined : ready[randomInt(ready.length)];
  if (drawn !== undefined) return drawn;
  const portName = JSON.stringify(chosen.name ?? '');
  return refused(
    'MissingEndpoints',
    `endpoints for service/${name} in "${namespace}" have no addresses with port name ${portName}`,
  );
}

function addressesOf({ ports = [], endpoints = [] }: EndpointSlice, chosen: ServicePort): readonly string[] {
  const port = ports.find((one) => (one.name ?? '') === (chosen.name ?? ''))?.port;
  if (port === undefined) return [];
  return endpoints
    .filter(({ conditions }) => conditions?.ready !== false)
    .flatMap(({ addresses = [] }) => addresses)
    .map((address) => `${address.includes(':') ? `[${address}]` : address}:${port}`);
}

/** The status with the verdict in it; the time changes only with the condition's status. */
export function withAvailability(status: APIService['status'], verdict: Verdict, now: string): APIService['status'] {
  const conditions = status?.conditions ?? [];
  const held = conditions.find(({ type }) => type === 'Available');
  const since = held?.status === verdict.status ? held.lastTransitionTime : undefined;
  const next = { type: 'Available', ...verdict, lastTransitionTime: since ?? now } as unknown as Condition;
  const others = conditions.filter((one) => one !== held);
  return { ...status, conditions: [...others, next] };
}

export function isAvailable({ status }: APIService): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Available' && is === 'True') === true;
}
