export type { TlsMaterial } from './http/listener.ts';
export type { SecurityOptions } from './security.ts';
export { type ApiServer, type ApiServerOptions, startApiServer } from './server.ts';
