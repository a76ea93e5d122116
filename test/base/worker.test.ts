import { once } from 'node:events';
import { enableCompileCache, getCompileCacheDir } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { createWorker } from '../../src/base/index.ts';

const says = (expression: string): string =>
  `import { getCompileCacheDir } from 'node:module';
import { parentPort } from 'node:worker_threads';
parentPort.postMessage(${expression});
`;

async function said(from: string): Promise<unknown> {
  const worker = createWorker(
    { from: pathToFileURL(from).href, source: './worker.ts', bundled: 'store-worker.js' },
    {},
  );
  const [[message]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  return message;
}

t.test('an entry point is found beside the sources and beside the bundle', async (t) => {
  const folder = t.testdir({
    src: { 'worker.ts': says("'source' as string") },
    dist: { 'store-worker.js': says("'bundled'") },
  });
  t.equal(await said(join(folder, 'src/engine.ts')), 'source');
  t.equal(await said(join(folder, 'dist/chunk-AB12.js')), 'bundled');
});

t.test('a thread uses the code cache of its process', async (t) => {
  const folder = t.testdir({ dist: { 'store-worker.js': says('getCompileCacheDir()') } });
  enableCompileCache(join(folder, 'cache'));
  const cache = dirname(getCompileCacheDir() ?? '');
  t.equal(dirname((await said(join(folder, 'dist/k8ts.js'))) as string), cache);
});
