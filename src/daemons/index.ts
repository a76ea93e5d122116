// The door of the long-lived processes. Each is imported when it is called: an agent has no use for what a server is made
// of, nor the other way round, and either would carry it in memory for as long as it lives.

import type { ControlPlaneOptions } from './run-server.ts';

export { startComponentsHere } from './components-here.ts';
export type { ControlPlaneOptions };

/** See run-agent.ts. */
export async function runAgent(configPath: string, signal: AbortSignal): Promise<void> {
  const agent = await import('./run-agent.ts');
  await agent.runAgent(configPath, signal);
}

/** See run-server.ts. */
export async function runServer(configPath: string, signal: AbortSignal): Promise<void> {
  const server = await import('./run-server.ts');
  await server.runServer(configPath, signal);
}

/** See run-server.ts. */
export async function runControlPlane(options: ControlPlaneOptions, signal: AbortSignal): Promise<void> {
  const server = await import('./run-server.ts');
  await server.runControlPlane(options, signal);
}

type Start = typeof import('./start-server.ts');
type Standalone = typeof import('./standalone.ts');

/** See start-server.ts. */
export async function startServer(...args: Parameters<Start['startServer']>): ReturnType<Start['startServer']> {
  const start = await import('./start-server.ts');
  return await start.startServer(...args);
}

/** See standalone.ts. */
export async function standaloneConfig(
  ...args: Parameters<Standalone['standaloneConfig']>
): ReturnType<Standalone['standaloneConfig']> {
  const standalone = await import('./standalone.ts');
  return await standalone.standaloneConfig(...args);
}

/** See standalone.ts. */
export async function ensureCredentials(
  ...args: Parameters<Standalone['ensureCredentials']>
): ReturnType<Standalone['ensureCredentials']> {
  const standalone = await import('./standalone.ts');
  await standalone.ensureCredentials(...args);
}
