// What the project knows about one kind. The kinds table (kinds.ts) is a list of these, and routes, discovery, OpenAPI,
// RBAC, clients, printer columns and help derive from it: a new kind is one new entry. A kind that comes at run time (a
// CustomResourceDefinition) is a value of the same type. Functions of an entry are written as methods so that an entry for
// Pods can stand wherever any kind is taken; they get only objects of their own kind.

import type { FieldError } from './field-error.ts';
import type { StructuralSchema } from './structural/schema.ts';
import type { KubeObject } from './types.ts';

export type Verb = 'create' | 'get' | 'list' | 'watch' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** What `/…/<name>/<subresource>` is. */
export interface SubresourceSpec {
  /** Last part of the path: `status`, `scale`, `log`, … */
  readonly name: string;
  readonly verbs: readonly Verb[];
  /** The kind it takes and answers; absent: the parent's own. */
  readonly kind?: GroupVersionKind;
  /** A stream or a proxied request, not an object: log, exec, attach, portforward, proxy. */
  readonly connect?: true;
  /** What of a change through it is wrong; absent: what the kind's own rule says. */
  validateUpdate?(object: never, old: never): readonly FieldError[];
}

/** Where a scalable kind keeps its numbers; dotted paths, as in a CustomResourceDefinition's scale subresource. */
export interface ScalePaths {
  readonly specReplicas: string;
  readonly statusReplicas: string;
  /** A LabelSelector, or a plain label map for ReplicationController. */
  readonly selector: string;
}

/** One cell of a Table row: what JSON allows there. */
export type Cell = string | number | boolean | null;

/** One column of `kubectl get`; `priority` 1 shows with -o wide only. */
export interface Column<T extends KubeObject = KubeObject> {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: 'name';
  readonly description: string;
  readonly priority?: number;
  /** @param now milliseconds since the epoch, for ages. */
  value(object: T, now: number): Cell;
}

/** How objects may be named; see validation/names.ts. */
export type NameRule = 'dns-subdomain' | 'dns-label' | 'dns-1035-label' | 'path-segment' | 'any';

/**
 * Another kind that holds this one's objects in the store: events.k8s.io Events are core Events. They are validated in the
 * stored form, by the stored kind's rules and then by `validateNew` and `validateUpdate` of the kind they were sent as.
 */
export interface StoredAs {
  /** Looked up when needed: the kinds refer to each other. */
  readonly kind: GroupVersionKind;
  toStored(object: KubeObject): KubeObject;
  fromStored(object: KubeObject): KubeObject;
}

/** What a kind has beside when it comes from a CustomResourceDefinition. */
export interface CustomKind {
  /** The shape of its objects, for whoever walks them: server-side apply, OpenAPI. */
  readonly schema: StructuralSchema;
  /**
   * Makes a decoded object one of this kind, in place: fields that the schema does not know are taken out and answered,
   * `unknown field "spec.foo"`. Throws DecodeError.
   */
  conform(object: KubeObject): readonly string[];
  /** Its versions are converted by somebody else, whose answer may have to be waited for. */
  readonly converts?: true;
  /** Its definition is being deleted: nothing new may be created. */
  readonly ending?: true;
}

export interface KindSpec {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  /** Default: the kind and `List`. */
  readonly listKind?: string;
  readonly namespaced: boolean;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  /** Absent: all eight. */
  readonly verbs?: readonly Verb[];
  /** Never stored: reviews and the bodies of subresources. */
  readonly virtual?: true;
  readonly storedAs?: StoredAs;
  /** What requests for this version are warned of. */
  readonly deprecation?: string;
  /** Served, but left out of discovery. */
  readonly hidden?: true;
  readonly subresources?: readonly SubresourceSpec[];
  readonly scale?: ScalePaths;
  /** Top-level fields whose change raises metadata.generation, `*` for all but metadata and a status that is a subresource; absent: the kind has no generation. */
  readonly generation?: readonly string[];
  /** Field selector keys beside metadata.name and metadata.namespace; an absent field reads as ''. */
  readonly fieldSelectors?: Readonly<Record<string, (object: never) => string>>;
  /** Default: dns-subdomain. */
  readonly nameRule?: NameRule;
  /** Whole columns after Name; absent: Age alone. */
  readonly columns?: readonly Column<never>[];
  /** Fills in what upstream fills in; changes `object`, which the caller owns. */
  defaults?(object: never): void;
  /** What of an object is wrong, beside metadata. */
  validate?(object: never): readonly FieldError[];
  /** What of a new object is wrong beside; objects that are there already may be so. */
  validateNew?(object: never): readonly FieldError[];
  /**
   * What of a change is wrong, beside metadata and what `validate` says of the new object. Of custom kinds: all that is
   * wrong, because what was wrong before and did not change is let through (KEP-4008).
   */
  validateUpdate?(object: never, old: never): readonly FieldError[];
  readonly custom?: CustomKind;
}

/** Ties a TypeScript type to a table entry: `kinds.pod` is a `KindOf<Pod>`, so `client.get(kinds.pod, …)` gives a Pod. */
export interface KindOf<T extends KubeObject> extends KindSpec {
  /** Never set: it only carries the type. */
  readonly $type?: T;
}

/** Identifies a kind without carrying its table entry. */
export type GroupVersionKind = Pick<KindSpec, 'group' | 'version' | 'kind'>;

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf({ group, version }: Pick<KindSpec, 'group' | 'version'>): string {
  return group === '' ? version : `${group}/${version}`;
}

/** `deployments.apps`, or `pods` for the core group: how messages and RBAC name a resource. */
export function groupResourceOf({ group, plural }: Pick<KindSpec, 'group' | 'plural'>): string {
  return group === '' ? plural : `${plural}.${group}`;
}

/** The URL path of a kind's collection or of one object, without query. */
export function pathOf(
  kind: Pick<KindSpec, 'group' | 'version' | 'plural' | 'namespaced'>,
  at: {
    readonly namespace?: string | undefined;
    readonly name?: string | undefined;
    readonly subresource?: string | undefined;
  } = {},
): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const scope = kind.namespaced && at.namespace !== undefined ? `/namespaces/${encodeURIComponent(at.namespace)}` : '';
  const name = at.name === undefined ? '' : `/${encodeURIComponent(at.name)}`;
  const sub = at.subresource === undefined ? '' : `/${at.subresource}`;
  return `${root}${scope}/${kind.plural}${name}${sub}`;
}
