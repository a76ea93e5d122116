// Environment variables of a container, one by one and whole sets. Source: kubernetes pkg/apis/core/validation
// (ValidateEnv, ValidateEnvFrom).

import { type FieldError, invalid, required } from '../field-error.ts';
import type { Container } from '../types.ts';
import { validateFieldRef, validateResourceRef } from './field-refs.ts';
import { validFilePath } from './file-paths.ts';
import { whyNotConfigMapKey, whyNotDnsLabel, whyNotDnsSubdomain, whyNotEnvVarName } from './names.ts';
import { each, invalidFor } from './rules.ts';

type Variable = NonNullable<Container['env']>[number];
type Source = NonNullable<Variable['valueFrom']>;
type Whole = NonNullable<Container['envFrom']>[number];

export function validateEnv({ env, envFrom }: Container, field: string): FieldError[] {
  const sets = `${field}.envFrom`;
  return [
    ...each(`${field}.env`, env, validateVariable),
    ...each(sets, envFrom, (source, at) => validateWhole(source, at, sets)),
  ];
}

function validateVariable({ name, value, valueFrom }: Variable, field: string): FieldError[] {
  const errors = name ? invalidFor(`${field}.name`, name, whyNotEnvVarName(name)) : [required(`${field}.name`)];
  if (valueFrom === undefined) return errors;
  const at = `${field}.valueFrom`;
  errors.push(...validateSource(valueFrom, at));
  const count = Object.keys(valueFrom).length;
  if (count === 0) {
    const why =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    errors.push(invalid(at, '', why));
  } else if (value) errors.push(invalid(at, '', 'may not be specified when `value` is not empty'));
  else if (count > 1) errors.push(invalid(at, '', 'may not have more than one field specified at a time'));
  return errors;
}

function validateSource(source: Source, at: string): FieldError[] {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  const errors: FieldError[] = [];
  if (fieldRef !== undefined) errors.push(...validateFieldRef(`${at}.fieldRef`, fieldRef, 'env'));
  if (resourceFieldRef !== undefined) {
    errors.push(...validateResourceRef(`${at}.resourceFieldRef`, resourceFieldRef, 'env'));
  }
  if (configMapKeyRef !== undefined) errors.push(...validateKeyRef(`${at}.configMapKeyRef`, configMapKeyRef));
  if (secretKeyRef !== undefined) errors.push(...validateKeyRef(`${at}.secretKeyRef`, secretKeyRef));
  if (fileKeyRef !== undefined) {
    const { key, path, volumeName } = fileKeyRef;
    const here = `${at}.fileKeyRef`;
    errors.push(
      ...(key ? invalidFor(`${here}.key`, key, whyNotEnvVarName(key)) : [required(`${here}.key`)]),
      ...(volumeName
        ? invalidFor(`${here}.volumeName`, volumeName, whyNotDnsLabel(volumeName))
        : [required(`${here}.volumeName`)]),
      ...(path ? validFilePath(`${here}.path`, path) : [required(`${here}.path`)]),
    );
  }
  return errors;
}

function validateKeyRef(field: string, { name = '', key }: { name?: string; key?: string }): FieldError[] {
  return [
    ...invalidFor(`${field}.name`, name, whyNotDnsSubdomain(name)),
    ...(key ? invalidFor(`${field}.key`, key, whyNotConfigMapKey(key)) : [required(`${field}.key`)]),
  ];
}

/** How many sources a set has is said of the whole list, as upstream says it. */
function validateWhole(source: Whole, field: string, list: string): FieldError[] {
  const { prefix } = source;
  const errors = prefix ? invalidFor(`${field}.prefix`, prefix, whyNotEnvVarName(prefix)) : [];
  let count = 0;
  for (const key of ['configMapRef', 'secretRef'] as const) {
    const ref = source[key];
    if (ref === undefined) continue;
    count += 1;
    const at = `${field}.${key}.name`;
    // The name may be the beginning of one: a dash at its end is fine.
    if (ref.name) errors.push(...invalidFor(at, ref.name, whyNotDnsSubdomain(ref.name.replace(/-$/, 'a'))));
    else errors.push(required(at));
  }
  if (count === 0) errors.push(invalid(list, '', 'must specify one of: `configMapRef` or `secretRef`'));
  if (count > 1) errors.push(invalid(list, '', 'may not have more than one field specified at a time'));
  return errors;
}
