// What the store's main side and its worker thread say to each other. Values of one message travel in one ArrayBuffer
// that is handed over, not copied: cloning a view of a pooled Buffer would copy the whole pool.

import type { Entry, Revision } from '../store.ts';

/** Records or entries side by side: item i has bytes [ends[i-1], ends[i]) of `bytes`. */
export interface Packed {
  readonly keys: readonly string[];
  readonly revisions: readonly Revision[];
  readonly createRevisions: readonly Revision[];
  readonly deleted: readonly boolean[];
  readonly ends: readonly number[];
  readonly bytes: ArrayBuffer;
}

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

export function pack(items: readonly PackItem[]): Packed {
  const bytes = new Uint8Array(items.reduce((sum, item) => sum + item.bytes.length, 0));
  let end = 0;
  const ends = items.map((item) => {
    bytes.set(item.bytes, end);
    end += item.bytes.length;
    return end;
  });
  return {
    keys: items.map(({ key }) => key),
    revisions: items.map(({ revision }) => revision),
    createRevisions: items.map(({ createRevision }) => createRevision),
    deleted: items.map(({ deleted }) => deleted),
    ends,
    bytes: bytes.buffer,
  };
}

/** @param copy true: each item gets a buffer of its own, for values that live longer than their message. */
export function unpack(packed: Packed, copy: boolean): PackItem[] {
  const all = Buffer.from(packed.bytes);
  return packed.keys.map((key, i) => {
    const view = all.subarray(packed.ends[i - 1] ?? 0, packed.ends[i]);
    return {
      key,
      revision: packed.revisions[i] ?? 0,
      createRevision: packed.createRevisions[i] ?? 0,
      deleted: packed.deleted[i] ?? false,
      bytes: copy ? ownBytes(view) : view,
    };
  });
}

export function entryOf({ key, bytes, createRevision, revision }: PackItem): Entry {
  return { key, bytes, createRevision, modRevision: revision };
}

function ownBytes(view: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(view.length);
  view.copy(own);
  return own;
}
