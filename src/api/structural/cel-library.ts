// The function libraries that Kubernetes adds to CEL, for rules in schemas: strings, lists, regular expressions, URLs,
// quantities, addresses, sets. Source: "Common Expression Language in Kubernetes", and k8s.io/apiserver pkg/cel/library.

import { isIP, isIPv4 } from 'node:net';
import type { Environment } from '@marcbachmann/cel-js';
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  QuantityError,
  quantityMilliValue,
  subtractQuantities,
} from '../quantity.ts';
import { registerComprehensions } from './cel-comprehensions.ts';
import { registerFormats } from './cel-formats.ts';
import { ownMatches } from './cel-tree.ts';
import { fitsFormat } from './formats.ts';
import { compilePattern } from './schema.ts';

type Comparable = bigint | number | string;

/** A resource quantity as CEL sees it. */
class CelQuantity {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

class CelUrl {
  readonly url: URL;
  constructor(url: URL) {
    this.url = url;
  }
}

class CelIp {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

class CelCidr {
  readonly address: string;
  readonly bits: number;
  constructor(address: string, bits: number) {
    this.address = address;
    this.bits = bits;
  }
}

/** What functions with a dotted name (`sets.contains`) hang on. */
class CelSets {}

const patternsMax = 1000;

/** Adds every library to `env`, which must not have been cloned yet. */
export function registerLibraries(env: Environment): void {
  strings(env);
  lists(env);
  sets(env);
  regularExpressions(env);
  urls(env);
  quantities(env);
  addresses(env);
  registerFormats(env);
  registerComprehensions(env);
}

function strings(env: Environment): void {
  env.registerFunction('string.charAt(int): string', (text: string, at: bigint) => [...text][Number(at)] ?? '');
  env.registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) =>
    text.replaceAll(from, () => to),
  );
  env.registerFunction('string.replace(string, string, int): string', replaceSome);
  env.registerFunction('string.reverse(): string', (text: string) => [...text].reverse().join(''));
  env.registerFunction('string.format(list): string', (text: string, values: unknown[]) => {
    let next = 0;
    return text.replaceAll(/%(%|(?:\.\d+)?[sdfexXbo])/g, (_whole, verb: string) => {
      if (verb === '%') return '%';
      const value = values[next];
      next += 1;
      const digits = /^\.(\d+)f/.exec(verb)?.[1];
      return verb.endsWith('f') ? Number(value).toFixed(Number(digits ?? 6)) : shown(value);
    });
  });
}

