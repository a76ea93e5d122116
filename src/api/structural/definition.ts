// What a CustomResourceDefinition must be, and what it is given by default. Its schemas have rules of their own
// (schema-rules.ts, cel-rules.ts). Source: apiextensions-apiserver pkg/apis/apiextensions (v1/defaults.go, validation).

import { duplicate, type FieldError, forbidden, invalid, required, tooMany } from '../field-error.ts';
import type { CustomResourceDefinition, Draft } from '../types.ts';
import { validateClient } from '../validation/admission.ts';
import { whyNotDns1035Label, whyNotDnsSubdomain } from '../validation/names.ts';
import { immutable, invalidFor, requireOneOf, requireText, sameJson } from '../validation/rules.ts';
import { judgeRules } from './cel-rules.ts';
import { compileJsonPath } from './json-path.ts';
import { isSchema, type JsonSchema } from './schema.ts';
import { judgeSchema } from './schema-rules.ts';

type Version = CustomResourceDefinition['spec']['versions'][number];
type Names = CustomResourceDefinition['spec']['names'];

const approval = 'api-approved.kubernetes.io';

export function defaultDefinition(definition: Draft<CustomResourceDefinition>): void {
  const { spec } = definition;
  if (typeof spec !== 'object' || spec === null) return;
  const names = spec.names as Draft<Names> | undefined;
  if (names !== undefined) {
    if ((names.singular ?? '') === '') names.singular = (names.kind ?? '').toLowerCase();
    if ((names.listKind ?? '') === '' && (names.kind ?? '') !== '') names.listKind = `${names.kind}List`;
  }
  spec.conversion ??= { strategy: 'None' };
  const service = spec.conversion.webhook?.clientConfig?.service;
  if (service !== undefined) service.port ??= 443;
}

/**
 * Errors name places as upstream's internal form has them: what is the same in every version (so all of a definition with
 * one version) stands once, under `spec.validation`, `spec.subresources` and so on.
 */
export function validateDefinition({ metadata, spec, status }: CustomResourceDefinition): readonly FieldError[] {
  const { group = '', scope, names, versions = [], conversion, preserveUnknownFields } = spec ?? emptySpec;
  const errors: FieldError[] = [];
  if (metadata?.name !== `${names?.plural ?? ''}.${group}`) {
    errors.push(invalid('metadata.name', metadata?.name ?? '', 'must be spec.names.plural+"."+spec.group'));
  }
  errors.push(
    ...validateGroup(group),
    ...requireOneOf('spec.scope', scope, ['Cluster', 'Namespaced']),
    ...versions.flatMap(({ schema }, index) =>
      schema?.openAPIV3Schema === undefined
        ? [required(`spec.versions[${index}].schema.openAPIV3Schema`, 'schemas are required')]
        : [],
    ),
    ...validateVersions(versions),
    ...validateNames(names),
    ...validateParts(versions),
    ...validateConversion(conversion),
  );
  if ((status?.storedVersions ?? []).length === 0) {
    errors.push(invalid('status.storedVersions', [], 'must have at least one stored version'));
  }
  if (/(^|\.)(k8s|kubernetes)\.io$/.test(group)) errors.push(...validateApproval(metadata?.annotations));
  if (preserveUnknownFields === true) {
    const why =
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
    errors.push(invalid('spec.preserveUnknownFields', true, why));
  }
  return errors;
}

const emptySpec: Partial<CustomResourceDefinition['spec']> = {};

function validateGroup(group: string): readonly FieldError[] {
  if (group === '') return [required('spec.group')];
  const why = whyNotDnsSubdomain(group);
  if (why.length > 0) return [invalid('spec.group', group, why.join(','))];
  return group.includes('.') ? [] : [invalid('spec.group', group, 'should be a domain with at least one dot')];
}

