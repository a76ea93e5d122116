import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { preflightPage } from '../../scripts/preflight-page.ts';

t.test('docs/preflight.md is what the tables say (node scripts/generate-preflight-docs.ts)', async (t) => {
  t.equal(await readFile(join(import.meta.dirname, '..', '..', 'docs', 'preflight.md'), 'utf8'), preflightPage());
});
