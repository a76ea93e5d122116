// Writes the protobuf wire format from the back: a message's length stands in front of it, and written last it is known
// without measuring the message first. Upstream's generated Go code does the same.

const startSize = 4096;

export class Writer {
  #bytes: Buffer;
  #at: number;

  constructor(size: number = startSize) {
    this.#bytes = Buffer.allocUnsafe(size);
    this.#at = size;
  }

  /** How many bytes have been written. */
  get size(): number {
    return this.#bytes.length - this.#at;
  }

  /** What was written; the writer is not used any more. */
  finish(): Buffer {
    return this.#bytes.subarray(this.#at);
  }

  uint32(value: number): void {
    this.#reserve(5);
    const bytes = this.#bytes;
    let at = this.#at - (value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5);
    this.#at = at;
    let left = value;
    for (; left > 0x7f; left >>>= 7) bytes[at++] = (left & 0x7f) | 0x80;
    bytes[at] = left;
  }

  /** Signed; a negative number takes ten bytes, as int32 and int64 do. */
  int64(value: number): void {
    if (value >= 0 && value <= 0xffff_ffff) {
      this.uint32(value);
      return;
    }
    this.#reserve(10);
    const groups: number[] = [];
    let low = value >>> 0;
    let high = Math.floor(value / 2 ** 32) >>> 0;
    while (high > 0 || low > 0x7f) {
      groups.push((low & 0x7f) | 0x80);
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    groups.push(low);
    this.#at -= groups.length;
    this.#bytes.set(groups, this.#at);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#at -= 8;
    this.#bytes.writeDoubleLE(value, this.#at);
  }

  string(text: string): void {
    const length = Buffer.byteLength(text);
    this.#reserve(length);
    this.#at -= length;
    if (length === text.length && length <= 32) {
      for (let index = 0; index < length; index += 1) this.#bytes[this.#at + index] = text.charCodeAt(index);
    } else this.#bytes.write(text, this.#at, length, 'utf8');
    this.uint32(length);
  }

  /** Base64 text as the bytes that it stands for. */
  base64(text: string): void {
    this.view(Buffer.from(text, 'base64'));
  }

  view(bytes: Uint8Array): void {
    this.raw(bytes);
    this.uint32(bytes.length);
  }

  /** Bytes without a length. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#at -= bytes.length;
    this.#bytes.set(bytes, this.#at);
  }

  #reserve(length: number): void {
    if (this.#at >= length) return;
    const { size } = this;
    const grown = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, size + length));
    this.#bytes.copy(grown, grown.length - size, this.#at);
    this.#bytes = grown;
    this.#at = grown.length - size;
  }
}
