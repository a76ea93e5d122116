// The body of an apply: YAML by its media type, in which most clients write JSON.

import { DecodeError } from '../decode/decode-error.ts';
import { parseJson } from '../decode/json.ts';
import { parseYaml } from '../decode/yaml.ts';
import type { KubeObject } from '../types.ts';
import { isFields } from './items.ts';

const brace = 0x7b;

/** Throws DecodeError. */
export function readConfig(body: Uint8Array): KubeObject {
  const value = (body[0] === brace ? json(body) : undefined) ?? parseYaml(body);
  if (isFields(value)) return value as KubeObject;
  throw new DecodeError('error decoding YAML: an applied configuration must be an object');
}

/** undefined: YAML's flow style, which only looks like JSON. */
function json(body: Uint8Array): unknown {
  try {
    return parseJson(body).value;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
