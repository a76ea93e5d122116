// The name under which a write changes fields: the fieldManager parameter, or the first word of the client's user agent.
// Source: k8s.io/apiserver pkg/endpoints/handlers (managerOrUserAgent), apimachinery meta/v1 validation.

import { type OptionsKind, refusedOptions } from './request-options.ts';
import type { FieldCause } from './status-body.ts';

const longest = 128;
/** Anything that can be printed, the space included. */
const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** Throws ApiError 422 for a name that can't be one. @param options what the message calls the parameters: CreateOptions, … */
export function fieldManagerOf(query: URLSearchParams, userAgent: string | undefined, options: OptionsKind): string {
  const given = query.get('fieldManager') ?? '';
  if (given === '') return fromUserAgent(userAgent ?? '');
  const why = whyUnusable(given);
  if (why !== undefined) throw refusedOptions(options, [why]);
  return given;
}

/** What only an apply may and must say. Throws ApiError 422. */
export function checkPatchOptions(query: URLSearchParams, isApply: boolean): void {
  if (isApply && (query.get('fieldManager') ?? '') === '') {
    const message = 'Required value: is required for apply patch';
    throw refusedOptions('PatchOptions', [{ field: 'fieldManager', reason: 'FieldValueRequired', message }]);
  }
  if (!isApply && query.has('force')) {
    const message = 'Forbidden: may not be specified for non-apply patch';
    throw refusedOptions('PatchOptions', [{ field: 'force', reason: 'FieldValueForbidden', message }]);
  }
}

function whyUnusable(name: string): FieldCause | undefined {
  if (Buffer.byteLength(name) > longest) {
    const message = `Too long: may not be more than ${longest} bytes`;
    return { field: 'fieldManager', reason: 'FieldValueTooLong', message };
  }
  const wrong = [...name].find((character) => !printable.test(character));
  if (wrong === undefined) return undefined;
  const code = (wrong.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  const at = Buffer.byteLength(name.slice(0, name.indexOf(wrong)));
  const message = `Invalid value: ${JSON.stringify(name)}: invalid character U+${code} (at position ${at})`;
  return { field: 'fieldManager', reason: 'FieldValueInvalid', message };
}

function fromUserAgent(agent: string): string {
  const slash = agent.indexOf('/');
  const word = slash < 0 ? agent : agent.slice(0, slash);
  if (word.length <= longest && /^[ -~]*$/.test(word)) return word === '' ? 'unknown' : word;
  let name = '';
  for (const character of word) {
    if (!printable.test(character)) continue;
    if (Buffer.byteLength(name + character) > longest) break;
    name += character;
  }
  return name === '' ? 'unknown' : name;
}
