// root-ca-certificate-publisher: every namespace has the ConfigMap kube-root-ca.crt with the certificate that pods verify
// the API server by. Changed or deleted, it is put right again.

import { type ConfigMap, kinds, type Namespace, type Stored } from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { create, update } from './actions.ts';
import { type Action, type Controller, watch } from './controller.ts';
import { isSame } from './equality.ts';
import { isActiveNamespace } from './service-account.ts';

const name = 'kube-root-ca.crt';

export const rootCaController: Controller = {
  name: 'root-ca-certificate-publisher-controller',
  parallel: 5,
  watches: [
    watch(kinds.namespace, (namespace) => [keyOf(namespace)]),
    watch(kinds.configMap, ({ metadata }) => (metadata.name === name ? [metadata.namespace ?? ''] : [])),
  ],
  reconcile(key, { view, options }) {
    const namespace = view.get(kinds.namespace, key);
    if (namespace === undefined || options.rootCaPem === undefined) return [];
    return reconcileRootCa(namespace, view.get(kinds.configMap, `${key}/${name}`), options.rootCaPem);
  },
};

export function reconcileRootCa(
  namespace: Stored<Namespace>,
  present: Stored<ConfigMap> | undefined,
  rootCaPem: string,
): readonly Action[] {
  if (!isActiveNamespace(namespace)) return [];
  const data = { 'ca.crt': rootCaPem };
  if (present !== undefined) return isSame(present.data, data) ? [] : [update(kinds.configMap, { ...present, data })];
  const metadata = { name, namespace: namespace.metadata.name };
  return [create(kinds.configMap, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data })];
}
