export { type AuditFileOptions, type AuditSink, createAuditFile, parseAuditPolicy } from './audit/index.ts';
export { type ComponentCheck, checkOnLoopback, componentPorts, type Gauge } from './health/index.ts';
export type { TlsMaterial } from './http/listener.ts';
export type { InstallationSource } from './installation/index.ts';
export { createNodeProxy, type NodeProxy } from './proxy/index.ts';
export type { SecurityOptions } from './security.ts';
export { type ApiServer, type ApiServerOptions, startApiServer } from './server.ts';
