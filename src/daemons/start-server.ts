// The beginning of a server: the store opens in a thread of its own while this thread sees to the certificates and loads
// the API server.

import type { ServerConfig } from '../config/index.ts';
import { createMemoryStore, openSqliteStore, type Store } from '../store/index.ts';
import type { RunningServer, ServeOptions } from './server.ts';

interface StartServerOptions extends ServeOptions {
  /** What has to be done before certificates are read. */
  readonly prepare?: () => Promise<void>;
}

/** Resolves when the API server is ready and its controllers and scheduler work, or the signal aborts. */
export async function startServer(config: ServerConfig, options: StartServerOptions): Promise<RunningServer> {
  const [store, server] = await Promise.allSettled([openStore(config), load(options)]);
  if (store.status === 'rejected') throw store.reason;
  if (server.status === 'rejected') {
    await store.value.close();
    throw server.reason;
  }
  return await server.value.serve(config, { ...options, store: store.value });
}

async function load({ prepare }: StartServerOptions) {
  await prepare?.();
  return await import('./server.ts');
}

function openStore({ datastore }: ServerConfig): Promise<Store> {
  return datastore.kind === 'memory' ? createMemoryStore() : openSqliteStore({ path: datastore.path });
}
