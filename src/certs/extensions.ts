// The X.509 extensions that Kubernetes certificates have: usages, CA or not, names, key identifiers.
// Formats: RFC 5280 §4.2.1.

import { createHash } from 'node:crypto';
import {
  bits,
  bitsOf,
  boolean,
  bytesOf,
  type Der,
  encode,
  implicit,
  isBoolean,
  octets,
  oid,
  oidOf,
  parseDer,
  partsOf,
  sequence,
} from './der.ts';
import { type AltNames, decodeAltNames, encodeAltNames } from './names.ts';

/** Key usages by the words that certificates.k8s.io/v1 has for them, each with its bit. */
const keyUsageBits = {
  'digital signature': 0,
  'content commitment': 1,
  'key encipherment': 2,
  'data encipherment': 3,
  'key agreement': 4,
  'cert sign': 5,
  'crl sign': 6,
} as const;

const extendedUsageOids = {
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
} as const;

export type Usage = keyof typeof keyUsageBits | keyof typeof extendedUsageOids;

/** Whether `word` is a usage that k8ts can put into a certificate. */
export function isUsage(word: string): word is Usage {
  return word in keyUsageBits || word in extendedUsageOids;
}

const extensionOids = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
} as const;

interface ExtensionOptions {
  readonly isCa: boolean;
  readonly usages: readonly Usage[];
  readonly altNames: AltNames;
  readonly subjectKeyId: Buffer;
  readonly authorityKeyId: Buffer | undefined;
}

/** Extensions of a new certificate, in the order in which Go writes them. */
export function encodeExtensions(options: ExtensionOptions): Der {
  const { isCa, usages, altNames, subjectKeyId, authorityKeyId } = options;
  const extended = usages.flatMap((usage) => (usage in extendedUsageOids ? [extendedOid(usage)] : []));
  const parts = [
    // At least one bit must be set where the extension is there.
    usages.some(isKeyUsage) ? extension('keyUsage', encode(keyUsage(usages)), { critical: true }) : undefined,
    extended.length === 0 ? undefined : extension('extKeyUsage', encode(sequence(...extended.map(oid)))),
    extension('basicConstraints', encode(isCa ? sequence(boolean(true)) : sequence()), { critical: true }),
    extension('subjectKeyIdentifier', encode(octets(subjectKeyId))),
    authorityKeyId === undefined
      ? undefined
      : extension('authorityKeyIdentifier', encode(sequence(implicit(0, authorityKeyId)))),
    altNames.dns.length + altNames.ip.length === 0 ? undefined : extension('subjectAltName', encodeAltNames(altNames)),
  ];
  return sequence(...parts.filter((part) => part !== undefined));
}

/** The extension request of a CSR: only names; usages are asked for in the CertificateSigningRequest object. */
export function encodeRequestedExtensions(altNames: AltNames): Der {
  return sequence(extension('subjectAltName', encodeAltNames(altNames)));
}

interface ReadExtensions {
  readonly isCa: boolean;
  readonly usages: readonly Usage[];
  readonly altNames: ReturnType<typeof decodeAltNames>;
  readonly subjectKeyId: Buffer | undefined;
}

export function decodeExtensions(extensions: Der | undefined): ReadExtensions {
  const found = new Map<string, Buffer>();
  for (const one of extensions === undefined ? [] : partsOf(extensions, 'the extensions')) {
    const [id, ...rest] = partsOf(one, 'an extension');
    const value = isBoolean(rest[0]) ? rest[1] : rest[0];
    found.set(oidOf(id, 'an extension id'), bytesOf(value, 'an extension value'));
  }
  const read = (name: keyof typeof extensionOids): Der | undefined => {
    const bytes = found.get(extensionOids[name]);
    return bytes === undefined ? undefined : parseDer(bytes);
  };
  const names = read('subjectAltName');
  const constraints = read('basicConstraints');
  const keyId = read('subjectKeyIdentifier');
  return {
    isCa: constraints !== undefined && isBoolean(partsOf(constraints, 'basicConstraints')[0]),
    usages: [...keyUsagesOf(read('keyUsage')), ...extendedUsagesOf(read('extKeyUsage'))],
    altNames: names === undefined ? { dns: [], ip: [], others: [] } : decodeAltNames(names),
    subjectKeyId: keyId === undefined ? undefined : bytesOf(keyId, 'the key identifier'),
  };
}

/** SHA-1 of the public key's bits (RFC 5280 §4.2.1.2, method 1): a name, not a protection. */
export function keyIdOf(spki: Buffer): Buffer {
  const [, key] = partsOf(parseDer(spki), 'the public key');
  return createHash('sha1').update(bitsOf(key, 'the public key')).digest();
}

function extension(name: keyof typeof extensionOids, value: Buffer, { critical = false } = {}): Der {
  const id = oid(extensionOids[name]);
  return critical ? sequence(id, boolean(true), octets(value)) : sequence(id, octets(value));
}

function keyUsage(usages: readonly Usage[]): Der {
  let byte = 0;
  for (const usage of usages) {
    if (isKeyUsage(usage)) byte |= 0x80 >> keyUsageBits[usage];
  }
  // DER: trailing zero bits of a named bit list are left out.
  const unused = Math.log2(byte & -byte);
  return bits(Buffer.of(byte), unused);
}

function keyUsagesOf(structure: Der | undefined): Usage[] {
  if (structure === undefined) return [];
  const byte = bitsOf(structure, 'keyUsage')[0] ?? 0;
  return Object.keys(keyUsageBits)
    .filter(isKeyUsage)
    .filter((usage) => (byte & (0x80 >> keyUsageBits[usage])) !== 0);
}

function extendedUsagesOf(structure: Der | undefined): Usage[] {
  if (structure === undefined) return [];
  const ids = new Set(partsOf(structure, 'extKeyUsage').map((id) => oidOf(id, 'a usage')));
  return Object.keys(extendedUsageOids)
    .filter(isUsage)
    .filter((usage) => ids.has(extendedOid(usage)));
}

function extendedOid(usage: Usage): string {
  return usage in extendedUsageOids ? extendedUsageOids[usage as keyof typeof extendedUsageOids] : '';
}

function isKeyUsage(usage: string): usage is keyof typeof keyUsageBits {
  return usage in keyUsageBits;
}
