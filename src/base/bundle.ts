// Where a worker thread's entry point is: beside its module in the sources, in the bundle's folder when bundled (whose
// shared code lies in chunks/ below it).

/**
 * @param moduleUrl import.meta.url of the module that starts the thread
 * @param source the entry point relative to that module, `./worker.ts`
 * @param bundled its name in dist/, `store-worker.js`, as listed in scripts/build.ts
 */
export function entryPointUrl(moduleUrl: string, source: string, bundled: string): URL {
  if (moduleUrl.endsWith('.ts')) return new URL(source, moduleUrl);
  return new URL(new URL('.', moduleUrl).pathname.endsWith('/chunks/') ? `../${bundled}` : `./${bundled}`, moduleUrl);
}
