// The SQLite file. One table is the log; the newest row of a key that is not a deletion is its value:
//
//   log(revision INTEGER PRIMARY KEY, key TEXT, created INTEGER, deleted INTEGER, value BLOB)   + index (key, revision)
//   meta(name TEXT PRIMARY KEY, value)                      'compacted'
//
// WAL with synchronous=FULL: a commit returns after its fsync. Opened by one process at a time: a second file next to it
// holds a lock that the kernel drops with the process, so nothing stale is left by a crash, while `sqlite3 FILE` may still
// read the database of a running server.

import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { CodedError, codeOf, messageOf } from '../../base/index.ts';

const schemaVersion = 1;
const pageSize = 4096;

export interface Statements {
  readonly begin: StatementSync;
  readonly commit: StatementSync;
  readonly rollback: StatementSync;
  readonly insert: StatementSync;
  readonly load: StatementSync;
  readonly history: StatementSync;
  readonly previous: StatementSync;
  readonly rangeAt: StatementSync;
  readonly lastRevision: StatementSync;
  readonly compacted: StatementSync;
  readonly setCompacted: StatementSync;
  readonly dropSuperseded: StatementSync;
  readonly dropTombstones: StatementSync;
}

export interface Database {
  readonly statements: Statements;
  /** Gives free pages back to the file system, at most `pages` of them. */
  shrink(pages: number): void;
  close(): void;
}

/** @param quotaBytes the file may not grow beyond this; writes then fail with STORE_FULL. */
export function openDatabase(path: string, quotaBytes: number): Database {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const lock = takeLock(`${path}.lock`);
  try {
    closeSync(openSync(path, 'a', 0o600));
    chmodSync(path, 0o600);
    const db = new DatabaseSync(path);
    try {
      prepareSchema(db, path, quotaBytes);
      return {
        statements: prepareStatements(db),
        shrink: (pages) => db.exec(`PRAGMA incremental_vacuum(${pages})`),
        close: () => {
          db.close();
          lock.close();
        },
      };
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    lock.close();
    throw describe(error, path);
  }
}

function takeLock(path: string): DatabaseSync {
  closeSync(openSync(path, 'a', 0o600));
  const lock = new DatabaseSync(path);
  try {
    lock.exec('PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE');
    return lock;
  } catch {
    lock.close();
    throw new CodedError('STORE_LOCKED', `the datastore beside ${path} is in use by another process`, {
      hint: 'stop the other k8ts server first; two servers must not share one SQLite file',
    });
  }
}

function prepareSchema(db: DatabaseSync, path: string, quotaBytes: number): void {
  db.exec(
    `PRAGMA page_size=${pageSize}; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL`,
  );
  const version = db.prepare('PRAGMA user_version').get()?.['user_version'];
  if (typeof version === 'number' && version > schemaVersion) {
    throw new CodedError(
      'STORE_TOO_NEW',
      `${path} was written by a newer k8ts (schema ${version}, known ${schemaVersion})`,
      {
        hint: 'use that version of k8ts, or restore a snapshot of this one',
      },
    );
  }
  db.exec(`
    CREATE TABLE IF NOT EXISTS log(
      revision INTEGER PRIMARY KEY, key TEXT NOT NULL, created INTEGER NOT NULL, deleted INTEGER NOT NULL, value BLOB NOT NULL);
    CREATE INDEX IF NOT EXISTS log_key ON log(key, revision);
    CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL);
    PRAGMA user_version=${schemaVersion};
    PRAGMA wal_autocheckpoint=4000;
    PRAGMA max_page_count=${Math.max(1, Math.floor(quotaBytes / pageSize))};
  `);
}

function prepareStatements(db: DatabaseSync): Statements {
  const columns = 'key, revision, created, deleted, value';
  return {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    insert: db.prepare('INSERT INTO log(revision, key, created, deleted, value) VALUES(?, ?, ?, ?, ?)'),
    // SQLite takes the bare columns from the row that has max(revision).
    load: db.prepare(
      'SELECT key, max(revision) AS revision, created, deleted, value FROM log WHERE key > ? GROUP BY key HAVING deleted = 0 ORDER BY key LIMIT ?',
    ),
    history: db.prepare(`SELECT ${columns} FROM log WHERE revision > ? AND revision <= ? ORDER BY revision LIMIT ?`),
    previous: db.prepare(`SELECT ${columns} FROM log WHERE key = ? AND revision < ? ORDER BY revision DESC LIMIT 1`),
    rangeAt: db.prepare(
      'SELECT key, max(revision) AS revision, created, deleted, value FROM log WHERE key >= ? AND key < ? AND revision <= ? GROUP BY key HAVING deleted = 0 ORDER BY key LIMIT ?',
    ),
    lastRevision: db.prepare('SELECT max(revision) AS revision FROM log'),
    compacted: db.prepare("SELECT value FROM meta WHERE name = 'compacted'"),
    setCompacted: db.prepare(
      "INSERT INTO meta VALUES('compacted', ?) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
    ),
    dropSuperseded: db.prepare(
      'DELETE FROM log WHERE revision IN (SELECT old.revision FROM log old WHERE old.revision <= ?1 AND EXISTS (SELECT 1 FROM log next WHERE next.key = old.key AND next.revision > old.revision AND next.revision <= ?1) LIMIT ?2)',
    ),
    dropTombstones: db.prepare(
      'DELETE FROM log WHERE revision IN (SELECT revision FROM log WHERE deleted = 1 AND revision <= ?1 AND revision < (SELECT max(revision) FROM log) LIMIT ?2)',
    ),
  };
}

/** SQLite's result codes that a person can do something about, as CodedErrors. Source: sqlite.org/rescode.html */
export function describe(error: unknown, path: string): Error {
  if (error instanceof CodedError) return error;
  const result = typeof error === 'object' && error !== null && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  const message = `${messageOf(error)} (${path})`;
  if (result === 13 || codeOf(error) === 'ENOSPC') {
    return new CodedError('STORE_FULL', `the datastore can't grow: ${message}`, {
      cause: error,
      hint: 'free disk space, or raise the quota; reads go on, writes are refused until then',
    });
  }
  if (result === 11 || result === 26) {
    return new CodedError('STORE_CORRUPT', `the datastore is damaged: ${message}`, {
      cause: error,
      hint: 'restore a snapshot; keep the damaged file for analysis',
    });
  }
  if (result === 14 || result === 8 || codeOf(error) === 'EACCES' || codeOf(error) === 'EROFS') {
    return new CodedError('STORE_UNWRITABLE', `the datastore can't be opened for writing: ${message}`, {
      cause: error,
      hint: 'check that the folder exists, is writable by root and not on a read-only file system',
    });
  }
  return new CodedError('STORE_FAILED', `the datastore failed: ${message}`, {
    cause: error,
    hint: 'check the disk and the kernel log for I/O errors',
  });
}
