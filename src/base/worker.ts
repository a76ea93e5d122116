// Starts worker threads. A thread's entry point is beside its module in the sources, in the bundle's folder when bundled.

import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker, type WorkerOptions } from 'node:worker_threads';

interface EntryPoint {
  /** import.meta.url of the module that starts the thread */
  readonly from: string;
  /** the entry point relative to that module, `./worker.ts` */
  readonly source: string;
  /** its name in dist/, `store-worker.js`, as listed in scripts/build.ts */
  readonly bundled: string;
}

/** The thread compiles with the cache of its process, which a worker does not inherit by itself. */
export function createWorker({ from, source, bundled }: EntryPoint, options: WorkerOptions): Worker {
  const url = new URL(from.endsWith('.ts') ? source : `./${bundled}`, from);
  const cache = getCompileCacheDir(); // <folder>/<version of Node and V8's flags>
  return new Worker(url, {
    ...options,
    ...(cache === undefined
      ? {}
      : { env: { ...process.env, NODE_COMPILE_CACHE: dirname(cache), NODE_COMPILE_CACHE_PORTABLE: '1' } }),
  });
}
