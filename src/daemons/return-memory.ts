// Gives back to the kernel what a process needed for its start only. V8 collects when a heap has grown; an agent at rest
// lets nothing grow, and would keep the garbage of its start for days (8 MB). One full collection takes about 20 ms.
// Node shows the collector to programs only when it is asked for by a flag, and this is how to ask late.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** @param after ms from now; nothing happens when `signal` aborts before. */
export function returnMemory(after: number, signal: AbortSignal): void {
  const timer = setTimeout(() => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as (options: {
      readonly type: 'major';
      readonly flavor: 'last-resort';
    }) => void;
    setFlagsFromString('--no-expose-gc');
    collect({ type: 'major', flavor: 'last-resort' });
  }, after);
  timer.unref();
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
}
