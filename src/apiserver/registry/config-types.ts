// Whether the values of an applied configuration are of the types that its kind declares: text where a number belongs is
// the client's mistake, and is told before anybody is asked whose field it is. Unknown fields and repeated items are the
// business of faultsOf(), which this goes before. Ranges and formats are looked at later, in the merged object.
// The words are upstream's, Go's way of showing a value included.
// Source: structured-merge-diff typed/validate.go and typed/helpers.go; kube-openapi schemaconv (formats as untyped scalars).

import { builtInSchemas, type createApplyTypes, type KindSpec, type Schema } from '../../api/index.ts';

type StructType = ReturnType<ReturnType<typeof createApplyTypes>['ofKind']>;
type Structural = NonNullable<KindSpec['custom']>['schema'];
type ApplyType = (StructType['fields'] extends ReadonlyMap<string, infer Field> ? Field : never)['type'];
type Fields = Readonly<Record<string, unknown>>;

interface Shape {
  readonly form: 'map' | 'list' | 'numeric' | 'string' | 'boolean' | 'scalar' | 'any';
  /** Of a field or key; undefined: nothing is known of it. */
  readonly below?: (name: string) => Shape | undefined;
  readonly items?: Shape | undefined;
}

const any: Shape = { form: 'any' };

/** `.spec.replicas: expected numeric (int or float), got …`, one a fault. @param type says how items of lists are named. */
export function typeFaultsOf(kind: KindSpec, type: StructType, config: object): readonly string[] {
  const schema = kind.custom === undefined ? builtInSchemas().ofKind(kind) : undefined;
  const shape = schema === undefined ? customShape(kind.custom?.schema) : builtInShape(schema);
  const faults: string[] = [];
  check({ shape, type }, config, '', faults);
  return faults;
}

function check(
  { shape, type }: { readonly shape: Shape; readonly type: ApplyType | undefined },
  value: unknown,
  path: string,
  faults: string[],
): void {
  if (value === null || shape.form === 'any') return;
  const why = whyMistyped(shape.form, value);
  if (why !== undefined) {
    faults.push(`${path}: ${why}`);
  } else if (shape.form === 'map') {
    for (const [name, inner] of Object.entries(value as Fields)) {
      const below = shape.below?.(name) ?? any;
      check({ shape: below, type: typeBelow(type, name) }, inner, `${path}.${name}`, faults);
    }
  } else if (shape.form === 'list') {
    const items = type?.form === 'keyed' ? type.items : undefined;
    for (const [index, item] of (value as readonly unknown[]).entries()) {
      check({ shape: shape.items ?? any, type: items }, item, `${path}${itemText(type, item, index)}`, faults);
    }
  }
}

function whyMistyped(form: Shape['form'], value: unknown): string | undefined {
  const isScalar = typeof value !== 'object';
  switch (form) {
    case 'map':
      return isFields(value) ? undefined : `expected map, got &{${shown(value)}}`;
    case 'list':
      return Array.isArray(value) ? undefined : `expected list, got &{${shown(value)}}`;
    case 'numeric':
      return typeof value === 'number' ? undefined : 'expected numeric (int or float), got *value.valueUnstructured';
    case 'string':
      if (typeof value === 'string') return undefined;
      return `expected string, got &value.valueUnstructured{Value:${literal(value)}}`;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `expected boolean, got &{${shown(value)}}`;
    case 'scalar':
      return isScalar ? undefined : `expected any scalar, got &{${shown(value)}}`;
    case 'any':
      return undefined;
  }
}

function typeBelow(type: ApplyType | undefined, name: string): ApplyType | undefined {
  if (type?.form === 'struct') return type.fields.get(name)?.type;
  return type?.form === 'map' ? type.values : undefined;
}

function itemText(type: ApplyType | undefined, item: unknown, index: number): string {
  if (type?.form === 'set') return `[=${JSON.stringify(item)}]`;
  if (type?.form !== 'keyed' || !isFields(item)) return `[${index}]`;
  return `[${type.keys.map(({ name, fallback }) => `${name}=${JSON.stringify(item[name] ?? fallback)}`).join(',')}]`;
}

function builtInShape(schema: Schema): Shape {
  switch (schema.type) {
    case 'object':
      return {
        form: 'map',
        below: (name) => {
          const field = schema.fields.get(name);
          return field && builtInShape(field.schema);
        },
      };
    case 'map':
      return { form: 'map', below: () => builtInShape(schema.values) };
    case 'list':
      return { form: 'list', items: builtInShape(schema.items) };
    case 'int32':
    case 'int64':
    case 'number':
      return { form: 'numeric' };
    case 'boolean':
      return { form: 'boolean' };
    case 'string':
    case 'bytes':
      return { form: 'string' };
    case 'any':
      return any;
    default:
      return { form: 'scalar' };
  }
}

function customShape(schema: Structural | undefined): Shape {
  const metadata = builtInSchemas().ofType('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta');
  return {
    form: 'map',
    below: (name) => {
      if (name === 'metadata') return metadata && builtInShape(metadata);
      if (name === 'apiVersion' || name === 'kind') return { form: 'string' };
      const one = schema?.properties.get(name);
      return one && structuralShape(one);
    },
  };
}

function structuralShape(schema: Structural): Shape {
  const { type, source, properties, values, items, intOrString } = schema;
  switch (type) {
    case 'object':
      return {
        form: 'map',
        below: (name) => {
          const one = properties.get(name) ?? values;
          return one && structuralShape(one);
        },
      };
    case 'array':
      return { form: 'list', items: items && structuralShape(items) };
    case 'integer':
    case 'number':
      return { form: 'numeric' };
    case 'boolean':
      return { form: 'boolean' };
    case 'string':
      return { form: (source.format ?? '') === '' || source.format === 'byte' ? 'string' : 'scalar' };
    default:
      return intOrString ? { form: 'scalar' } : any;
  }
}

/** As Go's %v shows it. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(shown).join(' ')}]`;
  if (isFields(value)) return `map[${sorted(value, (name, one) => `${name}:${shown(one)}`).join(' ')}]`;
  return value === null ? '<nil>' : String(value);
}

/** As Go's %#v shows it. */
function literal(value: unknown): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map(literal).join(', ')}}`;
  if (isFields(value)) {
    return `map[string]interface {}{${sorted(value, (name, one) => `${JSON.stringify(name)}:${literal(one)}`).join(', ')}}`;
  }
  return value === null ? 'interface {}(nil)' : JSON.stringify(value);
}

function sorted(fields: Fields, text: (name: string, value: unknown) => string): readonly string[] {
  return Object.keys(fields)
    .sort()
    .map((name) => text(name, fields[name]));
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
