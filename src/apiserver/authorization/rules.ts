// RBAC rules compiled to sets, and the two questions that can be put to them: does a rule allow a request, and do the rules
// of one user cover another rule (the escalation check). Source: Kubernetes documentation, "Using RBAC Authorization", and
// the matching rules of k8s.io/kubernetes pkg/apis/rbac/v1/evaluation_helpers.go.

import type { PolicyRule } from '../../api/index.ts';
import type { RequestAttributes } from '../contracts.ts';

/** undefined stands for "all". */
export interface CompiledRule {
  readonly source: PolicyRule;
  readonly verbs: ReadonlySet<string> | undefined;
  readonly groups: ReadonlySet<string> | undefined;
  // pods, pods/log, */scale
  readonly resources: ReadonlySet<string> | undefined;
  readonly names: ReadonlySet<string> | undefined;
  readonly urls: readonly string[];
}

const all = '*';

export function compileRule(rule: PolicyRule): CompiledRule {
  return {
    source: rule,
    verbs: setOf(rule.verbs),
    groups: setOf(rule.apiGroups),
    resources: setOf(rule.resources),
    names:
      rule.resourceNames === undefined || rule.resourceNames.length === 0 ? undefined : new Set(rule.resourceNames),
    urls: rule.nonResourceURLs ?? [],
  };
}

export function allows(rule: CompiledRule, request: RequestAttributes): boolean {
  if (rule.verbs !== undefined && !rule.verbs.has(request.verb)) return false;
  if (!request.isResourceRequest) return rule.urls.some((url) => matchesUrl(url, request.path));
  return (
    (rule.groups === undefined || rule.groups.has(request.apiGroup)) &&
    matchesResource(rule.resources, request.resource, request.subresource) &&
    (rule.names === undefined || rule.names.has(request.name))
  );
}

/** The parts of `wanted` that no rule of `held` covers; empty when all are held. */
export function notCovered(held: readonly CompiledRule[], wanted: readonly PolicyRule[]): readonly PolicyRule[] {
  return wanted.flatMap(atoms).filter((atom) => !held.some((rule) => covers(rule, atom)));
}

/** `rule` as rules of one verb, one group, one resource and one name each. */
function atoms(rule: PolicyRule): PolicyRule[] {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  return verbs.flatMap((verb) => [
    ...apiGroups.flatMap((group) =>
      resources.flatMap((resource) => {
        const atom = { verbs: [verb], apiGroups: [group], resources: [resource] };
        return resourceNames.length === 0 ? [atom] : resourceNames.map((name) => ({ ...atom, resourceNames: [name] }));
      }),
    ),
    ...nonResourceURLs.map((url) => ({ verbs: [verb], nonResourceURLs: [url] })),
  ]);
}

function covers(held: CompiledRule, atom: PolicyRule): boolean {
  const [verb = '', url] = [atom.verbs[0], atom.nonResourceURLs?.[0]];
  if (held.verbs !== undefined && !held.verbs.has(verb)) return false;
  if (url !== undefined) return held.urls.some((own) => own === url || matchesUrl(own, url));
  const [group = '', resource = '', name] = [atom.apiGroups?.[0], atom.resources?.[0], atom.resourceNames?.[0]];
  const [base = '', sub = ''] = resource.split('/');
  return (
    (held.groups === undefined || held.groups.has(group)) &&
    matchesResource(held.resources, base, sub) &&
    (held.names === undefined || (name !== undefined && held.names.has(name)))
  );
}

function matchesResource(resources: ReadonlySet<string> | undefined, resource: string, subresource: string): boolean {
  if (resources === undefined) return true;
  if (subresource === '') return resources.has(resource);
  return resources.has(`${resource}/${subresource}`) || resources.has(`*/${subresource}`);
}

function matchesUrl(pattern: string, path: string): boolean {
  if (pattern === all || pattern === path) return true;
  return pattern.endsWith(all) && path.startsWith(pattern.slice(0, -1));
}

function setOf(values: readonly string[] = []): ReadonlySet<string> | undefined {
  return values.includes(all) ? undefined : new Set(values);
}
