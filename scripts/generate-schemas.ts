// Makes dist/schemas/ from the installed npm packages and our overlay: the server's compact schema (types.json) and the
// OpenAPI documents that clients read, with a list of them (openapi.json). Writes the same bytes each time; no network.
// usage: node scripts/generate-schemas.ts

import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeOpenApi, type OpenApiList } from '../src/api/index.ts';
import { codeOf } from '../src/base/index.ts';
import { openApiDocuments } from './schemas/openapi.ts';
import { readModels } from './schemas/read-models.ts';
import { runtimeSchema } from './schemas/runtime-schema.ts';

const root = join(import.meta.dirname, '..');
const out = join(root, 'dist', 'schemas');
// Written beside and moved into place, so that a server that starts meanwhile finds all files or the old ones.
const draft = `${out}.${process.pid}`;
const models = readModels(join(root, 'node_modules'));

mkdirSync(join(draft, 'openapi'), { recursive: true });
writeFileSync(join(draft, 'types.json'), JSON.stringify(runtimeSchema(models)));

const { v3, v2 } = openApiDocuments(models);
const list: OpenApiList = {
  v2: write('v2.json', JSON.stringify(v2)),
  v2Protobuf: write('v2.pb', encodeOpenApi(v2)),
  v3: Object.fromEntries(
    [...v3].map(([path, document]) => [path, write(`${path.replaceAll('/', '__')}.json`, JSON.stringify(document))]),
  ),
};
writeFileSync(join(draft, 'openapi.json'), JSON.stringify(list));
replace();
console.log(`schemas: ${models.size} types, ${v3.size} group-versions in ${out}`);

/** Two runs at once write the same bytes: whichever moves its files first has done the work of both. */
function replace(): void {
  rmSync(out, { recursive: true, force: true });
  try {
    renameSync(draft, out);
  } catch (error) {
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error;
    rmSync(draft, { recursive: true });
  }
}

function write(file: string, content: string | Buffer): OpenApiList['v2'] {
  writeFileSync(join(draft, 'openapi', file), content);
  return { file, hash: createHash('sha512').update(content).digest('hex').toUpperCase() };
}
