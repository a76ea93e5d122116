// The licences of the packages whose code is in the bundle: one text, in package order, from what esbuild says it read.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

/** @param inputs paths that went into the bundle, relative to `root` */
export function licencesOf(root: string, inputs: readonly string[]): string {
  const folders = inputs.flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  const texts = [...new Set(folders)].sort().map((folder) => {
    const {
      name,
      version,
      license = 'not named',
    } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Package;
    const files = readdirSync(join(root, folder)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
    const text = files.map((file) => readFileSync(join(root, folder, file), 'utf8').trim()).join('\n\n');
    return `${name} ${version} (${license})\n\n${text}`;
  });
  return `${['k8ts: LICENSE. Node: bin/node.LICENSE. The packages in dist/:', ...texts].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
