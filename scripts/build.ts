// Bundles k8ts into dist/: one ES module per process or worker thread, no node_modules needed beside them.
// usage: node scripts/build.ts

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build, type Metafile } from 'esbuild';
import { agentServiceSpec, serverServiceSpec } from '../src/bootstrap/index.ts';
import { installedProgram } from '../src/bundle/index.ts';
import { unitOf } from '../src/host/index.ts';
import { licencesOf } from './licences.ts';

/** Output name to entry point. A worker's code finds its file by this name next to k8ts.js. */
const entryPoints: Readonly<Record<string, string>> = {
  k8ts: 'src/commands/main.ts',
  'store-worker': 'src/store/sqlite/worker.ts',
  'components-worker': 'src/daemons/components-worker.ts',
  testing: 'src/testing/index.ts',
};

const root = join(import.meta.dirname, '..');
const started = performance.now();
const present = Object.entries(entryPoints).filter(([, path]) => existsSync(join(root, path)));

const commit = currentCommit();

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: Object.fromEntries(present),
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  splitting: true,
  // Beside the entry points, because code in a chunk finds workers and schemas relative to itself.
  chunkNames: '[name]-[hash]',
  metafile: true,
  define: {
    __dirname: 'import.meta.dirname', // for CommonJS packages: a file of ssh2 that is there for Windows asks
    ...(commit === undefined ? {} : { "process.env['K8TS_COMMIT']": JSON.stringify(commit) }),
  },
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'linked',
  // CommonJS packages inside an ES module still ask for require.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  // Optional native parts of ssh2 and ws: both work without them.
  external: ['cpu-features', '*.node', 'bufferutil', 'utf-8-validate', 'osx-temperature-sensor'],
  logLevel: 'warning',
});
requireNames(metafile);
// What earlier builds left. Afterwards, so that a process that runs from dist/ finds its chunks as long as they are the same.
const made = new Set(Object.keys(metafile.outputs).map((path) => basename(path)));
for (const name of readdirSync(join(root, 'dist'))) {
  if (/\.js(\.LEGAL\.txt)?$/.test(name) && !made.has(name.replace('.LEGAL.txt', ''))) rmSync(join(root, 'dist', name));
}
const installed = installedProgram(['--max-semi-space-size=4']);
const texts: Readonly<Record<string, string>> = {
  'LICENSES.txt': licencesOf(root, Object.keys(metafile.inputs)),
  ...Object.fromEntries(
    [serverServiceSpec(installed, []), agentServiceSpec(installed)].map((spec) => [
      `units/${spec.name}.service`,
      unitOf(spec),
    ]),
  ),
};
mkdirSync(join(root, 'dist/units'), { recursive: true });
for (const [path, text] of Object.entries(texts)) writeFileSync(join(root, 'dist', path), text);
const main = statSync(join(root, 'dist/k8ts.js')).size;
console.log(
  `dist: ${present.map(([name]) => name).join(', ')} (k8ts.js ${Math.round(main / 1024)} KB) in ${Math.round(performance.now() - started)} ms`,
);

/**
 * A CommonJS package that is imported when it is needed has its names in the sources and only `default` in the bundle:
 * every name that is taken of such an import must be one that its chunk exports.
 */
function requireNames({ outputs }: Metafile): void {
  for (const path of Object.keys(outputs).filter((name) => name.endsWith('.js'))) {
    const code = readFileSync(join(root, path), 'utf8');
    const destructured = [...code.matchAll(/\{([^{}]*)\} ?= ?await import\("\.\/([^"]+)"\)/g)].map(
      ([, names = '', chunk = '']) => ({
        chunk,
        names: names.split(',').map((name) => name.split(':')[0]?.trim() ?? ''),
      }),
    );
    const single = [...code.matchAll(/\(await import\("\.\/([^"]+)"\)\)\.(\w+)/g)].map(([, chunk = '', name = '']) => ({
      chunk,
      names: [name],
    }));
    for (const { chunk, names } of [...destructured, ...single]) {
      const exported = outputs[`dist/${chunk}`]?.exports ?? [];
      const missing = names.filter((name) => !exported.includes(name));
      if (missing.length > 0)
        throw new Error(`${path} takes ${missing.join(', ')} of ${chunk}, which has no such name`);
    }
  }
}

/** For /version; undefined outside of a git checkout. */
function currentCommit(): string | undefined {
  const { status, stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
