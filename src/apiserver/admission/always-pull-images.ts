// Every container's image is pulled anew, so that a Pod can't use a private image just because the node has it. Off by
// default, as upstream. Source: Kubernetes documentation, "Admission Control", AlwaysPullImages.

import type { Pod } from '../../api/index.ts';
import type { AdmissionPlugin } from '../contracts.ts';
import { isPod } from './refuse.ts';

const lists = ['initContainers', 'containers', 'ephemeralContainers'] as const;

export const alwaysPullImages: AdmissionPlugin = {
  name: 'AlwaysPullImages',
  mutate(request) {
    const { operation, subresource, kind, object = {} } = request;
    const isEphemeral = kind.group === '' && kind.plural === 'pods' && subresource === 'ephemeralcontainers';
    if ((operation !== 'CREATE' || !isPod(request)) && !isEphemeral) return object;
    const { spec } = object as Pod;
    if (spec === undefined) return object;
    const pulled = lists.flatMap((list) => {
      const containers = spec[list]?.map((container) => ({ ...container, imagePullPolicy: 'Always' }));
      return containers === undefined ? [] : [[list, containers]];
    });
    const pod: Pod = { ...object, spec: { ...spec, ...Object.fromEntries(pulled) } };
    return pod;
  },
};
