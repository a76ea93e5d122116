// What a CustomResourceDefinition must be, and what it is given by default. Its schemas have rules of their own
// (schema-rules.ts, cel-rules.ts). Source: apiextensions-apiserver pkg/apis/apiextensions (v1/defaults.go, validation).

import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../field-error.ts';
import type { CustomResourceDefinition, Draft } from '../types.ts';
import { validateClient } from '../validation/admission.ts';
import { whyNotDns1035Label, whyNotDnsSubdomain } from '../validation/names.ts';
import { immutable, invalidFor, noDuplicates, oneOf, requireText } from '../validation/rules.ts';
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

export function validateDefinition({ metadata, spec }: CustomResourceDefinition): readonly FieldError[] {
  if (spec === undefined) return [required('spec')];
  const { group = '', names, versions = [] } = spec;
  const errors: FieldError[] = [
    ...requireText('spec.group', group),
    ...(group === '' ? [] : invalidFor('spec.group', group, whyNotDnsSubdomain(group))),
    ...requireText('spec.scope', spec.scope),
    ...oneOf('spec.scope', spec.scope, ['Cluster', 'Namespaced']),
    ...validateNames(names),
    ...validateVersions(versions),
    ...validateConversion(spec.conversion),
  ];
  if (group !== '' && !group.includes('.')) {
    errors.push(invalid('spec.group', group, 'should be a domain with at least one dot'));
  }
  if (/(^|\.)(k8s|kubernetes)\.io$/.test(group)) errors.push(...validateApproval(metadata?.annotations));
  if (metadata?.name !== `${names?.plural}.${group}`) {
    errors.push(invalid('metadata.name', metadata?.name ?? '', 'must be spec.names.plural+"."+spec.group'));
  }
  if (spec.preserveUnknownFields === true) {
    errors.push(invalid('spec.preserveUnknownFields', true, 'must be false'));
  }
  return errors;
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
  const label = (field: string, value: string): readonly FieldError[] =>
    value === '' ? [] : invalidFor(field, value, whyNotDns1035Label(value));
  const mixed = (field: string, value: string): readonly FieldError[] =>
    value === ''
      ? []
      : invalidFor(
          field,
          value,
          whyNotDns1035Label(value.toLowerCase()).map(
            (why) => `may have mixed case, but should otherwise match: ${why}`,
          ),
        );
  const errors = [
    ...requireText(`${at}.plural`, plural),
    ...requireText(`${at}.singular`, singular),
    ...requireText(`${at}.kind`, kind),
    ...requireText(`${at}.listKind`, listKind),
    ...label(`${at}.plural`, plural),
    ...label(`${at}.singular`, singular),
    ...mixed(`${at}.kind`, kind),
    ...mixed(`${at}.listKind`, listKind),
    ...shortNames.flatMap((name, index) => label(`${at}.shortNames[${index}]`, name)),
    ...categories.flatMap((name, index) => label(`${at}.categories[${index}]`, name)),
  ];
  if (kind !== '' && kind === listKind)
    errors.push(invalid(`${at}.listKind`, listKind, 'kind and listKind may not be the same'));
  return errors;
}

function validateVersions(versions: readonly Version[]): readonly FieldError[] {
  const errors: FieldError[] = [];
  const storage = versions.filter((one) => one.storage);
  const names = versions.map(({ name }) => name);
  if (storage.length !== 1) {
    errors.push(invalid('spec.versions', names, 'must have exactly one version marked as storage version'));
  }
  errors.push(...noDuplicates(names.map((name, index) => [`spec.versions[${index}].name`, name])));
  return [...errors, ...versions.flatMap((version, index) => validateVersion(version, `spec.versions[${index}]`))];
}

function validateVersion(version: Version, at: string): readonly FieldError[] {
  const { name, schema, subresources, additionalPrinterColumns = [], selectableFields = [] } = version;
  const root = schema?.openAPIV3Schema as JsonSchema | undefined;
  const path = `${at}.schema.openAPIV3Schema`;
  const errors = [
    ...requireText(`${at}.name`, name),
    ...(name ? invalidFor(`${at}.name`, name, whyNotDns1035Label(name)) : []),
    ...additionalPrinterColumns.flatMap((one, index) =>
      validateColumn(one, `${at}.additionalPrinterColumns[${index}]`),
    ),
    ...validateScale(subresources?.scale, `${at}.subresources.scale`),
  ];
  if (version.deprecated !== true && version.deprecationWarning !== undefined) {
    errors.push(
      invalid(`${at}.deprecationWarning`, version.deprecationWarning, 'can only be set for deprecated versions'),
    );
  }
  if (root === undefined) return [...errors, required(path, 'schemas are required')];
  const structure = judgeSchema(root, path);
  errors.push(
    ...structure,
    ...selectableFields.flatMap(({ jsonPath }, index) =>
      validateSelectable(root, jsonPath, `${at}.selectableFields[${index}].jsonPath`),
    ),
  );
  if (structure.length === 0) errors.push(...judgeRules(root, path));
  return errors;
}

