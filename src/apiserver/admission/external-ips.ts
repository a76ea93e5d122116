// Nobody may point Services at addresses outside of the cluster any more; those that do may keep or lose them. Off by
// default, as upstream. Source: Kubernetes documentation, "Admission Control", DenyServiceExternalIPs.

import type { Service } from '../../api/index.ts';
import type { AdmissionPlugin } from '../contracts.ts';
import { refuse } from './refuse.ts';

export const denyServiceExternalIps: AdmissionPlugin = {
  name: 'DenyServiceExternalIPs',
  validate(request) {
    const { kind, subresource, object, oldObject } = request;
    if (kind.group !== '' || kind.plural !== 'services' || subresource !== '') return;
    const addresses = (service: Service | undefined): readonly string[] => service?.spec?.externalIPs ?? [];
    const before = addresses(oldObject);
    if (addresses(object).every((address) => before.includes(address))) return;
    throw refuse(request, 'Use of external IPs is denied by admission control.');
  },
};
