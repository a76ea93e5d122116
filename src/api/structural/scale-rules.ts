// What the scale subresource of a custom resource reads must be numbers and text, whatever the schema says of them.
// Source: apiextensions-apiserver pkg/registry/customresource/validator.go.

import { type FieldError, invalid } from '../field-error.ts';
import type { ScalePaths } from '../kind.ts';
import { type Fields, isFields } from './fields.ts';

const maxReplicas = 2147483647;

export function judgeScale({ specReplicas, statusReplicas, selector }: ScalePaths, object: Fields): FieldError[] {
  return [
    ...judgeReplicas(object, specReplicas),
    ...judgeReplicas(object, statusReplicas),
    ...(selector === '' ? [] : judgeSelector(object, selector)),
  ];
}

function judgeReplicas(object: Fields, path: string): FieldError[] {
  const { value, wrong } = valueAt(object, path);
  if (wrong !== undefined) return [invalid(path, 0, wrong)];
  if (value === undefined) return [];
  if (!Number.isInteger(value)) return [invalid(path, 0, notOf(path, value, 'int64'))];
  if (Number(value) < 0) return [invalid(path, value, 'should be a non-negative integer')];
  return Number(value) > maxReplicas ? [invalid(path, value, `should be less than or equal to ${maxReplicas}`)] : [];
}

function judgeSelector(object: Fields, path: string): FieldError[] {
  const { value, wrong } = valueAt(object, path);
  if (wrong !== undefined) return [invalid(path, '', wrong)];
  return value === undefined || typeof value === 'string' ? [] : [invalid(path, '', notOf(path, value, 'string'))];
}

function valueAt(object: Fields, path: string): { readonly value?: unknown; readonly wrong?: string } {
  let value: unknown = object;
  for (const name of path.split('.').filter(Boolean)) {
    if (value === undefined) return {};
    if (!isFields(value)) return { wrong: notOf(path, value, 'map[string]interface{}') };
    value = Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return { value };
}

function notOf(path: string, value: unknown, wanted: string): string {
  const shown = typeof value === 'string' ? value : JSON.stringify(value);
  return `${path} accessor error: ${shown} is of the type ${goTypeOf(value)}, expected ${wanted}`;
}

function goTypeOf(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  if (value === null) return '<nil>';
  return typeof value === 'string' ? 'string' : 'map[string]interface {}';
}
