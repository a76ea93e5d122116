// serviceaccount-token: Secrets of type kubernetes.io/service-account-token hold a token of the ServiceAccount that their
// annotation names, and every ServiceAccount has one such Secret in `secrets`.
//
// Kubernetes fills only the Secrets that people make since 1.24; clients of before wait until `secrets` names one (upstream's
// own 1.20 end-to-end tests do, before anything else), so it is made here as well. Its token is bound to the Secret: it ends
// when the Secret or the ServiceAccount is deleted, unlike the tokens of those days, which nothing could take back.
// Source: "Managing Service Accounts" in the Kubernetes documentation.

import { kinds, type Secret, type ServiceAccount, type Stored } from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { create, issueToken, remove, update } from './actions.ts';
import { type Action, type Controller, type Index, needs, watch } from './controller.ts';

const type = 'kubernetes.io/service-account-token';
const nameAnnotation = 'kubernetes.io/service-account.name';
const uidAnnotation = 'kubernetes.io/service-account.uid';

const byAccount: Index<Secret> = { kind: kinds.secret, name: 'token of account', valuesOf: accountOf };

export const serviceAccountTokenController: Controller = {
  name: 'serviceaccount-token-controller',
  parallel: 5,
  watches: [watch(kinds.serviceAccount, (account) => [keyOf(account)]), watch(kinds.secret, accountOf)],
  indexes: [needs(byAccount)],
  async reconcile(key, { view, options, live }) {
    const account = view.get(kinds.serviceAccount, key);
    const secrets = view.byIndex(byAccount, key);
    if (account !== undefined) return reconcileTokens(account, secrets, options.rootCaPem);
    const [first] = secrets;
    if (first === undefined) return [];
    // A Secret may be seen before its account: only the newest state says that the account is gone.
    const { namespace } = first.metadata;
    const { items } = await live.list(kinds.serviceAccount, { namespace });
    const gone = !items.some(({ metadata }) => keyOf({ metadata }) === key);
    return gone ? secrets.map((secret) => remove(kinds.secret, secret)) : [];
  },
};

/** @param secrets all token Secrets of this account's name. */
export function reconcileTokens(
  account: Stored<ServiceAccount>,
  secrets: readonly Stored<Secret>[],
  rootCaPem: string | undefined,
): readonly Action[] {
  const { name, namespace, uid, deletionTimestamp } = account.metadata;
  if (deletionTimestamp !== undefined) return [];
  const isOurs = ({ metadata }: Stored<Secret>): boolean => (metadata.annotations?.[uidAnnotation] ?? uid) === uid;
  const ours = secrets.filter((secret) => isOurs(secret) && secret.metadata.deletionTimestamp === undefined);
  const stale = secrets.filter((secret) => !isOurs(secret)).map((secret) => remove(kinds.secret, secret));
  const fill = ours
    .filter((secret) => !isFilled(secret, rootCaPem))
    .map((secret) => issueToken(account, withAccount(secret, account, rootCaPem)));
  const ownName = `${name}-token-${uid.slice(0, 5)}`;
  const named = account.secrets ?? [];
  if (ours.some(({ metadata }) => named.some((reference) => reference.name === metadata.name)))
    return [...stale, ...fill];
  const own = ours.find(({ metadata }) => metadata.name === ownName);
  if (own !== undefined) {
    // Named only once it can be used, because that is what clients wait for.
    if (!isFilled(own, rootCaPem)) return [...stale, ...fill];
    return [...stale, ...fill, update(kinds.serviceAccount, { ...account, secrets: [...named, { name: ownName }] })];
  }
  const metadata = { name: ownName, namespace, annotations: { [nameAnnotation]: name, [uidAnnotation]: uid } };
  return [...stale, ...fill, create(kinds.secret, { apiVersion: 'v1', kind: 'Secret', metadata, type } as Secret)];
}

function accountOf({ type: itsType, metadata }: Stored<Secret>): readonly string[] {
  const name = metadata.annotations?.[nameAnnotation];
  return itsType === type && name !== undefined ? [`${metadata.namespace ?? ''}/${name}`] : [];
}

function isFilled({ metadata, data = {} }: Stored<Secret>, rootCaPem: string | undefined): boolean {
  const isRootRight = rootCaPem === undefined || data['ca.crt'] === base64(rootCaPem);
  return isRootRight && Boolean(data['token'] && data['namespace'] && metadata.annotations?.[uidAnnotation]);
}

/** The Secret with all but its token. */
function withAccount(
  secret: Stored<Secret>,
  { metadata: { namespace = '', uid } }: Stored<ServiceAccount>,
  rootCaPem: string | undefined,
): Stored<Secret> {
  const root = rootCaPem === undefined ? {} : { 'ca.crt': base64(rootCaPem) };
  return {
    ...secret,
    metadata: { ...secret.metadata, annotations: { ...secret.metadata.annotations, [uidAnnotation]: uid } },
    data: { ...secret.data, ...root, namespace: base64(namespace) },
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
