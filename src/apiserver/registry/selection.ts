// Which objects of a resource a request wants: namespace, label selector, field selector, compiled once per request. Nothing
// is parsed for labels (they are cut from the bytes or found in the index), and fields of an object are extracted once.

import {
  type FieldRequirement,
  fieldOf,
  fieldSelectorKeys,
  type KindSpec,
  type KubeObject,
  type LabelMatcher,
  type Labels,
  parseFieldSelector,
  parseLabelSelector,
  SelectorError,
} from '../../api/index.ts';
import type { CachedObject, ResourceCache } from '../cache/index.ts';
import { badRequest } from '../http/status-body.ts';
import type { Resource } from './resource.ts';

export interface Selection {
  /** undefined: all namespaces. */
  readonly namespace: string | undefined;
  /** True when every object of the namespace is wanted. */
  readonly everything: boolean;
  /** The only name wanted, when the field selector says so. */
  readonly name: string | undefined;
  /** Says nothing about the namespace. */
  matches(object: CachedObject): boolean;
  readonly labels: LabelMatcher;
}

/** Throws ApiError 400 with upstream's words for a selector that can't be understood. */
export function compileSelection(resource: Resource, namespace: string | undefined, query: URLSearchParams): Selection {
  try {
    const labels = parseLabelSelector(query.get('labelSelector') ?? '');
    const { requirements } = parseFieldSelector(resource.spec, query.get('fieldSelector') ?? '');
    return selectionOf(resource, namespace, labels, requirements);
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(error.message);
    throw error;
  }
}

function selectionOf(
  resource: Resource,
  namespace: string | undefined,
  labels: LabelMatcher,
  fields: readonly FieldRequirement[],
): Selection {
  const tests = fields.map((requirement) => fieldTest(resource, requirement));
  const exactly = (field: string): string | undefined =>
    fields.find((one) => one.field === field && one.operator === '=')?.value;
  const matches = (object: CachedObject): boolean => {
    for (const test of tests) if (!test(object)) return false;
    return labels.everything || labels.matches(object.labels());
  };
  const wantedNamespace = namespace ?? (resource.spec.namespaced ? exactly('metadata.namespace') : undefined);
  return {
    namespace: wantedNamespace,
    everything: labels.everything && tests.length === 0,
    name: exactly('metadata.name'),
    matches,
    labels,
  };
}

function fieldTest(
  { spec, fromStored }: Resource,
  { field, operator, value }: FieldRequirement,
): (object: CachedObject) => boolean {
  const wanted = operator === '=';
  switch (field) {
    case 'metadata.name':
      return (object) => (object.name === value) === wanted;
    case 'metadata.namespace':
      return (object) => (object.namespace === value) === wanted;
    default: {
      // Extracted fields are kept with the object, so only those of the stored kind are, and a definition may change.
      const extract = extractorOf(spec);
      if (fromStored !== undefined || spec.custom !== undefined) {
        const shown = fromStored ?? ((object: KubeObject) => object);
        return (object) => (extract(shown(object.parsed()))[field] === value) === wanted;
      }
      return (object) => (object.fields(extract)[field] === value) === wanted;
    }
  }
}

const extractors = new WeakMap<KindSpec, (object: KubeObject) => Labels>();

/** All selectable fields of an object at once; one function per kind, because what it answers is kept with the object. */
function extractorOf(kind: KindSpec): (object: KubeObject) => Labels {
  const known = extractors.get(kind);
  if (known !== undefined) return known;
  const getters = fieldSelectorKeys(kind)
    .filter((field) => !field.startsWith('metadata.'))
    .map((field) => [field, fieldOf(kind, field)] as const);
  const extract = (object: KubeObject): Labels =>
    Object.fromEntries(getters.map(([field, get]) => [field, get?.(object) ?? '']));
  extractors.set(kind, extract);
  return extract;
}

/** The live objects that `selection` wants, in key order, by the cheapest way there is. */
export function select(cache: ResourceCache, selection: Selection): CachedObject[] {
  const { namespace, name, labels } = selection;
  if (selection.everything) return cache.list(namespace);
  if (name !== undefined && namespace !== undefined) {
    const object = cache.get(namespace, name);
    return object !== undefined && selection.matches(object) ? [object] : [];
  }
  const exact = labels.requirements.find(({ operator }) => operator === 'in');
  const candidates =
    exact === undefined ? cache.list(namespace) : cache.listByLabel(exact.key, exact.values, namespace);
  return candidates.filter((object) => selection.matches(object));
}
