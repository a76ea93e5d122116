// Reading and replacing the fields below `spec`, `status` and beside them, of objects that are known as KubeObject only.

import type { KubeObject } from '../../../api/index.ts';

export type Body = Readonly<Record<string, unknown>>;

/** The fields of an object as a plain record. */
export function bodyOf(object: KubeObject): Body {
  return object as unknown as Body;
}

/** A part of an object, typed for being spread into one. */
export function bodyFields(fields: Body): Partial<KubeObject> {
  return fields as Partial<KubeObject>;
}

/** `object.field` as a record; {} when it is absent or something else. */
export function section(object: KubeObject, field: string): Body {
  const value = bodyOf(object)[field];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Body) : {};
}

export function withField(object: KubeObject, field: string, value: unknown): KubeObject {
  return { ...object, ...bodyFields({ [field]: value }) };
}