type PrinterColumn = NonNullable<Version['additionalPrinterColumns']>[number];
const columnTypes = ['integer', 'number', 'string', 'boolean', 'date'];

function validateColumn({ name, type, jsonPath }: PrinterColumn, at: string): readonly FieldError[] {
  return [
    ...requireText(`${at}.name`, name),
    ...requireText(`${at}.type`, type),
    ...oneOf(`${at}.type`, type, columnTypes),
    ...requireText(`${at}.jsonPath`, jsonPath),
    ...validatePath(jsonPath, `${at}.jsonPath`),
  ];
}

function validatePath(path: string | undefined, at: string): readonly FieldError[] {
  if (path === undefined || path === '') return [];
  try {
    compileJsonPath(path);
    return [];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [invalid(at, path, `is an invalid path: ${error.message}`)];
  }
}

type Scale = NonNullable<NonNullable<Version['subresources']>['scale']>;

function validateScale(scale: Scale | undefined, at: string): readonly FieldError[] {
  if (scale === undefined) return [];
  const under = (field: string, value: string | undefined, roots: readonly string[]): readonly FieldError[] =>
    value === undefined || value === '' || roots.some((root) => value.startsWith(root))
      ? []
      : [
          invalid(
            `${at}.${field}`,
            value,
            `should be a json path under ${roots.map((root) => root.slice(0, -1)).join(' or ')}`,
          ),
        ];
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = scale;
  return [
    ...requireText(`${at}.specReplicasPath`, specReplicasPath),
    ...under('specReplicasPath', specReplicasPath, ['.spec.']),
    ...requireText(`${at}.statusReplicasPath`, statusReplicasPath),
    ...under('statusReplicasPath', statusReplicasPath, ['.status.']),
    ...under('labelSelectorPath', labelSelectorPath, ['.spec.', '.status.']),
  ];
}

function validateSelectable(root: JsonSchema, path: string, at: string): readonly FieldError[] {
  let schema: JsonSchema | undefined = root;
  for (const name of path.split('.').filter(Boolean)) schema = isSchema(schema) ? schema.properties?.[name] : undefined;
  if (schema === undefined) return [invalid(at, path, 'is an invalid path: does not refer to a valid field')];
  return ['string', 'boolean', 'integer'].includes(schema.type ?? '')
    ? []
    : [
        invalid(
          at,
          path,
          `must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.`,
        ),
      ];
}

function validateConversion(conversion: CustomResourceDefinition['spec']['conversion']): readonly FieldError[] {
  if (conversion === undefined) return [];
  const { strategy, webhook } = conversion;
  const at = 'spec.conversion';
  if (strategy !== 'None' && strategy !== 'Webhook') {
    return strategy ? [notSupported(`${at}.strategy`, strategy, ['None', 'Webhook'])] : [required(`${at}.strategy`)];
  }
  if (strategy === 'None') {
    return webhook === undefined
      ? []
      : [forbidden(`${at}.webhook`, 'should not be set when strategy is not set to Webhook')];
  }
  if (webhook?.clientConfig === undefined) {
    return [required(`${at}.webhook.clientConfig`, 'required when strategy is set to Webhook')];
  }
  const versions = webhook.conversionReviewVersions ?? [];
  const errors = [...validateClient(`${at}.webhook.clientConfig`, webhook.clientConfig)];
  if (versions.length === 0) errors.push(required(`${at}.webhook.conversionReviewVersions`));
  else if (!versions.includes('v1'))
    errors.push(invalid(`${at}.webhook.conversionReviewVersions`, versions, 'must include at least one of v1'));
  return errors;
}

/** Beside what `validateDefinition` says of the new one. */
export function validateDefinitionUpdate(
  { spec, status }: CustomResourceDefinition,
  old: CustomResourceDefinition,
): readonly FieldError[] {
  const errors: FieldError[] = [
    ...immutable('spec.group', spec.group, old.spec.group),
    ...immutable('spec.names.plural', spec.names.plural, old.spec.names.plural),
  ];
  const wasEstablished = old.status?.conditions?.some((one) => one.type === 'Established' && one.status === 'True');
  if (wasEstablished === true) {
    errors.push(...immutable('spec.scope', spec.scope, old.spec.scope));
    errors.push(...immutable('spec.names.kind', spec.names.kind, old.spec.names.kind));
  }
  const stored = status?.storedVersions ?? [];
  const names = spec.versions.map(({ name }) => name);
  for (const [index, version] of stored.entries()) {
    if (names.includes(version)) continue;
    const why = `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`;
    errors.push(invalid(`status.storedVersions[${index}]`, version, why));
  }
  const repeated = stored.filter((version, index) => stored.indexOf(version) < index);
  return [...errors, ...repeated.map((version) => duplicate('status.storedVersions', version))];
}