function validateApproval(annotations: Readonly<Record<string, string>> | undefined): readonly FieldError[] {
  const value = annotations?.[approval] ?? '';
  const field = `metadata.annotations[${approval}]`;
  const see = 'see https://github.com/kubernetes/enhancements/pull/1111';
  if (value === '') return [required(field, `protected groups must have approval annotation "${approval}", ${see}`)];
  return URL.canParse(value) || value.startsWith('unapproved')
    ? []
    : [
        invalid(
          field,
          value,
          `protected groups must have approval annotation "${approval}" with either a URL or a reason starting with "unapproved", ${see}`,
        ),
      ];
}

function validateNames(names: Names | undefined): readonly FieldError[] {
  const { plural = '', singular = '', kind = '', listKind = '', shortNames = [], categories = [] } = names ?? {};
  const at = 'spec.names';
  const mixed = 'may have mixed case, but should otherwise match: ';
  const label = (field: string, value: string, judged = value, how = ''): readonly FieldError[] => {
    const why = whyNotDns1035Label(judged);
    return why.length === 0 ? [] : [invalid(field, value, `${how}${why.join(',')}`)];
  };
  const optional = (...given: Parameters<typeof label>): readonly FieldError[] =>
    given[1] === '' ? [] : label(...given);
  const errors = [
    ...requireText(`${at}.plural`, plural),
    ...requireText(`${at}.singular`, singular),
    ...requireText(`${at}.kind`, kind),
    ...requireText(`${at}.listKind`, listKind),
    ...optional(`${at}.plural`, plural),
    ...optional(`${at}.singular`, singular),
    ...optional(`${at}.kind`, kind, kind.toLowerCase(), mixed),
    ...optional(`${at}.listKind`, listKind, listKind.toLowerCase(), mixed),
    ...shortNames.flatMap((name, index) => label(`${at}.shortNames[${index}]`, name)),
  ];
  if (kind !== '' && kind === listKind)
    errors.push(invalid(`${at}.listKind`, listKind, 'kind and listKind may not be the same'));
  return [...errors, ...categories.flatMap((name, index) => label(`${at}.categories[${index}]`, name))];
}

function validateVersions(versions: readonly Version[]): readonly FieldError[] {
  const names = versions.map(({ name = '' }) => name);
  const errors: FieldError[] = versions.flatMap(({ name = '', deprecated, deprecationWarning: warning }, index) => {
    const at = `spec.versions[${index}]`;
    const why = whyNotDns1035Label(name);
    return [
      ...(why.length === 0 ? [] : [invalid(`${at}.name`, name, why.join(','))]),
      ...invalidFor(`${at}.deprecationWarning`, warning, whyNotWarning(warning, deprecated === true)),
    ];
  });
  if (new Set(names).size < names.length) {
    errors.push(invalid('spec.versions', names, 'must contain unique version names'));
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    errors.push(invalid('spec.versions', names, 'must have exactly one version marked as storage version'));
  }
  const [first = ''] = names;
  const why = first === '' ? [] : whyNotDns1035Label(first);
  if (why.length > 0) errors.push(invalid('spec.version', first, why.join(',')));
  return errors;
}

function whyNotWarning(warning: string | undefined, deprecated: boolean): readonly string[] {
  if (warning === undefined) return [];
  if (!deprecated) return ['can only be set for deprecated versions'];
  if (warning === '') return ['must not be an empty string'];
  const reasons: string[] = [];
  if (Buffer.byteLength(warning) > 256) reasons.push('must be <= 256 characters long');
  const bad = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(warning);
  if (bad !== null) {
    const index = Buffer.byteLength(warning.slice(0, bad.index));
    reasons.push(`must only contain printable UTF-8 characters; non-printable character found at index ${index}`);
  }
  return reasons;
}

