// The `sqlite` engine: the Log contract over a worker thread that owns the file. See database.ts for the layout.

import { CodedError, createWorker } from '../../base/index.ts';
import type { Log } from '../log.ts';
import { openLogStore } from '../log-store.ts';
import type { Entry, Revision, Store } from '../store.ts';
import {
  type Answer,
  entryOf,
  type HistoryPage,
  type LoadPage,
  type Packed,
  pack,
  type Request,
  unpack,
} from './messages.ts';

export interface SqliteStoreOptions {
  /** The database file; its folder is made (0700), the file is 0600. */
  readonly path: string;
  /** The most the file may take, bytes. Default 8 GiB, as etcd's largest suggested quota. */
  readonly quotaBytes?: number;
}

const defaultQuota = 8 * 1024 ** 3;
const loadPage = 2000;
/** The thread makes little garbage; V8's default would let it grow to 48 MB before it looks. */
const youngGenerationMb = 4;

/** Opens or creates the store. CodedErrors: STORE_LOCKED, STORE_TOO_NEW, STORE_CORRUPT, STORE_UNWRITABLE, STORE_FULL. */
export async function openSqliteStore({ path, quotaBytes = defaultQuota }: SqliteStoreOptions): Promise<Store> {
  const log = createSqliteLog(path, quotaBytes);
  try {
    return await openLogStore(log);
  } catch (error) {
    await log.close().catch(() => undefined);
    throw error;
  }
}

type Unsent = Request extends infer R ? (R extends Request ? Omit<R, 'id'> : never) : never;

const entryPoint = { from: import.meta.url, source: './worker.ts', bundled: 'store-worker.js' };

function createSqliteLog(path: string, quotaBytes: number): Log {
  const worker = createWorker(entryPoint, {
    workerData: { path, quotaBytes },
    resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb },
  });
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  let lastId = 0;
  let epoch = 0;
  let dead: Error | undefined;

  worker.on('message', (answer: Answer) => {
    const id = typeof answer === 'number' ? answer : answer.id;
    const asker = waiting.get(id);
    waiting.delete(id);
    if (typeof answer === 'number') asker?.resolve(undefined);
    else if (answer.ok) asker?.resolve(answer.result);
    else
      asker?.reject(
        new CodedError(answer.code, answer.message, answer.hint === undefined ? {} : { hint: answer.hint }),
      );
  });
  const die = (error: Error): void => {
    dead ??= error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.on('error', die);
  worker.on('exit', () => die(new Error('the datastore thread has ended')));

  function ask(request: Unsent, transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
    if (dead !== undefined) return Promise.reject(dead);
    lastId += 1;
    const id = lastId;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      worker.postMessage({ ...request, id }, transfer);
    });
  }

  return {
    async load() {
      const entries: Entry[] = [];
      for (let after = ''; ; ) {
        const page = (await ask({ op: 'load', after, limit: loadPage })) as LoadPage;
        const items = unpack(page.entries, true);
        entries.push(...items.map(entryOf));
        const last = items.at(-1);
        if (last === undefined) return { revision: page.revision, compacted: page.compacted, entries };
        after = last.key;
      }
    },
    async append(records) {
      const packed = pack(records);
      try {
        await ask({ op: 'append', epoch, records: packed }, [packed]);
      } catch (error) {
        epoch += 1;
        throw error;
      }
    },
    async history(after, upTo, limit) {
      const page = (await ask({ op: 'history', after, upTo, limit })) as HistoryPage;
      const previous = unpack(page.previous, true);
      return unpack(page.records, true).map((record, i) => {
        const before = previous[i];
        return { record, previous: before === undefined || before.deleted ? undefined : entryOf(before) };
      });
    },
    async rangeAt({ from, to, limit = Number.MAX_SAFE_INTEGER, revision }) {
      const sqlLimit = Math.min(limit, Number.MAX_SAFE_INTEGER);
      return unpack((await ask({ op: 'range', from, to, revision, limit: sqlLimit })) as Packed, true).map(entryOf);
    },
    async compact(revision: Revision) {
      await ask({ op: 'compact', revision });
    },
    async close() {
      try {
        if (dead === undefined) await ask({ op: 'close' });
      } finally {
        await worker.terminate();
      }
    },
  };
}
