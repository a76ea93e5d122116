// Child of sqlite.test.ts: writes new keys, 16 at a time, and prints each revision after it was acknowledged, until killed.

import { writeSync } from 'node:fs';
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
      if (result.ok) writeSync(1, `${result.revision}\n`);
    }
  }),
);
