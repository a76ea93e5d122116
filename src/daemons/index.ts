export { runAgent } from './run-agent.ts';
export { type ControlPlaneOptions, runControlPlane, runServer } from './run-server.ts';
