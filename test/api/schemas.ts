// Makes dist/schemas when a fresh checkout has none yet, so that a single test file can be run on its own.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SchemaFile } from '../../src/api/schema/shape.ts';

const root = join(import.meta.dirname, '..', '..');

export function ensureSchemas(): void {
  if (existsSync(join(root, 'dist', 'schemas', 'types.json'))) return;
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts', 'generate-schemas.ts')]);
  if (status !== 0) throw new Error(`generate-schemas failed: ${stderr}`);
}

/** All of it, as the server reads it. */
export function readSchemas(): SchemaFile {
  return JSON.parse(readFileSync(join(root, 'dist', 'schemas', 'types.json'), 'utf8')) as SchemaFile;
}
