// Subjects and subject alternative names, as far as Kubernetes uses them: the common name is the user, the organizations
// are the groups, and servers are known by DNS names and IP addresses.

import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import {
  bytesOf,
  type Der,
  encode,
  implicit,
  isContext,
  oid,
  oidOf,
  partsOf,
  sequence,
  set,
  text,
  textOf,
} from './der.ts';

export interface Subject {
  readonly commonName: string;
  /** Groups, for client certificates. */
  readonly organizations: readonly string[];
}

/** DNS names and IP addresses in their canonical text form. */
export interface AltNames {
  readonly dns: readonly string[];
  readonly ip: readonly string[];
}

const oids = { commonName: '2.5.4.3', organization: '2.5.4.10' } as const;

/** Name (RFC 5280 §4.1.2.4): organizations first, one to a set, then the common name. */
export function encodeSubject({ commonName, organizations }: Subject): Der {
  const part = (id: string, value: string): Der => set(sequence(oid(id), text(value)));
  return sequence(
    ...organizations.map((organization) => part(oids.organization, organization)),
    part(oids.commonName, commonName),
  );
}

/** Reads any Name; sets with several attributes (Go writes several organizations so) included. */
export function decodeSubject(name: Der | undefined): Subject {
  const attributes = partsOf(name, 'the subject').flatMap((rdn) =>
    partsOf(rdn, 'a relative name').map((attribute) => {
      const [id, value] = partsOf(attribute, 'a name attribute');
      return { id: oidOf(id, 'an attribute type'), value: textOf(value, 'an attribute value') };
    }),
  );
  return {
    commonName: attributes.findLast(({ id }) => id === oids.commonName)?.value ?? '',
    organizations: attributes.filter(({ id }) => id === oids.organization).map(({ value }) => value),
  };
}

/** Sorts names into DNS names and IP addresses, each once. */
export function altNamesOf(names: Iterable<string>): AltNames {
  const all = [...new Set([...names].filter((name) => name !== ''))];
  return {
    dns: all.filter((name) => !isAddress(name)),
    ip: [...new Set(all.filter(isAddress).map((name) => ipaddr.parse(name).toString()))],
  };
}

/** Most names are no addresses, and Node's pattern for IPv6 takes 7 ms to compile. */
function isAddress(name: string): boolean {
  return isIPv4(name) || (name.includes(':') && isIPv6(name));
}

const dnsTag = 2;
const ipTag = 7;

/** GeneralNames (RFC 5280 §4.2.1.6) */
export function encodeAltNames({ dns, ip }: AltNames): Buffer {
  return encode(
    sequence(
      ...dns.map((name) => implicit(dnsTag, Buffer.from(name, 'latin1'))),
      ...ip.map((address) => implicit(ipTag, Uint8Array.from(ipaddr.parse(address).toByteArray()))),
    ),
  );
}

/** @returns other kinds of names (email, URI) by their tag as well: a signer must be able to refuse them. */
export function decodeAltNames(names: Der): AltNames & { readonly others: readonly number[] } {
  const parts = partsOf(names, 'the subject alternative names');
  const bytes = (tag: number): Buffer[] =>
    parts.filter((part) => isContext(part, tag)).map((part) => bytesOf(part, 'an alternative name'));
  return {
    dns: bytes(dnsTag).map((name) => name.toString('latin1')),
    ip: bytes(ipTag).map((address) => ipaddr.fromByteArray([...address]).toString()),
    others: parts.filter((part) => !isContext(part, dnsTag) && !isContext(part, ipTag)).map(({ type }) => type),
  };
}