/** The parts of versions, each once where every version has the same. */
function validateParts(versions: readonly Version[]): readonly FieldError[] {
  const [first] = versions;
  if (first === undefined) return [];
  const same = (part: keyof Version): boolean => versions.every((version) => sameJson(version[part], first[part]));
  const shared = { schema: same('schema'), scale: same('subresources'), columns: same('additionalPrinterColumns') };
  const sharedFields = same('selectableFields');
  const anyStatus = versions.some(({ subresources }) => subresources?.status !== undefined);
  const own = versions.flatMap((version, index) => {
    const at = `spec.versions[${index}]`;
    const hasStatus = (shared.scale ? first : version).subresources?.status !== undefined;
    return [
      ...(shared.schema ? [] : validateSchemaOf(version, { at: `${at}.schema`, hasStatus })),
      ...(shared.scale ? [] : validateScale(version, `${at}.subresources`)),
      ...(shared.columns ? [] : validateColumns(version, at)),
      ...(sharedFields && shared.schema ? [] : validateSelectables(version, at)),
    ];
  });
  return [
    ...own,
    ...(shared.schema ? validateSchemaOf(first, { at: 'spec.validation', hasStatus: anyStatus }) : []),
    ...(shared.scale ? validateScale(first, 'spec.subresources') : []),
    ...(shared.columns ? validateColumns(first, 'spec') : []),
    ...(sharedFields && shared.schema ? validateSelectables(first, 'spec') : []),
  ];
}

function validateSchemaOf(
  { schema }: Version,
  { at, hasStatus }: { readonly at: string; readonly hasStatus: boolean },
): readonly FieldError[] {
  const root = schema?.openAPIV3Schema as JsonSchema | undefined;
  if (root === undefined) return [];
  const path = `${at}.openAPIV3Schema`;
  const structure = judgeSchema(root, { path, hasStatus });
  return structure.length > 0 ? structure : judgeRules(root, path);
}

type PrinterColumn = NonNullable<Version['additionalPrinterColumns']>[number];
const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];

function validateColumns({ additionalPrinterColumns = [] }: Version, at: string): readonly FieldError[] {
  return additionalPrinterColumns.flatMap((one, index) =>
    validateColumn(one, `${at}.additionalPrinterColumns[${index}]`),
  );
}

function validateColumn({ name, type = '', format = '', jsonPath = '' }: PrinterColumn, at: string): FieldError[] {
  const errors = requireText(`${at}.name`, name);
  const typeDetail = `must be one of ${columnTypes.join(',')}`;
  if (type === '') errors.push(required(`${at}.type`, typeDetail));
  else if (!columnTypes.includes(type)) errors.push(invalid(`${at}.type`, type, typeDetail));
  if (format !== '' && !columnFormats.includes(format)) {
    errors.push(invalid(`${at}.format`, format, `must be one of ${columnFormats.join(',')}`));
  }
  if (jsonPath === '') return [...errors, required(`${at}.JSONPath`)];
  const simple = simplePath(`${at}.JSONPath`, jsonPath);
  if (simple.length > 0) return [...errors, ...simple];
  try {
    compileJsonPath(jsonPath);
    return errors;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [...errors, invalid(`${at}.JSONPath`, jsonPath, `is an invalid path: ${error.message}`)];
  }
}

function simplePath(field: string, path: string): readonly FieldError[] {
  return path.startsWith('.') ? [] : [invalid(field, path, 'must be a simple json path starting with .')];
}

function validateScale({ subresources }: Version, path: string): readonly FieldError[] {
  const scale = subresources?.scale;
  if (scale === undefined) return [];
  const under = (name: keyof typeof scale, roots: readonly string[], where: string): readonly FieldError[] => {
    const value = scale[name] ?? '';
    const field = `${path}.scale.${name}`;
    if (value === '') return name === 'labelSelectorPath' ? [] : [required(field)];
    const simple = simplePath(field, value);
    if (simple.length > 0 || roots.some((root) => value.startsWith(root))) return simple;
    return [invalid(field, value, `should be a json path under ${where}`)];
  };
  return [
    ...under('specReplicasPath', ['.spec.'], '.spec'),
    ...under('statusReplicasPath', ['.status.'], '.status'),
    ...under('labelSelectorPath', ['.spec.', '.status.'], 'either .spec or .status'),
  ];
}

const selectableMax = 8;

