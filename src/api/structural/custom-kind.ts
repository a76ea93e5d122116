// From a CustomResourceDefinition to kinds: one KindSpec per version, of the same type as the built-in ones, so that routes,
// storage, watches, tables and discovery need to know nothing of definitions.
//
// Objects are stored in the storage version. Another served version names it in `storedAs`; with conversion None, all that
// differs is apiVersion, and the defaults and unknown fields of that version's own schema. With a webhook the caller brings
// the function that asks it.

import { conform } from '../decode/conform.ts';
import type { FieldError } from '../field-error.ts';
import { apiVersionOf, type KindSpec, type ScalePaths, type StoredAs } from '../kind.ts';
import { scale, status } from '../kinds/define.ts';
import { builtInSchemas } from '../schema/schema.ts';
import type { CustomResourceDefinition, KubeObject } from '../types.ts';
import { sameJson } from '../validation/rules.ts';
import { compileRules } from './cel-rules.ts';
import { printerColumns } from './columns.ts';
import { applySchemaDefaults } from './default.ts';
import { conformEmbedded, judgeEmbedded, notMetadata } from './embedded.ts';
import { type Fields, isFields } from './fields.ts';
import { compileJsonPath } from './json-path.ts';
import { prune } from './prune.ts';
import { judgeScale } from './scale-rules.ts';
import { anyObject, compileStructural, type JsonSchema, type StructuralSchema } from './schema.ts';
import { judgeListTypes, noField, validateSchema } from './validate.ts';

type Version = CustomResourceDefinition['spec']['versions'][number];

interface CustomKinds {
  /** Every version; those that are not served are virtual. The storage version comes first. */
  readonly specs: readonly KindSpec[];
  readonly storage: KindSpec;
}

/** An object in another version of its group; `object` is not changed. Throws what the caller of a kind's `storedAs` waits for. */
export type ConvertObject = (object: KubeObject, apiVersion: string) => KubeObject;

const sameButVersion: ConvertObject = (object, apiVersion) => ({ ...structuredClone(object), apiVersion });

/**
 * The definition has been validated. Throws Error when it has no storage version.
 * @param webhook for conversion strategy Webhook; never called for an object that is of the version already.
 */
export function customKinds(definition: CustomResourceDefinition, webhook?: ConvertObject): CustomKinds {
  const { versions } = definition.spec;
  const stored = versions.find((version) => version.storage);
  if (stored === undefined) throw new Error(`${definition.metadata?.name} has no storage version`);
  const storage = specOf(definition, stored);
  const convert = conversionOf(definition, webhook);
  const others = versions
    .filter((version) => version !== stored)
    .map((version) => {
      const spec = specOf(definition, version);
      return { ...spec, storedAs: conversion(spec, storage, convert) };
    });
  return { specs: [storage, ...others], storage };
}

/**
 * The same kind for objects that may have been stored under an earlier definition: each read brings them up to date.
 * `isCurrent`: this object was stored under the present one.
 */
export function readingOldObjects(
  storage: KindSpec,
  isCurrent: (object: KubeObject) => boolean,
  convert: ConvertObject,
): KindSpec {
  const { fromStored } = conversion(storage, storage, convert);
  const storedAs: StoredAs = {
    kind: storage,
    toStored: (object) => object,
    fromStored: (object) => (isCurrent(object) ? object : fromStored(object)),
  };
  return { ...storage, storedAs };
}

/** Whether an object reads otherwise under the present definition than it was stored. */
export function readsOtherwise(storage: KindSpec, object: KubeObject): boolean {
  if (object.apiVersion !== apiVersionOf(storage)) return true;
  return !sameJson(object, conversion(storage, storage, sameButVersion).fromStored(object));
}

/** How objects of a definition go from version to version. */
export function conversionOf({ spec }: CustomResourceDefinition, webhook?: ConvertObject): ConvertObject {
  if (!asksWebhook(spec) || webhook === undefined) return sameButVersion;
  return (object, apiVersion) =>
    object.apiVersion === apiVersion ? structuredClone(object) : webhook(object, apiVersion);
}

function asksWebhook({ conversion: given, versions }: CustomResourceDefinition['spec']): boolean {
  return given?.strategy === 'Webhook' && versions.length > 1;
}

