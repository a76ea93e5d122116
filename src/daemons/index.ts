export { type ControlPlaneOptions, runControlPlane, runServer } from './run-server.ts';
