// All roles and bindings as one lookup structure: subject → rules, cluster-wide and per namespace. It is rebuilt whole, on
// the first question after a change: a cluster has hundreds of these objects, they change rarely, and a rebuild costs about
// a millisecond, so an incremental index would buy nothing. Compiled rules are kept per role object.

import type { ClusterRole, ClusterRoleBinding, KubeObject, PolicyRule, Role, RoleBinding } from '../../api/index.ts';
import { kinds } from '../../api/index.ts';
import type { ObjectReader, UserInfo } from '../contracts.ts';
import { aggregatedRules } from './aggregation.ts';
import { type CompiledRule, compileRule } from './rules.ts';

export interface RbacPolicy {
  /** Calls `visit` with each rule list that applies to the user, until it answers true; answers whether one did. */
  some(user: UserInfo, namespace: string, visit: (rules: readonly CompiledRule[]) => boolean): boolean;
  /** All rules of a user in a namespace; '' for cluster-wide rules only. */
  rulesFor(user: UserInfo, namespace: string): readonly CompiledRule[];
  /** The rules of a role that a binding may reference; undefined when there is none. */
  rulesOfRole(namespace: string, ref: RoleBinding['roleRef']): readonly PolicyRule[] | undefined;
}

interface SubjectRules {
  readonly cluster: CompiledRule[];
  readonly byNamespace: Map<string, CompiledRule[]>;
}

type Index = ReadonlyMap<string, SubjectRules>;

export function createRbacPolicy(reader: ObjectReader): RbacPolicy {
  let index: Index | undefined;
  // Of the roles as they are now: emptied by each change.
  const aggregated = new Map<ClusterRole, readonly PolicyRule[]>();
  const compiled = new WeakMap<readonly PolicyRule[], readonly CompiledRule[]>();
  for (const kind of [kinds.role, kinds.clusterRole, kinds.roleBinding, kinds.clusterRoleBinding]) {
    reader.onChange(kind, () => {
      index = undefined;
      aggregated.clear();
    });
  }

  const compile = (rules: readonly PolicyRule[]): readonly CompiledRule[] => {
    const known = compiled.get(rules) ?? rules.map(compileRule);
    compiled.set(rules, known);
    return known;
  };
  const rulesOfRole: RbacPolicy['rulesOfRole'] = (namespace, ref) => {
    if (ref.kind === 'Role') return reader.get<Role>(kinds.role, namespace, ref.name)?.rules ?? undefined;
    const role = reader.get<ClusterRole>(kinds.clusterRole, undefined, ref.name);
    if (role?.aggregationRule === undefined) return role?.rules ?? undefined;
    const known = aggregated.get(role);
    if (known !== undefined) return known;
    const rules = aggregatedRules(role, reader.list<ClusterRole>(kinds.clusterRole));
    aggregated.set(role, rules);
    return rules;
  };

  const build = (): Index => {
    const subjects = new Map<string, SubjectRules>();
    const add = (binding: RoleBinding | ClusterRoleBinding, namespace: string): void => {
      const rules = compile(rulesOfRole(namespace, binding.roleRef) ?? []);
      for (const subject of binding.subjects ?? []) {
        const key = subjectKey(subject, namespace);
        const entry = subjects.get(key) ?? { cluster: [], byNamespace: new Map() };
        subjects.set(key, entry);
        listIn(entry, namespace).push(...rules);
      }
    };
    for (const binding of reader.list<ClusterRoleBinding>(kinds.clusterRoleBinding)) add(binding, '');
    for (const binding of reader.list<RoleBinding>(kinds.roleBinding)) add(binding, namespaceOf(binding));
    return subjects;
  };

  const some: RbacPolicy['some'] = (user, namespace, visit) => {
    index ??= build();
    if (visitSubject(index.get(`u:${user.name}`), namespace, visit)) return true;
    for (const group of user.groups) if (visitSubject(index.get(`g:${group}`), namespace, visit)) return true;
    return false;
  };

  return {
    some,
    rulesFor(user, namespace) {
      const found: CompiledRule[] = [];
      some(user, namespace, (rules) => {
        found.push(...rules);
        return false;
      });
      return found;
    },
    rulesOfRole,
  };
}

function visitSubject(
  subject: SubjectRules | undefined,
  namespace: string,
  visit: (rules: readonly CompiledRule[]) => boolean,
): boolean {
  if (subject === undefined) return false;
  if (visit(subject.cluster)) return true;
  const local = namespace === '' ? undefined : subject.byNamespace.get(namespace);
  return local !== undefined && visit(local);
}

function listIn(entry: SubjectRules, namespace: string): CompiledRule[] {
  if (namespace === '') return entry.cluster;
  const list = entry.byNamespace.get(namespace) ?? [];
  entry.byNamespace.set(namespace, list);
  return list;
}

function subjectKey(subject: NonNullable<RoleBinding['subjects']>[number], bindingNamespace: string): string {
  if (subject.kind === 'Group') return `g:${subject.name}`;
  if (subject.kind === 'User') return `u:${subject.name}`;
  return `u:system:serviceaccount:${subject.namespace ?? bindingNamespace}:${subject.name}`;
}

function namespaceOf(object: KubeObject): string {
  return object.metadata?.namespace ?? '';
}
