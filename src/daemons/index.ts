export { startComponentsHere } from './components-here.ts';
export { runAgent } from './run-agent.ts';
export { type ControlPlaneOptions, runControlPlane, runServer } from './run-server.ts';
export { startServer } from './server.ts';
export { prepareControlPlane } from './standalone.ts';
