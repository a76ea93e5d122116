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

export function wrong(kind: KindSpec, content: object): readonly string[] {
  return validateCreate(kind, made(kind, content)).map(fieldErrorText);
}

export function wrongChange(kind: KindSpec, before: object, after: object, subresource = ''): readonly string[] {
  return validateUpdate(kind, made(kind, after), made(kind, before), subresource).map(fieldErrorText);
}

/** The object as it would be judged. */
export function made(kind: KindSpec, content: object): KubeObject {
  const { metadata: own } = content as { readonly metadata?: object };
  const metadata = { name: 'x', ...(kind.namespaced ? { namespace: 'default' } : {}), ...own };
  const object = structuredClone({ kind: kind.kind, ...content, metadata }) as KubeObject;
  applyDefaults(kind, object);
  return object;
}
