// Name/value header blocks of SPDY/3.1: compressed with zlib and a preset dictionary, one compression state per direction
// for the life of the connection.
//
//   block = pairs:u32, pairs × (length:u32 name, length:u32 value)         draft-mbelshe-httpbis-spdy-00 §2.6.10
//
// Blocks are read with a real inflater, because peers compress. They are written as stored (uncompressed) deflate blocks in
// a valid zlib stream without the dictionary flag: what we send are a few short headers per connection, a stored block
// needs no state, and nothing can be learnt from its length (the CRIME attack).

import { constants, createInflate } from 'node:zlib';
import { spdyDictionary } from './dictionary.ts';

export type SpdyHeaders = Readonly<Record<string, string>>;

/** The empty stored block of a Z_SYNC_FLUSH: Go's inflater hands out what it has only when it meets one. */
const flush = Buffer.from([0, 0, 0, 0xff, 0xff]);

/** A block may not grow beyond this when inflated. */
const maxInflated = 64 * 1024;

export interface HeaderReader {
  /** Names in lower case; repeated values joined by ', '. Blocks must be given in the order of their arrival. */
  read(block: Buffer): Promise<SpdyHeaders>;
  close(): void;
}

export function createHeaderReader(): HeaderReader {
  const inflate = createInflate({ dictionary: spdyDictionary(), flush: constants.Z_SYNC_FLUSH });
  let parts: Buffer[] = [];
  let size = 0;
  inflate.on('data', (part: Buffer) => {
    size += part.length;
    if (size <= maxInflated) parts.push(part);
    else inflate.destroy(tooLarge());
  });
  // A broken stream shows as the rejection of the read that is waiting; this keeps it from being thrown as well.
  inflate.on('error', () => undefined);
  return {
    async read(block) {
      parts = [];
      size = 0;
      await new Promise<void>((resolve, reject) => {
        inflate.once('error', reject);
        inflate.write(block, (error) => {
          inflate.off('error', reject);
          if (error) reject(error);
          else resolve();
        });
      });
      if (size > maxInflated) throw tooLarge();
      return parsePairs(Buffer.concat(parts));
    },
    close: () => inflate.destroy(),
  };
}

/** Answers the blocks of one direction, in order. */
export function createHeaderWriter(): (headers: SpdyHeaders) => Buffer {
  let first = true;
  return (headers) => {
    const pairs = Object.entries(headers).flatMap(([name, value]) => [text(name.toLowerCase()), text(value)]);
    const body = Buffer.concat([u32(pairs.length / 2), ...pairs]);
    if (body.length > 0xffff) throw new Error('SPDY headers are larger than a stored block');
    // BFINAL=0 BTYPE=00, LEN, one's complement of LEN: RFC 1951 §3.2.4. 78 01 opens the zlib stream: RFC 1950 §2.2.
    const head = Buffer.from([0, 0, 0, 0, 0]);
    head.writeUInt16LE(body.length, 1);
    head.writeUInt16LE(body.length ^ 0xffff, 3);
    const opening = first ? Buffer.from([0x78, 0x01]) : Buffer.alloc(0);
    first = false;
    return Buffer.concat([opening, head, body, flush]);
  };
}

function tooLarge(): Error {
  return new Error('a SPDY header block is larger than 64 KiB');
}

function parsePairs(block: Buffer): SpdyHeaders {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  let at = 0;
  const number = (): number => {
    if (at + 4 > block.length) throw new Error('a SPDY header block is cut off');
    at += 4;
    return block.readUInt32BE(at - 4);
  };
  const word = (): string => {
    const length = number();
    if (at + length > block.length) throw new Error('a SPDY header block is cut off');
    at += length;
    return block.toString('latin1', at - length, at);
  };
  for (let left = number(); left > 0; left -= 1) {
    const name = word().toLowerCase();
    headers[name] = word().replaceAll('\0', ', ');
  }
  return headers;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([u32(bytes.length), bytes]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
