// The audit policy: the first rule that matches a request says how much of it is written down.
// Source: audit.k8s.io/v1 Policy; Kubernetes documentation, "Auditing".

import { load } from 'js-yaml';
import { CodedError, messageOf } from '../../base/index.ts';
import type { RequestAttributes } from '../contracts.ts';

export const levels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
export const stages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const;

export type Level = (typeof levels)[number];
export type Stage = (typeof stages)[number];

interface GroupResources {
  readonly group?: string;
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

interface PolicyRule {
  readonly level: Level;
  readonly users?: readonly string[];
  readonly userGroups?: readonly string[];
  readonly verbs?: readonly string[];
  readonly resources?: readonly GroupResources[];
  readonly namespaces?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly omitStages?: readonly Stage[];
  readonly omitManagedFields?: boolean;
}

export interface AuditPolicy {
  readonly rules: readonly PolicyRule[];
  readonly omitStages?: readonly Stage[];
  readonly omitManagedFields?: boolean;
}

export interface Verdict {
  readonly level: Level;
  readonly omitStages: ReadonlySet<Stage>;
  readonly omitManagedFields: boolean;
}

const nothing: Verdict = { level: 'None', omitStages: new Set(), omitManagedFields: false };

/** @param text YAML or JSON. Throws CodedError AUDIT_POLICY_INVALID with what is wrong. */
export function parseAuditPolicy(text: string): AuditPolicy {
  const policy = parse(text);
  const why = whyInvalid(policy);
  if (why !== undefined) throw invalid(why);
  return policy as AuditPolicy;
}

/** What is written down of a request. */
export function judge(policy: AuditPolicy, attributes: RequestAttributes): Verdict {
  const rule = policy.rules.find((one) => matches(one, attributes));
  if (rule === undefined || rule.level === 'None') return nothing;
  return {
    level: rule.level,
    omitStages: new Set([...(policy.omitStages ?? []), ...(rule.omitStages ?? [])]),
    omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields ?? false,
  };
}

function matches(rule: PolicyRule, { user, verb, ...at }: RequestAttributes): boolean {
  if (isGiven(rule.users) && !rule.users.includes(user.name)) return false;
  if (isGiven(rule.userGroups) && !rule.userGroups.some((group) => user.groups.includes(group))) return false;
  if (isGiven(rule.verbs) && !rule.verbs.includes(verb)) return false;
  if (!isGiven(rule.namespaces) && !isGiven(rule.resources) && !isGiven(rule.nonResourceURLs)) return true;
  if (!at.isResourceRequest) {
    return !isGiven(rule.namespaces) && (rule.nonResourceURLs ?? []).some((url) => fitsPath(url, at.path));
  }
  if (isGiven(rule.namespaces) && !rule.namespaces.includes(at.namespace)) return false;
  if (isGiven(rule.resources)) return rule.resources.some((one) => fitsResource(one, at));
  return !isGiven(rule.nonResourceURLs);
}

function fitsPath(pattern: string, path: string): boolean {
  if (pattern === '*') return true;
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}

type At = Pick<RequestAttributes, 'apiGroup' | 'resource' | 'subresource' | 'name'>;

/** `pods`, `pods/log`, `pods/*` (every subresource), any `status` with a star before the slash. */
function fitsResource({ group = '', resources = [], resourceNames = [] }: GroupResources, at: At): boolean {
  if (group !== at.apiGroup) return false;
  if (resourceNames.length > 0 && !resourceNames.includes(at.name)) return false;
  if (resources.length === 0) return true;
  const full = at.subresource === '' ? at.resource : `${at.resource}/${at.subresource}`;
  return resources.some(
    (one) =>
      one === '*' ||
      one === full ||
      (at.subresource !== '' && (one === `${at.resource}/*` || one === `*/${at.subresource}`)),
  );
}

function isGiven<T>(list: readonly T[] | undefined): list is readonly T[] {
  return list !== undefined && list.length > 0;
}

function parse(text: string): unknown {
  try {
    return load(text);
  } catch (cause) {
    throw invalid(messageOf(cause), cause);
  }
}

function whyInvalid(value: unknown): string | undefined {
  const policy = value as Partial<Record<'kind' | 'apiVersion' | 'rules', unknown>> | null;
  if (policy?.kind !== 'Policy' || policy.apiVersion !== 'audit.k8s.io/v1') return 'it is no audit.k8s.io/v1 Policy';
  if (!Array.isArray(policy.rules) || policy.rules.length === 0) return 'it has no rules, so that nothing is logged';
  for (const [index, rule] of (policy.rules as Partial<PolicyRule>[]).entries()) {
    if (!levels.some((level) => level === rule?.level))
      return `rules[${index}].level must be one of ${levels.join(', ')}`;
    const stage = (rule.omitStages ?? []).find((one) => !stages.includes(one));
    if (stage !== undefined) return `rules[${index}].omitStages: ${stage} is not one of ${stages.join(', ')}`;
    if (isGiven(rule.resources) && isGiven(rule.nonResourceURLs)) {
      return `rules[${index}] cannot be about resources and nonResourceURLs at once`;
    }
  }
  return undefined;
}

function invalid(why: string, cause?: unknown): CodedError {
  return new CodedError('AUDIT_POLICY_INVALID', `the audit policy cannot be used: ${why}`, {
    hint: 'see "Auditing" in the Kubernetes documentation for its form',
    cause,
  });
}
