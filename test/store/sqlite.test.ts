import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import { openSqliteStore, prefixEnd } from '../../src/store/index.ts';
import { storeContract } from '../contract/store.ts';

function freshPath(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'k8ts-store-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, 'state', 'state.db');
}

const put = (key: string, body: string | Uint8Array, expect?: number) =>
  ({
    op: 'put',
    key,
    value: { bytes: Buffer.from(body), stampAt: -1 },
    ...(expect === undefined ? {} : { expect }),
  }) as const;
const everything = { from: '/', to: prefixEnd('/') };

storeContract(t, async (t) => openSqliteStore({ path: freshPath(t) }));

t.test('a reopened store has the same state, revision and history', async (t) => {
  const path = freshPath(t);
  const store = await openSqliteStore({ path });
  for (let i = 0; i < 5; i++) await store.write(put(`/k/${i % 2}`, `${i}`));
  await store.write({ op: 'delete', key: '/k/1' });
  await store.close();
  t.equal(statSync(path).mode & 0o777, 0o600);

  const again = await openSqliteStore({ path });
  t.equal(again.revision, 6);
  t.match((await again.range(everything)).entries, [{ key: '/k/0', modRevision: 5, createRevision: 1 }]);
  t.equal((await again.range({ ...everything, revision: 5 })).entries.length, 2);
  t.match(await again.write(put('/k/1', 'new', 0)), { ok: true, revision: 7 });
  await again.compact(7);
  await again.close();

  const third = await openSqliteStore({ path });
  t.equal(third.revision, 7);
  await t.rejects(third.range({ ...everything, revision: 5 }), { name: 'CompactedError', compacted: 7 });
  await third.close();
});

t.test('a deletion as the newest write survives compaction and reopening', async (t) => {
  const path = freshPath(t);
  const store = await openSqliteStore({ path });
  await store.write(put('/k', '1'));
  await store.write({ op: 'delete', key: '/k' });
  await store.compact(2);
  await store.close();
  const again = await openSqliteStore({ path });
  t.equal(again.revision, 2);
  t.same((await again.range(everything)).entries, []);
  await again.close();
});

t.test('two servers on one file: the second is refused', async (t) => {
  const path = freshPath(t);
  const store = await openSqliteStore({ path });
  await t.rejects(openSqliteStore({ path }), { code: 'STORE_LOCKED', hint: /stop the other/ });
  await store.close();
  await (await openSqliteStore({ path })).close();
});

t.test('a damaged file, one of a newer version and a folder that is a file are told apart', async (t) => {
  const damaged = freshPath(t);
  await (await openSqliteStore({ path: damaged })).close();
  writeFileSync(damaged, Buffer.alloc(20_000, 'x'));
  await t.rejects(openSqliteStore({ path: damaged }), { code: 'STORE_CORRUPT' });

  const newer = freshPath(t);
  await (await openSqliteStore({ path: newer })).close();
  const db = new DatabaseSync(newer);
  db.exec('PRAGMA user_version=99');
  db.close();
  await t.rejects(openSqliteStore({ path: newer }), { code: 'STORE_TOO_NEW' });

  await t.rejects(openSqliteStore({ path: join(newer, 'below', 'state.db') }), { code: /^STORE_/ });
});

t.test('a full disk refuses writes, loses nothing that was acknowledged and goes on when there is room', async (t) => {
  const path = freshPath(t);
  const store = await openSqliteStore({ path, quotaBytes: 1024 * 1024 });
  const results = await Promise.allSettled(
    Array.from({ length: 400 }, (_, i) => store.write(put(`/k/${i}`, Buffer.alloc(8000, 'v')))),
  );
  const more = await Promise.allSettled(
    Array.from({ length: 4 }, (_, i) => store.write(put(`/big/${i}`, Buffer.alloc(300_000, 'v')))),
  );
  const failed = [...results, ...more].filter((result) => result.status === 'rejected');
  t.ok(failed.length > 0);
  t.match(failed[0], { reason: { code: 'STORE_FULL', hint: /free disk space/ } });
  const kept = [...results, ...more].filter((result) => result.status === 'fulfilled').length;
  t.equal((await store.range(everything)).entries.length, kept);
  t.equal(await store.newest('/k/399'), undefined, 'a lost write is not the newest state');
  await store.close();

  const again = await openSqliteStore({ path });
  t.equal((await again.range(everything)).entries.length, kept);
  t.match(await again.write(put('/k/399', 'fits now', 0)), { ok: true });
  await again.close();
});

t.test('kill -9 during writes loses no acknowledged write', async (t) => {
  const path = freshPath(t);
  const child = spawn(process.execPath, [join(import.meta.dirname, 'endless-writer.ts'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const acknowledged: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(Number(line));
    if (acknowledged.length === 300) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  const store = await openSqliteStore({ path });
  const kept = new Set((await store.range(everything)).entries.map(({ modRevision }) => modRevision));
  t.ok(acknowledged.length >= 300);
  t.same(
    acknowledged.filter((revision) => !kept.has(revision)),
    [],
  );
  await store.close();
});
