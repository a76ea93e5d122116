// What a log-structured engine has to bring: an ordered, durable list of records. log-store.ts builds the whole Store
// contract on it (compare-and-swap, newest state, watches), so an engine is only about disk: `memory` keeps arrays,
// `sqlite` writes a table from a worker thread. etcd orders revisions itself and implements Store directly.

import type { Entry, RangeOptions, Revision } from './store.ts';

/** One write as it is kept for ever, or until compaction. */
export interface LogRecord {
  readonly revision: Revision;
  readonly key: string;
  readonly createRevision: Revision;
  readonly deleted: boolean;
  /** The value; for a delete, the last value. Stamped. */
  readonly bytes: Uint8Array;
}

export interface LogState {
  /** The last record's revision; 0 when there is none. */
  readonly revision: Revision;
  /** History at or before this revision is gone; 0 when nothing was compacted. */
  readonly compacted: Revision;
  /** What every live key holds, in any order. */
  readonly entries: readonly Entry[];
}

export interface HistoryRecord {
  readonly record: LogRecord;
  /** What the key held before, as far as it was not compacted. */
  readonly previous: Entry | undefined;
}

export interface Log {
  load(): Promise<LogState>;
  /**
   * Resolves when the records are on disk. Calls are kept in order. When one fails nothing of it is kept, and calls made
   * before the caller could see that failure fail as well, because their records build on those that were lost.
   */
  append(records: readonly LogRecord[]): Promise<void>;
  /** Records with `after` < revision <= `upTo`, in order, at most `limit`. */
  history(after: Revision, upTo: Revision, limit: number): Promise<readonly HistoryRecord[]>;
  /** Live keys as of `revision`, in key order. */
  rangeAt(options: RangeOptions & { readonly revision: Revision }): Promise<readonly Entry[]>;
  /** Forgets what a reader at `revision` can't see; writes may go on meanwhile. */
  compact(revision: Revision): Promise<void>;
  close(): Promise<void>;
}
