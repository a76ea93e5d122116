// How ComponentStatus asks after the controller manager and the scheduler: the thread that runs them, or, where this process
// was told to leave one out, the program that may stand in for it.

import { type ComponentCheck, checkOnLoopback, componentPorts } from '../apiserver/index.ts';
import type { ServerConfig } from '../config/index.ts';
import type { ComponentsThread } from './components-thread.ts';

/** @param thread undefined as long as it was not started. */
export function componentChecks(
  { controllers, scheduler }: Pick<ServerConfig, 'controllers' | 'scheduler'>,
  thread: () => Pick<ComponentsThread, 'whyNot'> | undefined,
): readonly ComponentCheck[] {
  const runsHere = { 'controller-manager': controllers !== 'none', scheduler };
  return (['controller-manager', 'scheduler'] as const).map((name): ComponentCheck => {
    if (!runsHere[name]) return checkOnLoopback(name, componentPorts[name]);
    return { name, whyNot: async () => await (thread()?.whyNot() ?? Promise.resolve(`${name} was not started yet`)) };
  });
}