function validateSelectables({ schema, selectableFields = [] }: Version, path: string): readonly FieldError[] {
  const root = schema?.openAPIV3Schema as JsonSchema | undefined;
  if (root === undefined) return [];
  const at = `${path}.selectableFields`;
  const paths = selectableFields.map(({ jsonPath = '' }) => jsonPath);
  const errors = paths.flatMap((jsonPath, index): readonly FieldError[] => {
    const field = `${at}[${index}].jsonPath`;
    if (jsonPath === '') return [required(field)];
    const wrong = validateSelectable(root, jsonPath, field);
    return paths.indexOf(jsonPath) < index ? [...wrong, duplicate(field, jsonPath)] : wrong;
  });
  const count = new Set(paths).size;
  return count > selectableMax ? [...errors, tooMany(at, count, selectableMax)] : errors;
}

function validateSelectable(root: JsonSchema, path: string, at: string): readonly FieldError[] {
  let schema: JsonSchema | undefined = root;
  for (const name of path.split('.').filter(Boolean)) schema = isSchema(schema) ? schema.properties?.[name] : undefined;
  if (schema === undefined) return [invalid(at, path, 'is an invalid path: does not refer to a valid field')];
  const errors: FieldError[] = [];
  if (/^\.?metadata(\.|$)/.test(path)) errors.push(invalid(at, path, 'must not point to fields in metadata'));
  if (!['string', 'boolean', 'integer'].includes(schema.type ?? '')) {
    const why =
      'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';
    errors.push(invalid(at, path, why));
  }
  return errors;
}

function validateConversion(conversion: CustomResourceDefinition['spec']['conversion']): readonly FieldError[] {
  if (conversion === undefined) return [];
  const { strategy, webhook } = conversion;
  const at = 'spec.conversion';
  const errors = requireOneOf(`${at}.strategy`, strategy, ['None', 'Webhook']);
  const client = `${at}.webhookClientConfig`;
  const reviews = `${at}.conversionReviewVersions`;
  const versions = webhook?.conversionReviewVersions ?? [];
  if (strategy !== 'Webhook') {
    const why = 'should not be set when strategy is not set to Webhook';
    if (webhook?.clientConfig !== undefined) errors.push(forbidden(client, why));
    return versions.length === 0 ? errors : [...errors, forbidden(reviews, why)];
  }
  if (webhook?.clientConfig === undefined) {
    errors.push(required(client, 'required when strategy is set to Webhook'));
  } else errors.push(...validateClient(client, webhook.clientConfig));
  if (versions.length === 0) return [...errors, required(reviews)];
  for (const [index, version] of versions.entries()) {
    const field = `${reviews}[${index}]`;
    if (versions.indexOf(version) < index) errors.push(invalid(field, version, 'duplicate version'));
    else errors.push(...invalidFor(field, version, whyNotDns1035Label(version)));
  }
  return versions.includes('v1') ? errors : [...errors, invalid(reviews, versions, 'must include at least one of v1')];
}

/** Beside what `validateDefinition` says of the new one. */
export function validateDefinitionUpdate(
  { spec, status }: CustomResourceDefinition,
  { spec: before, status: observed }: CustomResourceDefinition,
): readonly FieldError[] {
  const { group = '', scope = '', names, versions = [] }: Partial<CustomResourceDefinition['spec']> = spec ?? emptySpec;
  const errors: FieldError[] = [];
  if (observed?.conditions?.some((one) => one.type === 'Established' && one.status === 'True') === true) {
    errors.push(...immutable('spec.scope', scope, before.scope));
    errors.push(...immutable('spec.names.kind', names?.kind ?? '', before.names.kind));
  }
  errors.push(
    ...immutable('spec.group', group, before.group),
    ...immutable('spec.names.plural', names?.plural ?? '', before.names.plural),
  );
  const stored = status?.storedVersions ?? [];
  for (const [index, version] of stored.entries()) {
    if (versions.some(({ name }) => name === version)) continue;
    const why = `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`;
    errors.push(invalid(`status.storedVersions[${index}]`, version, why));
  }
  const repeated = stored.filter((version, index) => stored.indexOf(version) < index);
  return [...errors, ...repeated.map((version) => duplicate('status.storedVersions', version))];
}
