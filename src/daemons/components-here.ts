// Controllers and scheduler on the caller's own thread: for control planes inside a test process, where a thread's start
// would cost more than it saves. Imported when it is called, so that a server with a thread for them holds them once.

import type { Logger } from '../base/index.ts';
import type { Components, ComponentsConfig } from './components.ts';
import type { ComponentsThread } from './components-thread.ts';

export function startComponentsHere(config: ComponentsConfig, logger: Logger): ComponentsThread {
  let stopping = new AbortController();
  let running = start();

  async function start(): Promise<Components> {
    const { startComponents } = await import('./components.ts');
    return await startComponents(config, logger, stopping.signal);
  }

  const ready = running.then(() => undefined);
  ready.catch(() => undefined); // told to who waits for it, which may be later
  return {
    ready,
    state: () => ({ isUp: !stopping.signal.aborted, restarts: 0 }),
    whyNot: async () => (stopping.signal.aborted ? 'controllers and scheduler were stopped' : undefined),
    renew: async () => await (await running).renew(),
    async restart() {
      stopping.abort();
      stopping = new AbortController();
      running = start();
      await running;
    },
    stop: async () => stopping.abort(),
  };
}
