// bootstrap-signer: keeps kube-public/cluster-info signed for each token that may sign, so that a machine which knows a
// token can tell the real cluster from a false one before it trusts any certificate.

import { type ConfigMap, kinds, type Secret, type Stored } from '../api/index.ts';
import {
  clusterInfoName,
  clusterInfoNamespace,
  signedData,
  signingTokens,
  tokenNamespace,
  tokenSecretType,
} from '../tokens/index.ts';
import { later, update } from './actions.ts';
import { type Action, type Controller, watch } from './controller.ts';

const clusterInfo = `${clusterInfoNamespace}/${clusterInfoName}`;

export const bootstrapSignerController: Controller = {
  name: 'bootstrap-signer-controller',
  watches: [
    watch(kinds.secret, (secret) => (isTokenSecret(secret) ? [clusterInfo] : [])),
    watch(kinds.configMap, ({ metadata }) =>
      metadata.namespace === clusterInfoNamespace && metadata.name === clusterInfoName ? [clusterInfo] : [],
    ),
  ],
  reconcile(_key, { view, now }) {
    const configMap = view.get(kinds.configMap, clusterInfo);
    if (configMap === undefined) return [];
    return reconcileClusterInfo(configMap, view.list(kinds.secret, tokenNamespace).filter(isTokenSecret), now);
  },
};

export function isTokenSecret({ type, metadata }: Secret): boolean {
  return type === tokenSecretType && metadata?.namespace === tokenNamespace;
}

export function reconcileClusterInfo(
  configMap: Stored<ConfigMap>,
  secrets: readonly Stored<Secret>[],
  now: number,
): readonly Action[] {
  const usable = signingTokens(secrets, new Date(now));
  const present = configMap.data ?? {};
  const data = signedData(
    present,
    usable.map(({ token }) => token),
  );
  const next = Math.min(...usable.map(({ expires }) => expires?.getTime() ?? Number.POSITIVE_INFINITY));
  return [
    ...(next === Number.POSITIVE_INFINITY ? [] : [later(next - now)]),
    ...(data === present ? [] : [update(kinds.configMap, { ...configMap, data })]),
  ];
}
