// Controllers and scheduler on the caller's own thread: for control planes inside a test process, where a thread's start
// would cost more than it saves. Imported when it is called, so that a server with a thread for them holds them once.

import type { Logger } from '../base/index.ts';
import type { ComponentsConfig } from './components.ts';
import type { ComponentsThread } from './components-thread.ts';

export function startComponentsHere(config: ComponentsConfig, logger: Logger): ComponentsThread {
  const stopping = new AbortController();
  return {
    ready: import('./components.ts').then(({ startComponents }) => startComponents(config, logger, stopping.signal)),
    stop: async () => stopping.abort(),
  };
}
