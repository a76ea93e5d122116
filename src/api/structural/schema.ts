// Structural schemas: the OpenAPI v3 schemas of CustomResourceDefinitions as pruning, defaulting and validation walk them.
// A schema is compiled once per version of a definition: properties become maps, patterns become expressions, and each node
// knows whether anything below it has defaults, so that most objects are walked once and not three times.
// Source: "Extend the Kubernetes API with CustomResourceDefinitions", structural schemas.

/** A JSONSchemaProps as it stands in a CustomResourceDefinition. */
export interface JsonSchema {
  readonly type?: string;
  readonly format?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly nullable?: boolean;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  /** null: something else was given; see decode/conform.ts. */
  readonly items?: JsonSchema | readonly JsonSchema[] | null;
  readonly required?: readonly string[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly allOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly not?: JsonSchema;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-embedded-resource'?: boolean;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-list-type'?: string;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: string;
  readonly 'x-kubernetes-validations'?: readonly ValidationRule[];
}

/** One CEL rule. */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

export interface StructuralSchema {
  /** As it was written: descriptions, CEL rules, everything for OpenAPI. */
  readonly source: JsonSchema;
  /** object, array, string, integer, number, boolean; '' for anything and for int-or-string. */
  readonly type: string;
  readonly nullable: boolean;
  readonly intOrString: boolean;
  /** A whole object with apiVersion, kind and metadata of its own. */
  readonly embedded: boolean;
  readonly preserveUnknown: boolean;
  readonly properties: ReadonlyMap<string, StructuralSchema>;
  /** The schema of values under keys that `properties` does not name; undefined: there are none. */
  readonly values: StructuralSchema | undefined;
  readonly items: StructuralSchema | undefined;
  readonly required: readonly string[];
  readonly pattern: RegExp | undefined;
  /** For lists: atomic, set or map. */
  readonly listType: 'atomic' | 'set' | 'map';
  readonly listMapKeys: readonly string[];
  readonly mapType: 'granular' | 'atomic';
  readonly allOf: readonly StructuralSchema[];
  readonly anyOf: readonly StructuralSchema[];
  readonly oneOf: readonly StructuralSchema[];
  readonly not: StructuralSchema | undefined;
  /** This node or one below has a default. */
  readonly hasDefaults: boolean;
  /** This node or one below has CEL rules. */
  readonly hasRules: boolean;
  /** A node below is a whole object. */
  readonly hasEmbedded: boolean;
  /** This node or one below is a list whose items are unique. */
  readonly hasListTypes: boolean;
}

/** `schema` has been judged (see definition-rules.ts), so its patterns compile. */
export function compileStructural(schema: JsonSchema): StructuralSchema {
  const properties = new Map(
    Object.entries(schema.properties ?? {}).map(([key, one]) => [key, compileStructural(one)]),
  );
  const { additionalProperties, items } = schema;
  const values = isSchema(additionalProperties)
    ? compileStructural(additionalProperties)
    : additionalProperties === true
      ? compileStructural({ 'x-kubernetes-preserve-unknown-fields': true })
      : undefined;
  const item = isSchema(items) ? compileStructural(items) : undefined;
  const below = [
    ...properties.values(),
    ...(values === undefined ? [] : [values]),
    ...(item === undefined ? [] : [item]),
  ];
  const many = (schemas: readonly JsonSchema[] | undefined): readonly StructuralSchema[] =>
    (schemas ?? []).map(compileStructural);
  return {
    source: schema,
    type: schema.type ?? '',
    nullable: schema.nullable === true,
    intOrString: schema['x-kubernetes-int-or-string'] === true,
    embedded: schema['x-kubernetes-embedded-resource'] === true,
    preserveUnknown: schema['x-kubernetes-preserve-unknown-fields'] === true,
    properties,
    values,
    items: item,
    required: schema.required ?? [],
    pattern: schema.pattern === undefined ? undefined : compilePattern(schema.pattern),
    listType: listTypeOf(schema),
    listMapKeys: schema['x-kubernetes-list-map-keys'] ?? [],
    mapType: schema['x-kubernetes-map-type'] === 'atomic' ? 'atomic' : 'granular',
    allOf: many(schema.allOf),
    anyOf: many(schema.anyOf),
    oneOf: many(schema.oneOf),
    not: schema.not === undefined ? undefined : compileStructural(schema.not),
    hasDefaults: schema.default !== undefined || below.some(({ hasDefaults }) => hasDefaults),
    hasRules: (schema['x-kubernetes-validations'] ?? []).length > 0 || below.some(({ hasRules }) => hasRules),
    hasEmbedded: below.some((one) => one.embedded || one.hasEmbedded),
    hasListTypes: listTypeOf(schema) !== 'atomic' || below.some(({ hasListTypes }) => hasListTypes),
  };
}

/** What a version without a schema means: everything is kept as it is. */
export const anyObject: JsonSchema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** What RE2 does not have, because it can't be matched in linear time. */
const unbounded = /(?:^|[^\\])(?:\\\\)*(?:\((\?<?[=!])|\\([1-9]|k<))/;

const characterClasses = /(\\.)|\[\^?\]?(?:\\.|[^\]\\])*\]/gs;

/** Patterns are Go's (RE2); what JavaScript writes otherwise is rewritten. Throws SyntaxError. */
export function compilePattern(pattern: string): RegExp {
  const perl = unbounded.exec(pattern.replaceAll(characterClasses, '$1'));
  if (perl !== null) throw new SyntaxError(`invalid or unsupported Perl syntax: ${perl[1] ?? `\\${perl[2]}`}`);
  const flags = /^\(\?([ims]+)\)/.exec(pattern);
  const body = flags === null ? pattern : pattern.slice(flags[0].length);
  const text = body
    .replaceAll('\\A', '^')
    .replaceAll('\\z', '$')
    .replaceAll('(?P<', '(?<')
    .replaceAll(/\[\[:(\w+):\]\]/g, (whole, name: string) => `[${posixClasses[name] ?? whole}]`)
    .replaceAll(/\[:(\w+):\]/g, (whole, name: string) => posixClasses[name] ?? whole);
  return new RegExp(text, flags?.[1] ?? '');
}

const posixClasses: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  digit: '0-9',
  lower: 'a-z',
  upper: 'A-Z',
  punct: '!-\\/:-@[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

export function isSchema(value: JsonSchema | boolean | readonly JsonSchema[] | null | undefined): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function listTypeOf(schema: JsonSchema): StructuralSchema['listType'] {
  const type = schema['x-kubernetes-list-type'];
  return type === 'set' || type === 'map' ? type : 'atomic';
}
