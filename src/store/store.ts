// The contract of the datastore: revisions, compare-and-swap, ordered watch, compaction, over bytes. It does not know
// what a Pod is. Engines: sqlite (one master), etcd (several masters). Every engine runs test/contract/store.
//
// Stamping. Clients receive an object's revision inside its JSON (metadata.resourceVersion), and the store hands out the
// revision, so a value is written as bytes plus the offset at which the store inserts the decimal revision. Values that
// come back are already stamped; nobody parses them to find out their revision, and nobody serialises them twice.

/** A number that grows with each write to the store; 0 means "before the first write". */
export type Revision = number;

/** Bytes to store; `stampAt` is the offset where the write's revision is inserted as decimal digits, -1 for nowhere. */
export interface Value {
  readonly bytes: Uint8Array;
  readonly stampAt: number;
}

export interface Entry {
  readonly key: string;
  /** Stamped bytes; never changed by anyone after this. */
  readonly bytes: Uint8Array;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
}

/** One write. `expect` is the key's modRevision that it builds on; 0: the key must not exist; undefined: whatever there is. */
export type Write =
  | { readonly op: 'put'; readonly key: string; readonly value: Value; readonly expect?: Revision }
  | { readonly op: 'delete'; readonly key: string; readonly expect?: Revision; readonly value?: Value };

/** What a write did, in revision order, to every watcher the same. A delete carries the last bytes, stamped with the delete's revision when the write gave a `value`. */
export type StoreEvent =
  | { readonly type: 'put'; readonly entry: Entry; readonly previous: Entry | undefined }
  | { readonly type: 'delete'; readonly entry: Entry; readonly previous: Entry };

export type WriteResult =
  | { readonly ok: true; readonly revision: Revision; readonly entry: Entry }
  /** `current` is what the key holds now, undefined when it does not exist. */
  | { readonly ok: false; readonly current: Entry | undefined };

export interface RangeOptions {
  /** First key. */
  readonly from: string;
  /** First key after the range; see prefixEnd. */
  readonly to: string;
  readonly limit?: number;
  /** Read the past; CompactedError when it is gone. Default: the newest committed revision. */
  readonly revision?: Revision;
}

export interface RangeResult {
  readonly revision: Revision;
  readonly entries: readonly Entry[];
  readonly more: boolean;
}

export interface StoreWatcher {
  /** Called once per committed group of writes, in order, before the writers' promises resolve. Must not throw or block. */
  readonly onEvents: (events: readonly StoreEvent[]) => void;
  /** Called at most once, when the watch can't go on (compacted, store closed, connection lost). */
  readonly onEnd: (reason: Error) => void;
}

export interface Store {
  /** The newest committed revision. */
  readonly revision: Revision;
  /** Resolves when the write is on disk; one answer per write. Rejects when the disk failed (nothing of it was kept). */
  write(write: Write): Promise<WriteResult>;
  /**
   * The newest value of a key, writes that are on their way included, so that the next write can build on it without a
   * conflict. `undefined`: it does not exist. Never behind what write() has answered.
   */
  newest(key: string): Promise<Entry | undefined> | Entry | undefined;
  range(options: RangeOptions): Promise<RangeResult>;
  /** Events after `after`, first the past ones from the log, then live ones. CompactedError through onEnd if `after` is too old. */
  watch(
    options: { readonly from: string; readonly to: string; readonly after: Revision },
    watcher: StoreWatcher,
  ): { close(): void };
  /** Forgets history at or before `revision`; current values stay. */
  compact(revision: Revision): Promise<void>;
  close(): Promise<void>;
}

/** The revision asked for has been compacted away; clients get 410 Expired. */
export class CompactedError extends Error {
  readonly compacted: Revision;
  constructor(compacted: Revision) {
    super(`the revision asked for has been compacted; the oldest is ${compacted}`);
    this.name = 'CompactedError';
    this.compacted = compacted;
  }
}

/** The end of the range of all keys that start with `prefix` (its last character plus one). */
export function prefixEnd(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}
