// The beginning of a server: the store opens in a thread of its own while this thread loads the API server, which takes
// about as long.

import type { Logger } from '../base/index.ts';
import type { ServerConfig } from '../config/index.ts';
import { createMemoryStore, openSqliteStore, type Store } from '../store/index.ts';
import type { startComponentsThread } from './components-thread.ts';
import type { RunningServer } from './server.ts';

export interface StartServerOptions {
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Where controllers and scheduler work: a thread of their own by default, or this one. */
  readonly run?: typeof startComponentsThread;
}

/** Resolves when the API server is ready and its controllers and scheduler work, or the signal aborts. */
export async function startServer(config: ServerConfig, options: StartServerOptions): Promise<RunningServer> {
  const [store, { serve }] = await Promise.all([openStore(config), import('./server.ts')]);
  return await serve(config, { ...options, store });
}

function openStore({ datastore }: ServerConfig): Promise<Store> {
  return datastore.kind === 'memory' ? createMemoryStore() : openSqliteStore({ path: datastore.path });
}
