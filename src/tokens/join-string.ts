// All that a machine needs to join, as one word to paste: endpoints, CA pins, token and its expiry, with a checksum, so that
// half a paste is told from a wrong one. It is as secret as the token that is in it.
//
//   k8ts1-<base64url>        of
//   byte 0..21    token: 6 bytes id, 16 bytes secret, ASCII
//        22..25   expiry, seconds since 1970, big-endian; 0: never
//        26       number of CA pins, n
//        27..     n × 32 bytes: SHA-256 of each CA's public key
//        …        endpoints, ASCII, separated by commas
//        last 4   first bytes of the SHA-256 of everything before
//
// JSON was refused for its length; a kubeconfig inside base64, as other tools have it, for the same reason.

import { createHash } from 'node:crypto';
import { CodedError } from '../base/index.ts';
import { type BootstrapToken, formatToken, parseToken } from './token.ts';

export interface JoinString {
  /** host:port, the first that answers is used. */
  readonly endpoints: readonly string[];
  /** sha256:… */
  readonly caCertHashes: readonly string[];
  readonly token: BootstrapToken;
  /** undefined: never. */
  readonly expires: Date | undefined;
}

const prefix = 'k8ts1-';
const pinLength = 32;
const pinsAt = 27;
const checksumLength = 4;

/** True for what formatJoinString makes, damaged or whole. */
export function isJoinString(text: string): boolean {
  return /^k8ts\d+-/.test(text.trim());
}

export function formatJoinString({ endpoints, caCertHashes, token, expires }: JoinString): string {
  const seconds = Buffer.alloc(4);
  seconds.writeUInt32BE(expires === undefined ? 0 : Math.floor(expires.getTime() / 1000));
  const content = Buffer.concat([
    Buffer.from(token.id + token.secret, 'latin1'),
    seconds,
    Buffer.from([caCertHashes.length]),
    ...caCertHashes.map((hash) => Buffer.from(hash.slice('sha256:'.length), 'hex')),
    Buffer.from(endpoints.join(','), 'latin1'),
  ]);
  return prefix + Buffer.concat([content, checksum(content)]).toString('base64url');
}

/** @throws CodedError JOIN_STRING_VERSION, JOIN_STRING_DAMAGED */
export function parseJoinString(given: string): JoinString {
  // A terminal that breaks a long line adds white space; no other character can be forgiven.
  const text = given.replaceAll(/\s+/g, '');
  if (!text.startsWith(prefix)) {
    throw new CodedError('JOIN_STRING_VERSION', 'this join string is of another version of k8ts', {
      exit: 'invalidInput',
      hint: 'install the same version as on the master, or use: k8ts token create --print-join-command',
    });
  }
  const bytes = Buffer.from(text.slice(prefix.length), 'base64url');
  const content = bytes.subarray(0, -checksumLength);
  const whole = /^[A-Za-z0-9_-]+$/.test(text) && content.length > pinsAt && isWhole(bytes, content);
  if (!whole) {
    throw new CodedError('JOIN_STRING_DAMAGED', 'the join string is cut off or has a typing error in it', {
      exit: 'invalidInput',
      hint: `it has ${text.length} characters here; copy it again: k8ts token create --print-join-string`,
    });
  }
  const pins = content[pinsAt - 1] ?? 0;
  const seconds = content.readUInt32BE(22);
  const pin = (n: number): string => content.toString('hex', pinsAt + n * pinLength, pinsAt + (n + 1) * pinLength);
  return {
    token: parseToken(formatToken({ id: content.toString('latin1', 0, 6), secret: content.toString('latin1', 6, 22) })),
    expires: seconds === 0 ? undefined : new Date(seconds * 1000),
    caCertHashes: Array.from({ length: pins }, (_, n) => `sha256:${pin(n)}`),
    endpoints: content.toString('latin1', pinsAt + pins * pinLength).split(','),
  };
}

function isWhole(bytes: Buffer, content: Buffer): boolean {
  return checksum(content).equals(bytes.subarray(-checksumLength));
}

function checksum(content: Buffer): Buffer {
  return createHash('sha256').update(content).digest().subarray(0, checksumLength);
}
