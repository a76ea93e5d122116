// The default RBAC tables as objects, and the rule by which an existing object is brought up to date at each start: unless
// its annotation rbac.authorization.kubernetes.io/autoupdate says "false", missing rules and subjects are added, and
// nothing that an operator added is taken away. Source: Kubernetes documentation, "Using RBAC Authorization",
// auto-reconciliation.

import type { ClusterRole, ClusterRoleBinding, ObjectMeta, PolicyRule, Role, RoleBinding } from '../../api/index.ts';
import type { DefaultBinding, DefaultRole } from './cluster-roles.ts';

const autoupdate = 'rbac.authorization.kubernetes.io/autoupdate';
const rbac = 'rbac.authorization.k8s.io';
const apiVersion = `${rbac}/v1`;

type Subjects = NonNullable<RoleBinding['subjects']>;

export function clusterRole(role: DefaultRole): ClusterRole & { readonly metadata: ObjectMeta } {
  const { aggregates } = role;
  return {
    apiVersion,
    kind: 'ClusterRole',
    metadata: metadata(role.name, { labels: role.labels }),
    ...(aggregates === undefined
      ? { rules: role.rules ?? [] }
      : { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [aggregates]: 'true' } }] }, rules: [] }),
  };
}

export function role(from: DefaultRole & { readonly namespace: string }): Role & { readonly metadata: ObjectMeta } {
  return {
    apiVersion,
    kind: 'Role',
    metadata: metadata(from.name, { namespace: from.namespace, labels: from.labels }),
    rules: from.rules ?? [],
  };
}

export function clusterRoleBinding(from: DefaultBinding): ClusterRoleBinding & { readonly metadata: ObjectMeta } {
  return {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata: metadata(from.name ?? from.role, {}),
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: from.role },
    subjects: subjects(from),
  };
}

export function roleBinding(
  from: DefaultBinding & { readonly namespace: string },
): RoleBinding & { readonly metadata: ObjectMeta } {
  return {
    apiVersion,
    kind: 'RoleBinding',
    metadata: metadata(from.name ?? from.role, { namespace: from.namespace }),
    roleRef: { apiGroup: rbac, kind: 'Role', name: from.role },
    subjects: subjects(from),
  };
}

/** `have` with the rules of `want` that it lacks; undefined when it lacks none or may not be touched. */
export function reconcileRole<T extends ClusterRole | Role>(have: T, want: T): T | undefined {
  if (isProtected(have.metadata)) return undefined;
  const missing = lacking<PolicyRule>(have.rules ?? [], want.rules ?? []);
  const labels = { ...want.metadata?.labels, ...have.metadata?.labels };
  const labelled = Object.keys(labels).length === Object.keys(have.metadata?.labels ?? {}).length;
  if (missing.length === 0 && labelled) return undefined;
  return { ...have, metadata: { ...have.metadata, labels }, rules: [...(have.rules ?? []), ...missing] };
}

/** `have` with the subjects of `want` that it lacks. A changed roleRef stays: it cannot be changed in place. */
export function reconcileBinding<T extends ClusterRoleBinding | RoleBinding>(have: T, want: T): T | undefined {
  if (isProtected(have.metadata)) return undefined;
  const missing = lacking<Subjects[number]>(have.subjects ?? [], want.subjects ?? []);
  return missing.length === 0 ? undefined : { ...have, subjects: [...(have.subjects ?? []), ...missing] };
}

function metadata(
  name: string,
  more: { readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> | undefined },
): ObjectMeta {
  return {
    name,
    ...(more.namespace === undefined ? {} : { namespace: more.namespace }),
    annotations: { [autoupdate]: 'true' },
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...more.labels },
  };
}

function subjects(from: DefaultBinding): Subjects {
  return [
    ...(from.users ?? []).map((name) => ({ apiGroup: rbac, kind: 'User', name })),
    ...(from.groups ?? []).map((name) => ({ apiGroup: rbac, kind: 'Group', name })),
    ...(from.serviceAccounts ?? []).map((account) => {
      const [namespace = '', name = ''] = account.split('/');
      return { kind: 'ServiceAccount', name, namespace };
    }),
  ];
}

function isProtected(meta: ObjectMeta | undefined): boolean {
  return meta?.annotations?.[autoupdate] === 'false';
}

function lacking<T>(have: readonly T[], want: readonly T[]): readonly T[] {
  const present = new Set(have.map(canonical));
  return want.filter((item) => !present.has(canonical(item)));
}

/** Field order and list order do not matter in a rule or subject. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (Array.isArray(part)) return [...part].sort();
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
