// Writes docs/preflight.md and docs/doctor.md from the tables of checks. test/preflight/docs.test.ts fails when they are not
// up to date.
// usage: node scripts/generate-check-pages.ts

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkPages } from './check-pages.ts';

for (const [path, content] of Object.entries(checkPages())) {
  await writeFile(join(import.meta.dirname, '..', path), content);
}
