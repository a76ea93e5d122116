// The thread that owns the SQLite file, so that fsync never blocks the API server's event loop. It takes every append
// that is waiting into one transaction: the busier the server, the larger the groups, one fsync each.
//
// After a failed commit, appends that were sent before the main side could know (same epoch) are refused, because they
// build on records that are not there.

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { CodedError, messageOf } from '../../base/index.ts';
import { type Database, describe, openDatabase } from './database.ts';
import {
  type Answer,
  type HistoryPage,
  type LoadPage,
  type Packed,
  type PackItem,
  pack,
  type Request,
  unpack,
} from './messages.ts';

const groupBytesMax = 16 * 1024 * 1024;
const compactBatch = 500;
const shrinkPages = 2000;

type Append = Extract<Request, { op: 'append' }>;
type Compact = Extract<Request, { op: 'compact' }>;
type Close = Extract<Request, { op: 'close' }>;

const port = parentPort;
if (port === null) throw new Error('store/sqlite/worker.ts runs as a worker thread only');
const { path, quotaBytes } = workerData as { path: string; quotaBytes: number };
let database: Database | undefined;
let refusedEpoch = -1;
port.on('message', (request: Request) => {
  let next: Request | undefined = request;
  while (next !== undefined) next = serve(next);
});

/** Serves one request (or a group of appends); returns the request that ended the group, if one was taken off the port. */
function serve(request: Request): Request | undefined {
  if (request.op === 'append') return appendGroup(request);
  try {
    if (request.op === 'compact') {
      compactStep(request, 'superseded');
      return undefined;
    }
    answer({ id: request.id, ok: true, result: request.op === 'close' ? close() : read(request) });
  } catch (error) {
    refuse(request.id, error);
  }
  return undefined;
}

function appendGroup(first: Append): Request | undefined {
  const group: Append[] = [first];
  let size = first.records.byteLength;
  let other: Request | undefined;
  while (size < groupBytesMax) {
    const message = receiveMessageOnPort(port as NonNullable<typeof port>)?.message as Request | undefined;
    if (message === undefined) break;
    if (message.op !== 'append') {
      other = message;
      break;
    }
    group.push(message);
    size += message.records.byteLength;
  }
  const live = group.filter(({ epoch }) => epoch > refusedEpoch);
  for (const { id } of group.filter((request) => !live.includes(request))) {
    refuse(
      id,
      new CodedError('STORE_FAILED', 'an earlier write that this one builds on failed', { hint: 'try again' }),
    );
  }
  commitGroup(live);
  return other;
}

function commitGroup(group: readonly Append[]): void {
  if (group.length === 0) return;
  const { statements } = open();
  try {
    statements.begin.run();
    for (const { records } of group) {
      for (const item of unpack(records, false)) {
        statements.insert.run(item.revision, item.key, item.createRevision, item.deleted ? 1 : 0, item.bytes);
      }
    }
    statements.commit.run();
  } catch (error) {
    refusedEpoch = Math.max(...group.map(({ epoch }) => epoch));
    rollBack();
    for (const { id } of group) refuse(id, error);
    return;
  }
  for (const { id } of group) port?.postMessage(id);
}

function rollBack(): void {
  try {
    open().statements.rollback.run();
  } catch {
    // SQLite rolled back by itself already (SQLITE_FULL and SQLITE_IOERR do).
  }
}

function read(request: Exclude<Request, Append | Compact | Close>): unknown {
  const { statements } = open();
  switch (request.op) {
    case 'load': {
      const revision = Number(statements.lastRevision.get()?.['revision'] ?? 0);
      const compacted = Number(statements.compacted.get()?.['value'] ?? 0);
      const entries = pack(statements.load.all(request.after, request.limit).map(itemOf));
      return { revision: Math.max(revision, compacted), compacted, entries } satisfies LoadPage;
    }
    case 'history': {
      const rows = statements.history.all(request.after, request.upTo, request.limit).map(itemOf);
      const previous = rows.map(({ key, revision }) => {
        const row = statements.previous.get(key, revision);
        return row === undefined ? nothing : itemOf(row);
      });
      return { records: pack(rows), previous: pack(previous) } satisfies HistoryPage;
    }
    case 'range':
      return pack(
        statements.rangeAt.all(request.from, request.to, request.revision, request.limit).map(itemOf),
      ) satisfies Packed;
  }
}

/** In small steps with the event loop between them, so that writes are not held up. */
function compactStep(request: Compact, step: 'superseded' | 'tombstones'): void {
  const { statements, shrink } = open();
  statements.setCompacted.run(request.revision);
  const drop = step === 'superseded' ? statements.dropSuperseded : statements.dropTombstones;
  const { changes } = drop.run(request.revision, compactBatch);
  const again = Number(changes) === compactBatch;
  if (!again && step === 'tombstones') {
    shrink(shrinkPages);
    answer({ id: request.id, ok: true, result: undefined });
    return;
  }
  setImmediate(() => {
    try {
      compactStep(request, again ? step : 'tombstones');
    } catch (error) {
      refuse(request.id, error);
    }
  });
}

function open(): Database {
  database ??= openDatabase(path, quotaBytes);
  return database;
}

function close(): void {
  database?.close();
  database = undefined;
}

function answer(message: Exclude<Answer, number>): void {
  const buffers = message.ok ? transferable(message.result) : [];
  port?.postMessage(message, buffers);
}

function refuse(id: number, error: unknown): void {
  const described = describe(error, path);
  const { code, hint } = described instanceof CodedError ? described : { code: 'STORE_FAILED', hint: undefined };
  answer({ id, ok: false, code, message: messageOf(described), hint });
}

function transferable(result: unknown): ArrayBuffer[] {
  if (result instanceof ArrayBuffer) return [result];
  if (typeof result !== 'object' || result === null) return [];
  return Object.values(result).flatMap(transferable);
}

const nothing: PackItem = { key: '', revision: 0, createRevision: 0, deleted: true, bytes: new Uint8Array() };

function itemOf(row: Readonly<Record<string, unknown>>): PackItem {
  const { key, revision, created, deleted, value } = row;
  return {
    key: String(key),
    revision: Number(revision),
    createRevision: Number(created),
    deleted: deleted === 1,
    bytes: value instanceof Uint8Array ? value : new Uint8Array(),
  };
}
