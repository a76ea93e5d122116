// Reads the protobuf wire format out of one buffer: varints, lengths, and how to pass over what nobody asked for. Nothing
// here allocates by a length that the sender names: a length is compared with what is left before it is used, and the
// number of messages in one body is bounded, because an empty one takes two bytes to send and a hundred to keep.
// Source: protobuf.dev, "Encoding"; what is refused is what upstream's generated Go code refuses.

import { DecodeError, maxDepth } from '../decode/decode-error.ts';

/** varint, eight bytes, length and bytes, four bytes; 3 and 4 are groups, which only old writers send. */
export type WireType = 0 | 1 | 2 | 5;

const maxMessages = 500_000;
const asciiMax = 12;

export class Reader {
  readonly bytes: Buffer;
  at: number;
  /** Where the message that is being read ends. */
  end: number;
  #depth = 0;
  #messages = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.at = 0;
    this.end = bytes.length;
  }

  /** The low 32 bits of a varint, unsigned. */
  uint32(): number {
    const { bytes } = this;
    let at = this.at;
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= this.end) throw truncated();
      const byte = bytes[at++] ?? 0;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.at = at;
        return value >>> 0;
      }
    }
    throw overflow();
  }

  /** A signed 64-bit varint; exact within Number.MAX_SAFE_INTEGER, as JSON numbers are. */
  int64(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= this.end) throw truncated();
      const byte = this.bytes[this.at++] ?? 0;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else if (shift < 64) high |= bits << (shift - 32);
      if (byte < 0x80) return high * 2 ** 32 + (low >>> 0);
    }
    throw overflow();
  }

  double(): number {
    const start = this.at;
    if (this.end - start < 8) throw truncated();
    this.at = start + 8;
    return this.bytes.readDoubleLE(start);
  }

  /** A length that fits into what is left of the message. */
  length(): number {
    const length = this.uint32();
    if (length > this.end - this.at) throw truncated();
    return length;
  }

  string(): string {
    const length = this.length();
    const start = this.at;
    const end = start + length;
    this.at = end;
    // Most strings of an object are short names, for which a call into the runtime costs more than the letters.
    if (length <= asciiMax) {
      let text = '';
      let at = start;
      for (; at < end; at += 1) {
        const byte = this.bytes[at] ?? 0;
        if (byte > 0x7f) break;
        text += String.fromCharCode(byte);
      }
      if (at === end) return text;
    }
    return this.bytes.toString('utf8', start, end);
  }

  /** Bytes with their length in front; shares memory with the body. */
  view(): Buffer {
    const length = this.length();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  /** Begins a message; answers where the outer one ends, for close(). */
  open(): number {
    const outer = this.end;
    const length = this.length();
    this.end = this.at + length;
    this.#depth += 1;
    if (this.#depth > maxDepth) throw new DecodeError('proto: exceeded max depth');
    this.countMessage();
    return outer;
  }

  close(outer: number): void {
    this.at = this.end;
    this.end = outer;
    this.#depth -= 1;
  }

  countMessage(): void {
    this.#messages += 1;
    if (this.#messages > maxMessages) throw new DecodeError(`proto: more than ${maxMessages} messages in one body`);
  }

  /** Passes over the value behind `tag`, groups with all that is in them. */
  skip(tag: number): void {
    let groups = 0;
    let next = tag;
    for (;;) {
      if (next >>> 3 === 0) throw new DecodeError(`proto: illegal tag 0 (wire type ${next})`);
      switch (next & 7) {
        case 0:
          this.int64();
          break;
        case 1:
          this.#pass(8);
          break;
        case 2:
          this.#pass(this.length());
          break;
        case 3:
          groups += 1;
          break;
        case 4:
          groups -= 1;
          if (groups < 0) throw new DecodeError('proto: unexpected end of group');
          break;
        case 5:
          this.#pass(4);
          break;
        default:
          throw new DecodeError(`proto: illegal wireType ${next & 7}`);
      }
      if (groups === 0) return;
      next = this.uint32();
    }
  }

  #pass(length: number): void {
    if (length > this.end - this.at) throw truncated();
    this.at += length;
  }
}

function truncated(): DecodeError {
  return new DecodeError('proto: unexpected EOF');
}

function overflow(): DecodeError {
  return new DecodeError('proto: integer overflow');
}
