// The compact schema file of the server out of the models and the overlay.

import { isDeepStrictEqual } from 'node:util';
import { fieldTables } from '../../src/api/protobuf/fields/tables.ts';
import { checkedEnums, unmarkedEnums } from '../../src/api/schema/enums.ts';
import { keptWhenEmpty, mergeFacts } from '../../src/api/schema/overlay.ts';
import type { FieldShape, MergeFacts, ScalarShape, SchemaFile, Shape, TypeShape } from '../../src/api/schema/shape.ts';
import type { Model, ModelField, ModelType } from './read-models.ts';

const machinery = 'io.k8s.apimachinery.pkg';

/** Types that are one value on the wire. */
export const scalarTypes: Readonly<Record<string, ScalarShape>> = {
  [`${machinery}.api.resource.Quantity`]: 'quantity',
  [`${machinery}.util.intstr.IntOrString`]: 'intOrString',
  [`${machinery}.apis.meta.v1.Time`]: 'time',
  [`${machinery}.apis.meta.v1.MicroTime`]: 'microTime',
  [`${machinery}.apis.meta.v1.FieldsV1`]: 'any',
  [`${machinery}.apis.meta.v1.Patch`]: 'any',
  [`${machinery}.runtime.RawExtension`]: 'any',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': 'any',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray': 'any',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool': 'any',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray': 'any',
};

export function runtimeSchema(models: ReadonlyMap<string, Model>): SchemaFile {
  const types: Record<string, TypeShape> = {};
  const kinds: Record<string, string> = {};
  for (const model of models.values()) {
    if (scalarTypes[model.name] !== undefined) continue;
    const kept = keptWhenEmpty[model.name];
    const dropped = new Set(zeroFields(model.name.split('.').slice(-3)).filter((name) => !kept?.includes(name)));
    const fields = Object.fromEntries(
      [...model.fields].map(([name, field]): [string, FieldShape] => [
        name,
        {
          is: shapeOf(field.type, field),
          ...mergeFactsOf(model.name, name),
          ...(dropped.has(name) ? { dropsZero: true } : {}),
        },
      ]),
    );
    const required = [...model.fields].flatMap(([name, field]) => (field.required ? [name] : []));
    types[model.name] = required.length === 0 ? { fields } : { fields, required };
    const gvk = model.groupVersionKind;
    if (gvk !== undefined) kinds[`${gvk.group}/${gvk.version}/${gvk.kind}`] = model.name;
  }
  for (const [type, fields] of Object.entries(mergeFacts)) {
    for (const field of Object.keys(fields)) {
      if (types[type]?.fields[field] === undefined)
        throw new Error(`overlay names ${type}.${field}, which does not exist`);
    }
  }
  return { types, kinds, values: valuesOf(models) };
}

/** The enums that the models carry, and what the overlay says instead or beside; it may not repeat them. */
function valuesOf(models: ReadonlyMap<string, Model>): SchemaFile['values'] {
  const values: Record<string, Record<string, readonly string[]>> = {};
  for (const { name: type, fields } of models.values()) {
    for (const [field, { type: given }] of fields) {
      const marked = enumIn(given);
      const checked = checkedEnums[type]?.[field];
      const unmarked = unmarkedEnums[type]?.[field];
      if (isDeepStrictEqual(marked, checked ?? unmarked) && marked !== undefined) {
        throw new Error(`the enum overlay repeats ${type}.${field}`);
      }
      if (checked !== undefined && !checked.every((one) => marked?.includes(one))) {
        throw new Error(`the enum overlay has values of ${type}.${field} that are not marked`);
      }
      if (unmarked !== undefined && marked !== undefined) {
        throw new Error(`${type}.${field} is a marked enum`);
      }
      const list = checked ?? unmarked ?? marked;
      if (list !== undefined) values[type] = { ...values[type], [field]: list };
    }
  }
  for (const [type, fields] of [...Object.entries(checkedEnums), ...Object.entries(unmarkedEnums)]) {
    for (const field of Object.keys(fields)) {
      if (values[type]?.[field] === undefined)
        throw new Error(`the enum overlay names ${type}.${field}, which does not exist`);
    }
  }
  return values;
}

/** Of a field, of the items of a list, of the values of a map. */
function enumIn(type: ModelType): readonly string[] | undefined {
  if ('list' in type) return enumIn(type.list);
  if ('map' in type) return enumIn(type.map);
  return 'scalar' in type ? type.enum : undefined;
}

const plainTypes = /^(?:\[\].+|\{\}.+|string|bool|bytes|int32|int64|double)$/;

/** Fields that are absent when zero: those without a mark in the protobuf tables; src/api/protobuf/line.ts. */
function zeroFields([group = '', version = '', kind = '']: readonly string[]): string[] {
  const table = fieldTables.find((one) => (one.group.split('.')[0] || 'core') === group && one.version === version);
  const row = table?.messages.split('\n').find((line) => line.startsWith(`${kind}:`)) ?? '';
  return row
    .slice(kind.length + 1)
    .split(',')
    .flatMap((text) => {
      const [name = '', , type = ''] = text.trim().split(' ');
      // Fields of another message that stand in this one.
      if (name === '...') return zeroFields([group, version, type.replace(/[?!]+$/, '')]);
      return plainTypes.test(type) && !/[?!]$/.test(type) ? [name] : [];
    });
}

export function mergeFactsOf(type: string, field: string): MergeFacts {
  return mergeFacts[type]?.[field] ?? {};
}

function shapeOf(type: ModelType, field: ModelField): Shape {
  if ('list' in type) return { list: shapeOf(type.list, field) };
  if ('map' in type) return { map: shapeOf(type.map, field) };
  if ('ref' in type) return scalarTypes[type.ref] ?? `#${type.ref}`;
  if (type.scalar === 'string' && field.format === 'byte') return 'bytes';
  if (type.scalar === 'number') {
    if (field.format === 'int32' || field.format === 'int64') return field.format;
    return field.format === 'double' ? 'number' : 'int64';
  }
  return type.scalar;
}
