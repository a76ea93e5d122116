// Cluster addresses and node ports of Services. What is taken is read from the watch cache as it changes, plus what writes
// on their way have reserved, so there is no allocation object to repair: a Service is its own record.
// Source for the rules: pkg/registry/core/service/{ipallocator,portallocator}; the lower band of the range is left to
// addresses that people choose (KEP-3070).

import { randomInt } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { Service } from '../../api/index.ts';
import { CodedError } from '../../base/index.ts';
import type { ResourceCache } from '../cache/index.ts';

export interface ServiceAllocator {
  /** Reserves `wanted`, or any free address when it is undefined. Answers why not, as the field error's detail. */
  takeAddress(wanted: string | undefined, owner: string): { readonly address: string } | { readonly why: string };
  takePort(wanted: number | undefined, owner: string): { readonly port: number } | { readonly why: string };
  /** Gives back what `owner`'s write reserved and the cache does not show. */
  release(owner: string): void;
}

export interface ServiceRanges {
  /** IPv4 CIDR. */
  readonly serviceCidr: string;
  /** Inclusive. */
  readonly nodePorts: readonly [number, number];
}

export function createServiceAllocator(cache: ResourceCache, ranges: ServiceRanges): ServiceAllocator {
  const range = parseCidr(ranges.serviceCidr);
  const [firstPort, lastPort] = ranges.nodePorts;
  const addresses = createLedger<number>();
  const ports = createLedger<number>();

  for (const object of cache.list()) take(object.key, object.parsed<Service>());
  cache.listen((events) => {
    for (const { object, deleted } of events) {
      addresses.forget(object.key);
      ports.forget(object.key);
      if (!deleted) take(object.key, object.parsed<Service>());
    }
  });

  function take(key: string, service: Service): void {
    for (const address of service.spec?.clusterIPs ?? []) if (isIPv4(address)) addresses.take(toNumber(address), key);
    for (const port of portsOf(service)) ports.take(port, key);
  }

  return {
    takeAddress(wanted, owner) {
      if (wanted === undefined) {
        const free =
          pick(range.first + range.reserved, range.last, addresses) ?? pick(range.first, range.last, addresses);
        if (free === undefined) return { why: 'range is full' };
        addresses.reserve(free, owner);
        return { address: toText(free) };
      }
      const number = isIPv4(wanted) ? toNumber(wanted) : -1;
      if (number < range.first || number > range.last) {
        return {
          why: `failed to allocate IP ${wanted}: provided IP is not in the valid range. The range of valid IPs is ${ranges.serviceCidr}`,
        };
      }
      if (!addresses.isFree(number, owner)) {
        return { why: `failed to allocate IP ${wanted}: provided IP is already allocated` };
      }
      addresses.reserve(number, owner);
      return { address: wanted };
    },
    takePort(wanted, owner) {
      if (wanted === undefined) {
        const free = pick(firstPort, lastPort, ports);
        if (free === undefined) return { why: 'range is full' };
        ports.reserve(free, owner);
        return { port: free };
      }
      if (wanted < firstPort || wanted > lastPort) {
        return { why: `provided port is not in the valid range. The range of valid ports is ${firstPort}-${lastPort}` };
      }
      if (!ports.isFree(wanted, owner)) return { why: 'provided port is already allocated' };
      ports.reserve(wanted, owner);
      return { port: wanted };
    },
    release(owner) {
      addresses.unreserve(owner);
      ports.unreserve(owner);
    },
  };
}

interface Ledger<T> {
  isFree(value: T, owner: string): boolean;
  isTaken(value: T): boolean;
  take(value: T, owner: string): void;
  forget(owner: string): void;
  reserve(value: T, owner: string): void;
  unreserve(owner: string): void;
}

function createLedger<T>(): Ledger<T> {
  const stored = new Map<T, string>();
  const byOwner = new Map<string, T[]>();
  const reserved = new Map<T, string>();
  return {
    isFree: (value, owner) => (stored.get(value) ?? owner) === owner && (reserved.get(value) ?? owner) === owner,
    isTaken: (value) => stored.has(value) || reserved.has(value),
    take(value, owner) {
      stored.set(value, owner);
      byOwner.set(owner, [...(byOwner.get(owner) ?? []), value]);
    },
    forget(owner) {
      for (const value of byOwner.get(owner) ?? []) if (stored.get(value) === owner) stored.delete(value);
      byOwner.delete(owner);
    },
    reserve: (value, owner) => void reserved.set(value, owner),
    unreserve(owner) {
      for (const [value, holder] of reserved) if (holder === owner) reserved.delete(value);
    },
  };
}

const randomTries = 32;

function pick(first: number, last: number, ledger: Ledger<number>): number | undefined {
  if (first > last) return undefined;
  for (let attempt = 0; attempt < randomTries; attempt += 1) {
    const value = randomInt(first, last + 1);
    if (!ledger.isTaken(value)) return value;
  }
  for (let value = first; value <= last; value += 1) if (!ledger.isTaken(value)) return value;
  return undefined;
}

function portsOf(service: Service): number[] {
  const ports = (service.spec?.ports ?? []).flatMap(({ nodePort }) =>
    nodePort === undefined || nodePort === 0 ? [] : [nodePort],
  );
  const health = service.spec?.healthCheckNodePort;
  return health === undefined || health === 0 ? ports : [...ports, health];
}

/** First and last usable address as numbers, and how many at the start are for chosen addresses only. */
function parseCidr(cidr: string): { readonly first: number; readonly last: number; readonly reserved: number } {
  const [network = '', bits = ''] = cidr.split('/');
  const prefix = Number(bits);
  if (!isIPv4(network) || !(prefix >= 8 && prefix <= 30)) {
    throw new CodedError('SERVICE_CIDR_INVALID', `${cidr} is not an IPv4 range for Services`, {
      exit: 'invalidInput',
      hint: 'give one like 10.96.0.0/12 with --service-cidr',
    });
  }
  const size = 2 ** (32 - prefix);
  const base = Math.floor(toNumber(network) / size) * size;
  return { first: base + 1, last: base + size - 2, reserved: Math.min(Math.max(16, size / 16), 256) };
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toText(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
