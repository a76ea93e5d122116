// What the store's main side and its worker thread say to each other. The records of one message travel in one ArrayBuffer
// that is handed over: cloning arrays of keys and numbers cost as much as everything else about a small write, and cloning
// a view of a pooled Buffer would copy the whole pool.

import type { Entry, Revision } from '../store.ts';

/**
 * Records or entries side by side:
 *
 *   float64: count │ per item: revision, createRevision, deleted, key bytes, value bytes │ key, value, key, value, …
 */
export type Packed = ArrayBuffer;

export type Request =
  /** `epoch` grows by one with each failure that the main side has seen; see worker.ts. */
  | { readonly op: 'append'; readonly id: number; readonly epoch: number; readonly records: Packed }
  | { readonly op: 'load'; readonly id: number; readonly after: string; readonly limit: number }
  | {
      readonly op: 'history';
      readonly id: number;
      readonly after: Revision;
      readonly upTo: Revision;
      readonly limit: number;
    }
  | {
      readonly op: 'range';
      readonly id: number;
      readonly from: string;
      readonly to: string;
      readonly revision: Revision;
      readonly limit: number;
    }
  | { readonly op: 'compact'; readonly id: number; readonly revision: Revision }
  | { readonly op: 'close'; readonly id: number };

export type Answer =
  /** An append that is on disk, by its id. */
  | number
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | {
      readonly id: number;
      readonly ok: false;
      readonly code: string;
      readonly message: string;
      readonly hint: string | undefined;
    };

export interface LoadPage {
  readonly revision: Revision;
  readonly compacted: Revision;
  readonly entries: Packed;
}

export interface HistoryPage {
  readonly records: Packed;
  /** previous[i] belongs to records[i]; a key of '' stands for "nothing before". */
  readonly previous: Packed;
}

export interface PackItem {
  readonly key: string;
  readonly revision: Revision;
  readonly createRevision: Revision;
  readonly deleted: boolean;
  readonly bytes: Uint8Array;
}

const itemNumbers = 5;
const numberBytes = Float64Array.BYTES_PER_ELEMENT;

export function pack(items: readonly PackItem[]): Packed {
  const numbers = 1 + items.length * itemNumbers;
  let size = numbers * numberBytes;
  for (const { key, bytes } of items) size += Buffer.byteLength(key) + bytes.length;
  const packed = new ArrayBuffer(size);
  const header = new Float64Array(packed, 0, numbers);
  const body = Buffer.from(packed);
  header[0] = items.length;
  let at = numbers * numberBytes;
  let first = 1;
  for (const { key, revision, createRevision, deleted, bytes } of items) {
    const keyBytes = body.write(key, at);
    body.set(bytes, at + keyBytes);
    at += keyBytes + bytes.length;
    header[first] = revision;
    header[first + 1] = createRevision;
    header[first + 2] = deleted ? 1 : 0;
    header[first + 3] = keyBytes;
    header[first + 4] = bytes.length;
    first += itemNumbers;
  }
  return packed;
}

/** @param copy true: each item gets a buffer of its own, for values that live longer than their message. */
export function unpack(packed: Packed, copy: boolean): PackItem[] {
  const count = new Float64Array(packed, 0, 1)[0] ?? 0;
  const header = new Float64Array(packed, numberBytes, count * itemNumbers);
  const body = Buffer.from(packed);
  const items: PackItem[] = [];
  let at = (1 + header.length) * numberBytes;
  for (let first = 0; first < header.length; first += itemNumbers) {
    const keyBytes = header[first + 3] ?? 0;
    const valueBytes = header[first + 4] ?? 0;
    const key = body.toString('utf8', at, at + keyBytes);
    const view = body.subarray(at + keyBytes, at + keyBytes + valueBytes);
    at += keyBytes + valueBytes;
    items.push({
      key,
      revision: header[first] ?? 0,
      createRevision: header[first + 1] ?? 0,
      deleted: header[first + 2] === 1,
      bytes: copy ? ownBytes(view) : view,
    });
  }
  return items;
}

export function entryOf({ key, bytes, createRevision, revision }: PackItem): Entry {
  return { key, bytes, createRevision, modRevision: revision };
}

function ownBytes(view: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(view.length);
  view.copy(own);
  return own;
}