function conversion(spec: KindSpec, storage: KindSpec, convert: ConvertObject): StoredAs {
  return {
    kind: storage,
    toStored(object) {
      const stored = convert(object, apiVersionOf(storage));
      storage.defaults?.(stored as never);
      return stored;
    },
    fromStored(object) {
      const own = convert(object, apiVersionOf(spec));
      spec.custom?.conform(own);
      // Only the storage version's defaults apply to what is stored.
      if (spec === storage) spec.defaults?.(own as never);
      return own;
    },
  };
}

function specOf(definition: CustomResourceDefinition, version: Version): KindSpec {
  const { group, scope, names: wanted } = definition.spec;
  const { metadata, status: observed } = definition;
  // Short names and categories are the accepted ones: another definition may have them already.
  const { shortNames = [], categories = [] } = observed?.acceptedNames ?? {};
  const { kind, plural, singular = kind.toLowerCase(), listKind = `${kind}List` } = wanted;
  const schema = compileStructural((version.schema?.openAPIV3Schema as JsonSchema | undefined) ?? anyObject);
  const rules = compileRules(schema);
  const { subresources } = version;
  const scales = subresources?.scale === undefined ? undefined : scalePaths(subresources.scale);
  const judge = (object: KubeObject, old?: KubeObject): readonly FieldError[] => {
    const errors = [
      ...validateSchema(schema, object, old),
      ...(scales === undefined ? [] : judgeScale(scales, object as Fields)),
      ...judgeEmbedded(schema, object as Fields),
      ...judgeListTypes(schema, object, old),
    ];
    // Rules may rely on what the schema says.
    return (errors.length > 0 ? errors : rules(object, old)).map((one) =>
      one.field === '' ? { ...one, field: noField } : one,
    );
  };
  return {
    group,
    version: version.name,
    kind,
    listKind,
    plural,
    singular,
    namespaced: scope === 'Namespaced',
    shortNames,
    categories,
    ...(version.served ? {} : { virtual: true }),
    ...(version.deprecated === true ? { deprecation: deprecationOf(definition, version) } : {}),
    subresources: [
      ...(subresources?.status === undefined ? [] : [status]),
      ...(subresources?.scale === undefined ? [] : [scale]),
    ],
    ...(scales === undefined ? {} : { scale: scales }),
    generation: ['*'],
    fieldSelectors: selectable(version),
    columns: printerColumns(version.additionalPrinterColumns),
    custom: {
      schema,
      conform: (object) => conformCustom(schema, object),
      ...(metadata?.deletionTimestamp === undefined ? {} : { ending: true as const }),
      ...(asksWebhook(definition.spec) ? { converts: true as const } : {}),
    },
    defaults: (object: KubeObject) => void applySchemaDefaults(schema, object),
    validate: (object: KubeObject) => judge(object),
    validateUpdate: (object: KubeObject, old: KubeObject) => judge(object, old),
  };
}

function deprecationOf({ spec }: CustomResourceDefinition, { name, deprecationWarning }: Version): string {
  return deprecationWarning ?? `${spec.group}/${name} ${spec.names.kind} is deprecated`;
}

/** Takes out what the schema does not know, and answers it. Throws DecodeError for metadata of the wrong types. */
function conformCustom(schema: StructuralSchema, object: KubeObject): readonly string[] {
  const problems = conformMetadata(object.metadata);
  const unknown = prune(schema, object);
  conformEmbedded(schema, object as Fields);
  return [...problems, ...unknown.map((path) => `unknown field ${JSON.stringify(path)}`)];
}

function conformMetadata(metadata: unknown): readonly string[] {
  const type = builtInSchemas().ofType('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta');
  if (type === undefined || metadata === undefined || metadata === null) return [];
  if (!isFields(metadata)) throw notMetadata(metadata);
  return conform(type, metadata).problems.map((problem) => problem.replace(' field "', ' field "metadata.'));
}

function scalePaths(given: NonNullable<NonNullable<Version['subresources']>['scale']>): ScalePaths {
  return {
    specReplicas: given.specReplicasPath,
    statusReplicas: given.statusReplicasPath,
    selector: given.labelSelectorPath ?? '',
  };
}

function selectable({ selectableFields = [] }: Version): NonNullable<KindSpec['fieldSelectors']> {
  return Object.fromEntries(
    selectableFields.map(({ jsonPath }) => {
      const find = compileJsonPath(jsonPath);
      const text = (object: KubeObject): string => {
        const [found] = find(object as Fields);
        return found === undefined ? '' : String(found);
      };
      return [jsonPath.replace(/^\./, ''), text];
    }),
  );
}
