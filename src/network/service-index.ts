// EndpointSlices by the Service that they belong to: one index, shared by the service proxy and the cluster DNS.

import type { EndpointSlice } from '../api/index.ts';

export const slicesByService = 'network/service';

/** `namespace/name` of the slice's Service; empty for a slice without one. */
export function serviceKeyOf(slice: EndpointSlice): readonly string[] {
  const { namespace = '', labels = {} } = slice.metadata ?? {};
  const name = labels['kubernetes.io/service-name'];
  return name === undefined ? [] : [`${namespace}/${name}`];
}
