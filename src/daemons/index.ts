export { startComponentsHere } from './components-here.ts';
export { type ControlPlaneOptions, runControlPlane, runServer } from './run-server.ts';
export { startServer } from './server.ts';
export { prepareControlPlane } from './standalone.ts';

/** See run-agent.ts. Imported when it is called: a server has no use for what an agent is made of. */
export async function runAgent(configPath: string, signal: AbortSignal): Promise<void> {
  const agent = await import('./run-agent.ts');
  await agent.runAgent(configPath, signal);
}