function replaceSome(text: string, from: string, to: string, times: bigint): string {
  if (times < 0n) return text.replaceAll(from, () => to);
  const parts = text.split(from);
  const cut = Math.min(Number(times), parts.length - 1);
  return parts.slice(0, cut).concat(parts.slice(cut).join(from)).join(to);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`;
  return String(value);
}

function lists(env: Environment): void {
  env.registerFunction('list.isSorted(): bool', (list: Comparable[]) =>
    list.every((item, index) => index === 0 || (list[index - 1] ?? item) <= item),
  );
  env.registerFunction('list.sum(): dyn', (list: (bigint | number)[]) =>
    list.length === 0
      ? 0n
      : list.reduce((sum, one) =>
          typeof sum === 'bigint' && typeof one === 'bigint' ? sum + one : Number(sum) + Number(one),
        ),
  );
  env.registerFunction('list.min(): dyn', (list: Comparable[]) => nonEmpty(list).toSorted(order)[0]);
  env.registerFunction('list.max(): dyn', (list: Comparable[]) => nonEmpty(list).toSorted(order).at(-1));
  env.registerFunction('list.indexOf(dyn): int', (list: unknown[], item: unknown) => BigInt(list.indexOf(item)));
  env.registerFunction('list.lastIndexOf(dyn): int', (list: unknown[], item: unknown) =>
    BigInt(list.lastIndexOf(item)),
  );
}

function order(a: Comparable, b: Comparable): number {
  return a < b ? -1 : Number(a > b);
}

function nonEmpty<T>(list: T[]): T[] {
  if (list.length === 0) throw new Error('min and max need a list that is not empty');
  return list;
}

function sets(env: Environment): void {
  env.registerType('kubernetes.Sets', { ctor: CelSets });
  env.registerConstant('sets', 'kubernetes.Sets', new CelSets());
  const contains = (outer: unknown[], inner: unknown[]): boolean => {
    const known = new Set(outer.map(shown));
    return inner.every((one) => known.has(shown(one)));
  };
  env.registerFunction('kubernetes.Sets.contains(list, list): bool', (_sets: CelSets, a: unknown[], b: unknown[]) =>
    contains(a, b),
  );
  env.registerFunction(
    'kubernetes.Sets.equivalent(list, list): bool',
    (_sets: CelSets, a: unknown[], b: unknown[]) => contains(a, b) && contains(b, a),
  );
  env.registerFunction('kubernetes.Sets.intersects(list, list): bool', (_sets: CelSets, a: unknown[], b: unknown[]) => {
    const known = new Set(a.map(shown));
    return b.some((one) => known.has(shown(one)));
  });
}

function regularExpressions(env: Environment): void {
  env.registerFunction(
    'string.find(string): string',
    (text: string, pattern: string) => compilePattern(pattern).exec(text)?.[0] ?? '',
  );
  const findAll = (text: string, pattern: string, limit: bigint): string[] => {
    const expression = compilePattern(pattern);
    const found = [...text.matchAll(new RegExp(expression.source, `${expression.flags}g`))].map(([match]) => match);
    return limit < 0n ? found : found.slice(0, Number(limit));
  };
  const compiled = new Map<string, RegExp>();
  env.registerFunction(`string.${ownMatches}(string): bool`, (text: string, pattern: string) => {
    const known = compiled.get(pattern) ?? compilePattern(pattern);
    if (compiled.size < patternsMax) compiled.set(pattern, known);
    return known.test(text);
  });
  env.registerFunction('string.findAll(string): list<string>', (text: string, pattern: string) =>
    findAll(text, pattern, -1n),
  );
  env.registerFunction('string.findAll(string, int): list<string>', findAll);
}

function urls(env: Environment): void {
  env.registerType('kubernetes.URL', { ctor: CelUrl });
  const isUrl = (text: string): boolean => URL.canParse(text) || text.startsWith('/');
  env.registerFunction('isURL(string): bool', isUrl);
  env.registerFunction('url(string): kubernetes.URL', (text: string) => {
    if (!isUrl(text)) throw new Error(`URL parse error: ${text}`);
    return new CelUrl(new URL(text, 'none://'));
  });
  const part = (name: string, of: (url: URL) => string): void => {
    env.registerFunction(`kubernetes.URL.${name}(): string`, ({ url }: CelUrl) =>
      url.protocol === 'none:' && name !== 'getEscapedPath' ? '' : of(url),
    );
  };
  part('getScheme', (url) => url.protocol.slice(0, -1));
  part('getHost', (url) => url.host);
  part('getHostname', (url) => url.hostname.replaceAll(/[[\]]/g, ''));
  part('getPort', (url) => url.port);
  part('getEscapedPath', (url) => url.pathname);
}

function quantities(env: Environment): void {
  env.registerType('kubernetes.Quantity', { ctor: CelQuantity });
  env.registerFunction('isQuantity(string): bool', (text: string) => isQuantity(text));
  env.registerFunction('quantity(string): kubernetes.Quantity', (text: string) => {
    parseQuantity(text);
    return new CelQuantity(text);
  });
  const on = (signature: string, work: (self: CelQuantity, other: CelQuantity) => unknown): void => {
    env.registerFunction(`kubernetes.Quantity.${signature}`, work);
  };
  const compared = (self: CelQuantity, other: CelQuantity): number =>
    compareQuantities(parseQuantity(self.text), parseQuantity(other.text));
  on('compareTo(kubernetes.Quantity): int', (self, other) => BigInt(compared(self, other)));
  on('isLessThan(kubernetes.Quantity): bool', (self, other) => compared(self, other) < 0);
  on('isGreaterThan(kubernetes.Quantity): bool', (self, other) => compared(self, other) > 0);
  on(
    'add(kubernetes.Quantity): kubernetes.Quantity',
    (self, other) =>
      new CelQuantity(formatQuantity(addQuantities(parseQuantity(self.text), parseQuantity(other.text)))),
  );
  on(
    'sub(kubernetes.Quantity): kubernetes.Quantity',
    (self, other) =>
      new CelQuantity(formatQuantity(subtractQuantities(parseQuantity(self.text), parseQuantity(other.text)))),
  );
  on('sign(): int', (self) => BigInt(compared(self, new CelQuantity('0'))));
  const milli = ({ text }: CelQuantity): number => Number(quantityMilliValue(parseQuantity(text)));
  on('isInteger(): bool', (self) => milli(self) % 1000 === 0);
  on('asInteger(): int', (self) => BigInt(milli(self) / 1000));
  on('asApproximateFloat(): double', (self) => milli(self) / 1000);
}

function isQuantity(text: string): boolean {
  try {
    parseQuantity(text);
    return true;
  } catch (error) {
    if (error instanceof QuantityError) return false;
    throw error;
  }
}

function addresses(env: Environment): void {
  env.registerType('net.IP', { ctor: CelIp });
  env.registerType('net.CIDR', { ctor: CelCidr });
  env.registerFunction('isIP(string): bool', (text: string) => isIP(text) !== 0);
  env.registerFunction('ip(string): net.IP', (text: string) => {
    if (isIP(text) === 0) throw new Error(`IP Address ${JSON.stringify(text)} parse error`);
    return new CelIp(text);
  });
  env.registerFunction('net.IP.family(): int', ({ text }: CelIp) => (isIPv4(text) ? 4n : 6n));
  env.registerFunction('net.IP.isLoopback(): bool', ({ text }: CelIp) => text.startsWith('127.') || text === '::1');
  env.registerFunction('net.IP.isUnspecified(): bool', ({ text }: CelIp) => text === '0.0.0.0' || text === '::');
  env.registerFunction('isCIDR(string): bool', (text: string) => fitsFormat('cidr', text));
  env.registerFunction('cidr(string): net.CIDR', (text: string) => {
    if (!fitsFormat('cidr', text)) throw new Error(`network address parse error: ${JSON.stringify(text)}`);
    const [address = '', bits] = text.split('/');
    return new CelCidr(address, Number(bits));
  });
  env.registerFunction('net.CIDR.prefixLength(): int', ({ bits }: CelCidr) => BigInt(bits));
  env.registerFunction('net.CIDR.ip(): net.IP', ({ address }: CelCidr) => new CelIp(address));
  const contains = (cidr: CelCidr, address: string): boolean => {
    const width = isIPv4(cidr.address) ? 32n : 128n;
    if (isIPv4(address) !== (width === 32n)) return false;
    const shift = width - BigInt(cidr.bits);
    return addressNumber(address) >> shift === addressNumber(cidr.address) >> shift;
  };
  env.registerFunction('net.CIDR.containsIP(string): bool', contains);
  env.registerFunction('net.CIDR.containsIP(net.IP): bool', (cidr: CelCidr, { text }: CelIp) => contains(cidr, text));
  env.registerFunction('net.CIDR.containsCIDR(string): bool', (cidr: CelCidr, text: string) => {
    const [address = '', bits] = text.split('/');
    return Number(bits) >= cidr.bits && contains(cidr, address);
  });
}

function addressNumber(address: string): bigint {
  if (isIPv4(address)) return address.split('.').reduce((sum, part) => (sum << 8n) + BigInt(part), 0n);
  const [head = '', tail] = address.split('::');
  const groups = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : text.split(':'));
  const before = groups(head);
  const after = groups(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].reduce((sum, group) => (sum << 16n) + BigInt(`0x${group}`), 0n);
}
