// Gives back to the kernel what a thread needed for its start only. V8 collects when a heap has grown; an agent or server
// at rest lets nothing grow, and would keep the garbage of its start for days (8 MB). One full collection takes about 20 ms.
// Node shows the collector to programs only when it is asked for by a flag, and this is how to ask late. The flag stays on:
// it belongs to all threads of the process, and another one may be about to ask.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Of the thread that calls. @param after ms from now; nothing happens when `signal` aborts before. */
export function returnMemory(after: number, signal: AbortSignal): void {
  const timer = setTimeout(() => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as (options: {
      readonly type: 'major';
      readonly flavor: 'last-resort';
    }) => void;
    collect({ type: 'major', flavor: 'last-resort' });
  }, after);
  timer.unref();
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
}
