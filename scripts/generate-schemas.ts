// Makes dist/schemas/ from the installed npm packages and our overlay: the server's compact schema (types.json) and the
// OpenAPI documents that clients read. Writes the same bytes each time; needs no network.
// usage: node scripts/generate-schemas.ts

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readModels } from './schemas/read-models.ts';
import { runtimeSchema } from './schemas/runtime-schema.ts';

const root = join(import.meta.dirname, '..');
const out = join(root, 'dist', 'schemas');
const models = readModels(join(root, 'node_modules'));

rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
writeFileSync(join(out, 'types.json'), JSON.stringify(runtimeSchema(models)));
console.log(`schemas: ${models.size} types in ${out}`);
