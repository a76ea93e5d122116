// Nothing is made in a namespace that does not exist or is going away, and the namespaces that the cluster itself lives in
// stay. Source: Kubernetes documentation, "Admission Controllers", NamespaceLifecycle.

import { kinds, type Namespace } from '../../api/index.ts';
import { type AdmissionPlugin, type AdmissionRequest, ApiError, type ObjectReader } from '../contracts.ts';
import { refuse } from './refuse.ts';

const immortal = new Set(['default', 'kube-system', 'kube-public']);

export function namespaceLifecycle(reader: ObjectReader): AdmissionPlugin {
  const check = (request: AdmissionRequest): void => {
    const { kind, operation, namespace } = request;
    if (!kind.namespaced || namespace === undefined || kind.group === 'authorization.k8s.io') return;
    if (operation !== 'CREATE' && operation !== 'UPDATE') return;
    const found = reader.get<Namespace>(kinds.namespace, undefined, namespace);
    if (found === undefined) {
      throw new ApiError('NotFound', `namespaces "${namespace}" not found`, {
        details: { name: namespace, kind: 'namespaces' },
      });
    }
    if (operation === 'UPDATE' || found.metadata?.deletionTimestamp === undefined) return;
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    const cause = { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated` };
    throw refuse(request, why, [{ ...cause, field: 'metadata.namespace' }]);
  };
  return {
    name: 'NamespaceLifecycle',
    // In the mutating round, so that a missing namespace is the answer and not what another plugin misses in it.
    mutate(request) {
      check(request);
      return request.object ?? {};
    },
    validate(request) {
      const { kind, operation, name } = request;
      if (operation !== 'DELETE' || kind.group !== '' || kind.plural !== 'namespaces' || !immortal.has(name)) return;
      throw refuse(request, 'this namespace may not be deleted');
    },
  };
}
