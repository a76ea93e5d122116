// The columns of networking.k8s.io.

import type { Column } from '../kind.ts';
import type { Ingress, IngressClass, IPAddress, NetworkPolicy, ServiceCIDR } from '../types.ts';
import { age, orNone, text } from './column.ts';
import { selectorText } from './selector-text.ts';

export const ingressColumns: readonly Column<Ingress>[] = [
  text('Class', 'Class that serves it.', ({ spec, metadata }) =>
    orNone(spec?.ingressClassName ?? metadata?.annotations?.['kubernetes.io/ingress.class']),
  ),
  text('Hosts', 'Host names.', ({ spec }) => {
    const hosts = (spec?.rules ?? []).flatMap(({ host }) => (host ? [host] : []));
    if (hosts.length === 0) return '*';
    return hosts.length > 3 ? `${hosts.slice(0, 3).join(',')} + ${hosts.length - 3} more...` : hosts.join(',');
  }),
  text('Address', 'Where it is reached.', ({ status }) =>
    (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || '').join(','),
  ),
  text('Ports', 'Ports.', ({ spec }) => ((spec?.tls ?? []).length > 0 ? '80, 443' : '80')),
  age,
];

export const ingressClassColumns: readonly Column<IngressClass>[] = [
  text('Controller', 'Controller that serves the class.', ({ spec }) => spec?.controller ?? ''),
  text('Parameters', 'Further settings.', ({ spec }) => {
    const parameters = spec?.parameters;
    if (parameters === undefined) return '<none>';
    const kind = parameters.apiGroup === undefined ? parameters.kind : `${parameters.kind}.${parameters.apiGroup}`;
    return `${kind}/${parameters.name}`;
  }),
  age,
];

export const networkPolicyColumns: readonly Column<NetworkPolicy>[] = [
  text('Pod-Selector', 'Pods it applies to.', ({ spec }) => selectorText(spec?.podSelector)),
  age,
];

export const ipAddressColumns: readonly Column<IPAddress>[] = [
  text('ParentRef', 'Who holds the address.', ({ spec }) => {
    const parent = spec?.parentRef;
    if (parent === undefined) return '';
    return [parent.group ? `${parent.resource}.${parent.group}` : parent.resource, parent.namespace, parent.name]
      .filter((part) => part !== undefined && part !== '')
      .join('/');
  }),
  age,
];

export const serviceCidrColumns: readonly Column<ServiceCIDR>[] = [
  text('CIDRs', 'Address ranges.', ({ spec }) => (spec?.cidrs ?? []).join(',')),
  age,
];
