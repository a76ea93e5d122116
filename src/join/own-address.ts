// The address that the API server sees this machine under: on a machine with several networks the only choice that is right
// without asking.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { addressTowards, defaultAddress } from '../config/index.ts';
import type { JoinContext } from './context.ts';

/** @param server https://host:port. @throws CodedError ADDRESS_UNKNOWN */
export async function ownAddress({ host, nodeIp }: JoinContext, server: string): Promise<string> {
  if (nodeIp !== undefined) return nodeIp;
  const { hostname } = new URL(server);
  const target = isIP(hostname) === 4 ? hostname : (await lookup(hostname, { family: 4 })).address;
  return (await addressTowards(host, target)) ?? defaultAddress(host);
}
