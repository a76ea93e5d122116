// Makes the archives of scripts/bundle and says what they are.
// usage: node scripts/bundle.ts x64 arm64

import { join } from 'node:path';
import { type BundleArchitecture, makeBundle, readTree } from '../src/bundle/index.ts';

const root = join(import.meta.dirname, '..');
for (const architecture of process.argv.slice(2) as BundleArchitecture[]) {
  const started = performance.now();
  const { path, size, sha256, name } = await makeBundle(await readTree(root, architecture), join(root, 'dist/bundle'));
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${path}  ${name}  ${(size / 1e6).toFixed(1)} MB  sha256 ${sha256}  in ${seconds} s`);
}
