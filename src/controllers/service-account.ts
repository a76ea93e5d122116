// serviceaccount: every namespace has a ServiceAccount named `default`, for pods that name none.

import { kinds, type Namespace, type Stored } from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { create } from './actions.ts';
import { type Action, type Controller, watch } from './controller.ts';

const name = 'default';

export const serviceAccountController: Controller = {
  name: 'serviceaccount-controller',
  parallel: 5,
  watches: [
    watch(kinds.namespace, (namespace) => [keyOf(namespace)]),
    watch(kinds.serviceAccount, ({ metadata }) => (metadata.name === name ? [metadata.namespace ?? ''] : [])),
  ],
  reconcile: (key, { view }) =>
    view.get(kinds.serviceAccount, `${key}/${name}`) === undefined
      ? reconcileServiceAccount(view.get(kinds.namespace, key))
      : [],
};

/** For a namespace without its default ServiceAccount. */
export function reconcileServiceAccount(namespace: Stored<Namespace> | undefined): readonly Action[] {
  if (namespace === undefined || !isActiveNamespace(namespace)) return [];
  const metadata = { name, namespace: namespace.metadata.name };
  return [create(kinds.serviceAccount, { apiVersion: 'v1', kind: 'ServiceAccount', metadata })];
}

/** Nothing can be created in a namespace that is being deleted. */
export function isActiveNamespace(namespace: Stored<Namespace>): boolean {
  return namespace.metadata.deletionTimestamp === undefined && namespace.status?.phase !== 'Terminating';
}
