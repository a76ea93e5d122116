// Field selectors of the fake client: any dotted path. (The real server knows a fixed list per kind; a fake that refused
// fields would only repeat that table.)

import type { KubeObject } from '../api/index.ts';

/** Whether `object` fulfils `a.b=c,d!=e`. */
export function matchesFields(object: KubeObject, selector: string | undefined): boolean {
  if (selector === undefined || selector === '') return true;
  return selector.split(',').every((term) => {
    const parsed = /^([^!=]+)(!=|==?)(.*)$/.exec(term);
    if (parsed === null) throw new Error(`not a field selector: ${term}`);
    const [, path = '', operator, value = ''] = parsed;
    const equal = valueAt(object, path.split('.')) === value;
    return operator === '!=' ? !equal : equal;
  });
}

function valueAt(object: unknown, path: readonly string[]): string {
  const found = path.reduce<unknown>((at, field) => (isRecord(at) ? at[field] : undefined), object);
  return found === undefined || found === null ? '' : String(found);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
