// What validation says of an object that a table case describes: defaults applied, name and namespace filled in.

import {
  applyDefaults,
  fieldErrorText,
  type KindSpec,
  type KubeObject,
  validateCreate,
  validateUpdate,
} from '../../src/api/index.ts';

export type Content = Readonly<Record<string, unknown>>;

export const spec = (content: Content): Content => ({ spec: content });

export function wrong(kind: KindSpec, content: Content): readonly string[] {
  return validateCreate(kind, made(kind, content)).map(fieldErrorText);
}

export function wrongChange(kind: KindSpec, before: Content, after: Content, subresource = ''): readonly string[] {
  return validateUpdate(kind, made(kind, after), made(kind, before), subresource).map(fieldErrorText);
}

function made(kind: KindSpec, content: Content): KubeObject {
  const own = content['metadata'] as object | undefined;
  const metadata = { name: 'x', ...(kind.namespaced ? { namespace: 'default' } : {}), ...own };
  const object = structuredClone({ kind: kind.kind, ...content, metadata }) as KubeObject;
  applyDefaults(kind, object);
  return object;
}
