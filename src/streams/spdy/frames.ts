// The frames of SPDY/3.1 as bytes. Source: draft-mbelshe-httpbis-spdy-00 §2.2, §2.6; SPDY/3.1 keeps version number 3.
//
//   control: 1 | version:15 = 3 | type:16 | flags:8 | length:24 | body
//   data:    0 | stream:31      |           flags:8 | length:24 | body

export const frameType = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

/** Status of RST_STREAM. */
export const resetStatus = { protocolError: 1, invalidStream: 2, refusedStream: 3, cancel: 5 } as const;

export const flagFin = 1;
export const headSize = 8;

export interface FrameHead {
  readonly control: boolean;
  /** Control frames: their type; data frames: 0. */
  readonly type: number;
  readonly version: number;
  /** Data frames: their stream; control frames: 0. */
  readonly stream: number;
  readonly flags: number;
  readonly length: number;
}

/** @param bytes at least headSize of them. */
export function readHead(bytes: Buffer): FrameHead {
  const first = bytes.readUInt32BE(0);
  const control = first >= 0x80000000;
  return {
    control,
    type: control ? first & 0xffff : 0,
    version: control ? (first >>> 16) & 0x7fff : 3,
    stream: control ? 0 : first,
    flags: bytes.readUInt8(4),
    length: bytes.readUIntBE(5, 3),
  };
}

export function dataHead(stream: number, length: number, flags: number): Buffer {
  const head = Buffer.alloc(headSize);
  head.writeUInt32BE(stream, 0);
  head.writeUInt8(flags, 4);
  head.writeUIntBE(length, 5, 3);
  return head;
}

export function controlFrame(type: number, body: Buffer, flags = 0): Buffer {
  const head = Buffer.alloc(headSize);
  head.writeUInt16BE(0x8003, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt8(flags, 4);
  head.writeUIntBE(body.length, 5, 3);
  return Buffer.concat([head, body]);
}

/** A control frame whose body is whole numbers of 32 bits. */
export function numbersFrame(type: number, ...numbers: readonly number[]): Buffer {
  const body = Buffer.alloc(4 * numbers.length);
  numbers.forEach((value, at) => {
    body.writeUInt32BE(value, 4 * at);
  });
  return controlFrame(type, body);
}
