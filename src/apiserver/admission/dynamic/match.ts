// Which requests a webhook or a policy binding is about: rules of operations and resources, and selectors on the labels of
// the namespace and of the object. Compiled when the configuration changes, so that a request only compares.
// Source: admissionregistration.k8s.io/v1 RuleWithOperations, MatchResources; apiserver pkg/admission/plugin/webhook.

import {
  compileLabelSelector,
  type KindSpec,
  type KubeObject,
  kinds,
  type LabelMatcher,
  type LabelSelector,
  type Namespace,
} from '../../../api/index.ts';
import type { AdmissionRequest, ObjectReader } from '../../contracts.ts';

export interface Rule {
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly operations?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly scope?: string;
}

export interface MatchSpec {
  readonly rules: readonly Rule[];
  readonly excluded?: readonly Rule[];
  /** Exact takes rules for the version of the request alone, Equivalent (default) for any version of the same objects. */
  readonly matchPolicy?: string | undefined;
  readonly namespaceSelector?: LabelSelector | undefined;
  readonly objectSelector?: LabelSelector | undefined;
}

export interface Matcher {
  /**
   * The version that the rule which fits is written for: the request's own before all others; undefined: none fits. Where
   * rules give no names (those of webhooks can't), the answer is the same for each request of a resource and operation.
   */
  versionFor(request: AdmissionRequest): KindSpec | undefined;
  /** The rest: exclusions and labels. */
  matches(request: AdmissionRequest): boolean;
}

export function compileMatch(reader: ObjectReader, spec: MatchSpec): Matcher {
  const { rules, excluded = [] } = spec;
  const [namespaces, objects] = [spec.namespaceSelector, spec.objectSelector].map((selector) =>
    compileLabelSelector(selector ?? {}),
  ) as [LabelMatcher, LabelMatcher];
  const others: VersionsOf = spec.matchPolicy === 'Exact' ? () => [] : (kind) => reader.versionsOf(kind);
  return {
    versionFor: (request) => versionIn(rules, request, others),
    matches: (request) =>
      versionIn(excluded, request, others) === undefined &&
      matchesNamespace(reader, namespaces, request) &&
      matchesObject(objects, request),
  };
}

type VersionsOf = (kind: KindSpec) => readonly KindSpec[];

/** A rule for what was asked for wins; among rules for other versions, the first. */
function versionIn(rules: readonly Rule[], request: AdmissionRequest, others: VersionsOf): KindSpec | undefined {
  const { kind, requested = kind, subresource } = request;
  if (rules.length === 0) return undefined;
  if (rules.some((rule) => fitsRule(rule, requested, request))) return requested;
  const candidates = others(kind).filter((one) => one !== requested && serves(one, subresource));
  if (candidates.length === 0) return undefined;
  for (const rule of rules) {
    const version = candidates.find((one) => fitsRule(rule, one, request));
    if (version !== undefined) return version;
  }
  return undefined;
}

function serves({ subresources = [] }: KindSpec, subresource: string): boolean {
  return subresource === '' || subresources.some(({ name }) => name === subresource);
}

function fitsRule(rule: Rule, kind: KindSpec, request: AdmissionRequest): boolean {
  const { subresource, operation } = request;
  const { apiGroups, apiVersions, operations, resources = [], scope = '*' } = rule;
  const scoped = kind.namespaced ? 'Namespaced' : 'Cluster';
  return (
    includes(operations, operation) &&
    includes(apiGroups, kind.group) &&
    includes(apiVersions, kind.version) &&
    (scope === '*' || scope === scoped) &&
    resources.some((resource) => fitsResource(resource, kind.plural, subresource)) &&
    fitsName(rule, request)
  );
}

/** `pods`, `pods/status`, `*` (no subresources), `pods/*`, any resource with `/scale`. */
function fitsResource(pattern: string, plural: string, subresource: string): boolean {
  const [resource = '', sub = ''] = pattern.split('/', 2);
  return (resource === '*' || resource === plural) && (sub === '*' || sub === subresource);
}

function fitsName({ resourceNames = [] }: Rule, { name }: AdmissionRequest): boolean {
  return resourceNames.length === 0 || resourceNames.includes(name);
}

function includes(list: readonly string[] | undefined, value: string): boolean {
  return list !== undefined && (list.includes('*') || list.includes(value));
}

/** A Namespace is looked at by its own labels; other cluster-scoped objects belong to none and always match. */
function matchesNamespace(reader: ObjectReader, selector: LabelMatcher, request: AdmissionRequest): boolean {
  if (selector.everything) return true;
  const { kind, object, oldObject, operation, namespace, subresource } = request;
  if (kind.group === '' && kind.plural === 'namespaces') {
    const own = operation === 'CREATE' || (operation === 'UPDATE' && subresource === '') ? object : oldObject;
    return selector.matches(own?.metadata?.labels);
  }
  if (namespace === undefined) return true;
  return selector.matches(namespaceOf(reader, namespace)?.metadata?.labels);
}

export function namespaceOf(reader: ObjectReader, namespace: string): Namespace | undefined {
  return reader.get<Namespace>(kinds.namespace, undefined, namespace);
}

/** Either state may match, so that taking a label away does not escape. */
function matchesObject(selector: LabelMatcher, { object, oldObject }: AdmissionRequest): boolean {
  if (selector.everything) return true;
  const matches = (one: KubeObject | undefined): boolean => one !== undefined && selector.matches(one.metadata?.labels);
  return matches(object) || matches(oldObject);
}
