// Child of sqlite.test.ts: writes new keys, 16 at a time, and prints each revision after it was acknowledged, until killed.

import { openSqliteStore } from '../../src/store/index.ts';

const store = await openSqliteStore({ path: process.argv[2] ?? '' });
let next = 0;
await Promise.all(
  Array.from({ length: 16 }, async () => {
    for (;;) {
      const result = await store.write({
        op: 'put',
        key: `/k/${next++}`,
        value: { bytes: Buffer.alloc(1500, 'v'), stampAt: -1 },
        expect: 0,
      });
      // Not writeSync: it throws EAGAIN when the reader is behind.
      if (result.ok) await new Promise((done) => process.stdout.write(`${result.revision}\n`, done));
    }
  }),
);
