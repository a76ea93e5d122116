// Writes docs/preflight.md from the tables of checks. test/preflight/docs.test.ts fails when it is not up to date.
// usage: node scripts/generate-preflight-docs.ts

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { preflightPage } from './preflight-page.ts';

await writeFile(join(import.meta.dirname, '..', 'docs', 'preflight.md'), preflightPage());
