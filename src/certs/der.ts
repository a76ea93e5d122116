// DER through node-forge: constructors for what certificates are made of, and a reader that says what it expected.
// forge keeps bytes in binary strings (one character per byte); they do not leave this file, everyone else has Buffers.
// forge's own X.509 functions are not used: they know RSA keys only.

import type forge from 'node-forge';
import asn1 from 'node-forge/lib/asn1.js';
import util from 'node-forge/lib/util.js';

export type Der = forge.asn1.Asn1;
const { Class, Type } = asn1;

export const sequence = (...parts: readonly Der[]): Der =>
  asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, [...parts]);
export const set = (...parts: readonly Der[]): Der => asn1.create(Class.UNIVERSAL, Type.SET, true, [...parts]);
export const oid = (dotted: string): Der => primitive(Type.OID, asn1.oidToDer(dotted).getBytes());
export const nothing = (): Der => primitive(Type.NULL, '');
export const boolean = (value: boolean): Der => primitive(Type.BOOLEAN, value ? '\xff' : '\x00');
/** @param bytes big-endian, minimal, first bit 0. */
export const integer = (bytes: Uint8Array): Der => primitive(Type.INTEGER, binary(bytes));
export const octets = (bytes: Uint8Array): Der => primitive(Type.OCTETSTRING, binary(bytes));
/** @param unusedBits at the end of the last byte. */
export const bits = (bytes: Uint8Array, unusedBits = 0): Der =>
  primitive(Type.BITSTRING, String.fromCharCode(unusedBits) + binary(bytes));

/** PrintableString where the text allows it, as Go does; some old readers know nothing else. */
export function text(value: string): Der {
  if (/^[A-Za-z0-9 '()+,\-./:=?]*$/.test(value)) return primitive(Type.PRINTABLESTRING, value);
  return primitive(Type.UTF8, binary(Buffer.from(value, 'utf8')));
}

/** UTCTime until 2049, GeneralizedTime from then on (RFC 5280 §4.1.2.5); whole seconds. */
export function time(at: Date): Der {
  if (at.getUTCFullYear() < 2050) return primitive(Type.UTCTIME, asn1.dateToUtcTime(at));
  return primitive(Type.GENERALIZEDTIME, asn1.dateToGeneralizedTime(at));
}

/** `[tag] EXPLICIT` around parts. */
export const explicit = (tag: number, ...parts: readonly Der[]): Der =>
  asn1.create(Class.CONTEXT_SPECIFIC, tag, true, [...parts]);
/** `[tag] IMPLICIT` primitive content. */
export const implicit = (tag: number, bytes: Uint8Array): Der =>
  asn1.create(Class.CONTEXT_SPECIFIC, tag, false, binary(bytes));

/** A structure that is DER already, taken over byte for byte when it is written again. */
export function parseDer(bytes: Uint8Array): Der {
  const parsed = asn1.fromDer(util.createBuffer(binary(bytes)), true);
  // Signatures are over bytes, but what is parsed gets written again: anything that is not DER must not pass.
  if (!encode(parsed).equals(bytes)) throw new Error('not DER');
  return parsed;
}

export function encode(structure: Der): Buffer {
  return Buffer.from(asn1.toDer(structure).getBytes(), 'binary');
}

/** The parts of a constructed structure. */
export function partsOf(structure: Der | undefined, what: string): readonly Der[] {
  if (structure === undefined || !Array.isArray(structure.value)) throw new Error(`${what} is missing or malformed`);
  return structure.value;
}

/** The content bytes of a primitive structure. */
export function bytesOf(structure: Der | undefined, what: string): Buffer {
  if (structure === undefined) throw new Error(`${what} is missing`);
  // forge looks into bit and octet strings for nested structures and keeps the original beside them.
  const kept = (structure as { readonly bitStringContents?: string }).bitStringContents;
  if (kept !== undefined) return Buffer.from(kept, 'binary');
  if (Array.isArray(structure.value)) throw new Error(`${what} is malformed`);
  return Buffer.from(structure.value, 'binary');
}

export function oidOf(structure: Der | undefined, what: string): string {
  return asn1.derToOid(util.createBuffer(binary(bytesOf(structure, what))));
}

/** Text of any string type: UTF8String, PrintableString, IA5String are one or several bytes a character in UTF-8. */
export function textOf(structure: Der | undefined, what: string): string {
  const bytes = bytesOf(structure, what);
  return structure?.type === Type.BMPSTRING ? bytes.swap16().toString('utf16le') : bytes.toString('utf8');
}

/** The bits of a BIT STRING without the count of unused ones. */
export function bitsOf(structure: Der | undefined, what: string): Buffer {
  return bytesOf(structure, what).subarray(1);
}

export function isContext(structure: Der, tag: number): boolean {
  return structure.tagClass === Class.CONTEXT_SPECIFIC && structure.type === tag;
}

export function isBoolean(structure: Der | undefined): boolean {
  return structure?.tagClass === Class.UNIVERSAL && structure.type === Type.BOOLEAN;
}

function primitive(type: forge.asn1.Type, value: string): Der {
  return asn1.create(Class.UNIVERSAL, type, false, value);
}

function binary(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('binary');
}
