import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { checkPages } from '../../scripts/check-pages.ts';

for (const [path, want] of Object.entries(checkPages())) {
  t.test(`${path} is what the tables say (node scripts/generate-check-pages.ts)`, async (t) => {
    t.equal(await readFile(join(import.meta.dirname, '..', '..', path), 'utf8'), want);
  });
}
