// The schema file's format: what scripts/generate-schemas.ts writes to dist/schemas/types.json and the server reads.
//
//   { "io.k8s.api.core.v1.Pod": { "fields": { "spec": { "is": "#io.k8s.api.core.v1.PodSpec" }, … } }, … }
//
// A shape is a scalar's name, `#` and a type's name, or a list or map of shapes. Kept small on purpose: descriptions and
// everything else that only clients read, enums among them, is in the OpenAPI documents beside it.

export type ScalarShape =
  | 'string'
  | 'boolean'
  | 'int32'
  | 'int64'
  | 'number'
  | 'bytes'
  | 'time'
  | 'microTime'
  | 'quantity'
  | 'intOrString'
  /** Anything at all: RawExtension, JSON, managed field sets. */
  | 'any';

export type Shape = ScalarShape | `#${string}` | { readonly list: Shape } | { readonly map: Shape };

/** How a list or object field merges. Sources: the patchStrategy/patchMergeKey and listType/listMapKey marks of k8s.io/api. */
export interface MergeFacts {
  readonly patchStrategy?: 'merge' | 'merge,retainKeys' | 'retainKeys' | 'replace';
  readonly patchMergeKey?: string;
  readonly listType?: 'map' | 'set' | 'atomic';
  readonly listMapKeys?: readonly string[];
  /** `atomic` for a map field or an object field that one owner replaces as a whole. */
  readonly mapType?: 'atomic';
}

export interface FieldFacts extends MergeFacts {
  /** '', 0, false, an empty list or map means that the field is absent, and upstream answers without it. */
  readonly dropsZero?: true;
}

export interface FieldShape extends FieldFacts {
  readonly is: Shape;
}

export interface TypeShape {
  readonly fields: Readonly<Record<string, FieldShape>>;
  readonly required?: readonly string[];
}

export interface SchemaFile {
  readonly types: Readonly<Record<string, TypeShape>>;
  /** `group/version/kind` → type name. */
  readonly kinds: Readonly<Record<string, string>>;
  /** Type name → field → the values that validation takes, in the order in which a refusal names them. */
  readonly values: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}
