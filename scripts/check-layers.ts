// Checks every import of src/ against src/layers.json: which folder may import which, through index.ts only, and which
// folders may use a restricted package; and that no files import each other in a circle. Reads with a regular expression on purpose: type-only, dynamic and re-export
// forms all name their module in quotes after `from` or `import(`.
// usage: node scripts/check-layers.ts

import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

interface Layers {
  readonly folders: Readonly<Record<string, readonly string[]>>;
  readonly packages: Readonly<Record<string, readonly string[]>>;
}

const root = join(import.meta.dirname, '..');
const src = join(root, 'src');
const layers = JSON.parse(readFileSync(join(src, 'layers.json'), 'utf8')) as Layers;
const importPattern = /(?:\bfrom|\bimport)\s*\(?\s*(['"])([^'"\n]+)\1/g;

const files = globSync('**/*.ts', { cwd: src });
const problems = [...files.flatMap((file) => problemsOf(file)), ...circles(files)];
for (const problem of problems) console.error(problem);
console.log(`layers: ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);

function problemsOf(file: string): string[] {
  const [folder = '', ...rest] = file.split(sep);
  if (rest.length === 0) return [`src/${file}: a file must live in a folder named in layers.json`];
  const allowed = layers.folders[folder];
  if (allowed === undefined) return [`src/${file}: folder ${folder} is not in layers.json`];
  const text = readFileSync(join(src, file), 'utf8');
  return [...text.matchAll(importPattern)].flatMap((match) => {
    const problem = whyForbidden({ file, folder, allowed, wanted: match[2] ?? '' });
    return problem === undefined ? [] : [`src/${file}: ${problem}`];
  });
}

/** One line for each import that closes a circle. */
function circles(all: readonly string[]): string[] {
  const imports = new Map(all.map((file) => [file, importsOf(file)]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) found.push(`circle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`);
    if (done.has(file)) return;
    done.add(file);
    for (const next of imports.get(file) ?? []) visit(next, [...path, file]);
  };
  for (const file of all) visit(file, []);
  return found;
}

function importsOf(file: string): string[] {
  return [...readFileSync(join(src, file), 'utf8').matchAll(importPattern)]
    .map((match) => match[2] ?? '')
    .filter((wanted) => wanted.startsWith('.'))
    .map((wanted) => relative(src, join(src, dirname(file), wanted)));
}

function whyForbidden(at: {
  file: string;
  folder: string;
  allowed: readonly string[];
  wanted: string;
}): string | undefined {
  const { file, folder, allowed, wanted } = at;
  if (!wanted.startsWith('.')) {
    const only = Object.entries(layers.packages).find(([name]) => wanted === name || wanted.startsWith(`${name}/`));
    return only === undefined || only[1].includes(folder) ? undefined : `${wanted} is for ${only[1].join(', ')} only`;
  }
  const target = relative(src, join(src, dirname(file), wanted));
  if (target.startsWith('..')) return target === join('..', 'package.json') ? undefined : `${wanted} leaves src/`;
  const [other = '', ...inside] = target.split(sep);
  if (other === folder) return undefined;
  if (!allowed.includes(other)) return `${folder} may not import ${other}`;
  return inside.join('/') === 'index.ts' ? undefined : `import ${other} through its index.ts, not ${inside.join('/')}`;
}
