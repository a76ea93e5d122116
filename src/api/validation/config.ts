// ConfigMaps and Secrets. Source: kubernetes pkg/apis/core/validation (ValidateConfigMap, ValidateSecret).

import { DecodeError } from '../decode/decode-error.ts';
import { parseJson } from '../decode/json.ts';
import { type FieldError, forbidden, invalid, required, tooLong } from '../field-error.ts';
import type { ConfigMap, Secret } from '../types.ts';
import { whyNotConfigMapKey } from './names.ts';
import { immutable, invalidFor, sameJson } from './rules.ts';

const maxBytes = 1024 * 1024;
type Data = Readonly<Record<string, string>>;

export function validateConfigMap({ data = {}, binaryData = {} }: ConfigMap): readonly FieldError[] {
  const errors: FieldError[] = [];
  for (const key of Object.keys(data)) {
    errors.push(...invalidFor(`data[${key}]`, key, whyNotConfigMapKey(key)));
    if (Object.hasOwn(binaryData, key))
      errors.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
  }
  for (const key of Object.keys(binaryData)) {
    errors.push(...invalidFor(`binaryData[${key}]`, key, whyNotConfigMapKey(key)));
  }
  const size = textSize(data) + decodedSize(binaryData);
  return size > maxBytes ? [...errors, tooLong('', maxBytes)] : errors;
}

export function validateConfigMapUpdate(map: ConfigMap, old: ConfigMap): readonly FieldError[] {
  if (old.immutable !== true) return [];
  return frozen(map.immutable, [
    ['data', map.data, old.data],
    ['binaryData', map.binaryData, old.binaryData],
  ]);
}

export function validateSecret(secret: Secret): readonly FieldError[] {
  const { data = {}, type } = secret;
  const errors: FieldError[] = [];
  for (const key of Object.keys(data)) errors.push(...invalidFor(`data[${key}]`, key, whyNotConfigMapKey(key)));
  if (decodedSize(data) > maxBytes) errors.push(tooLong('data', maxBytes));
  for (const key of requiredKeys[type ?? ''] ?? []) {
    if (!Object.hasOwn(data, key) || (key === sshKey && data[key] === '')) errors.push(required(`data[${key}]`));
  }
  if (type === 'kubernetes.io/basic-auth' && !Object.hasOwn(data, 'username') && !Object.hasOwn(data, 'password')) {
    errors.push(required('data[username]'), required('data[password]'));
  }
  if (type === 'kubernetes.io/service-account-token' && !secret.metadata?.annotations?.[accountAnnotation]) {
    errors.push(required(`metadata.annotations[${accountAnnotation}]`));
  }
  for (const key of ['.dockerconfigjson', '.dockercfg']) {
    if (!Object.hasOwn(data, key) || requiredKeys[type ?? '']?.includes(key) !== true) continue;
    const why = whyNotJsonObject(data[key] ?? '');
    if (why !== undefined) errors.push(invalid(`data[${key}]`, '<secret contents redacted>', why));
  }
  return errors;
}

export function validateSecretUpdate(secret: Secret, old: Secret): readonly FieldError[] {
  const errors = immutable('type', secret.type, old.type);
  return old.immutable === true ? [...errors, ...frozen(secret.immutable, [['data', secret.data, old.data]])] : errors;
}

const accountAnnotation = 'kubernetes.io/service-account.name';

/** It must be there and hold something. */
const sshKey = 'ssh-privatekey';

const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
  'kubernetes.io/ssh-auth': [sshKey],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
};

function frozen(
  still: boolean | undefined,
  fields: readonly (readonly [name: string, value: unknown, old: unknown])[],
): FieldError[] {
  const why = 'field is immutable when `immutable` is set';
  const errors = still === true ? [] : [forbidden('immutable', why)];
  return [...errors, ...fields.flatMap(([name, value, old]) => (sameJson(value, old) ? [] : [forbidden(name, why)]))];
}

function textSize(data: Data): number {
  return Object.values(data).reduce((sum, value) => sum + Buffer.byteLength(value), 0);
}

function decodedSize(data: Data): number {
  return Object.values(data).reduce((sum, value) => sum + Buffer.byteLength(value, 'base64'), 0);
}

/** In the words of upstream's parser, which make no secret known but one character. */
function whyNotJsonObject(base64: string): string | undefined {
  try {
    const { value } = parseJson(Buffer.from(base64, 'base64'));
    if (typeof value === 'object' && !Array.isArray(value)) return undefined;
    const type = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
    return `json: cannot unmarshal ${type} into Go value of type map[string]interface {}`;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return error.message.replace('json parse error: ', '');
  }
}
