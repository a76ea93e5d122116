export { createNodeProxy } from './node-proxy.ts';
export type { NodeProxy, NodeProxyOptions, ProxyRequest, ProxyResponse, UpgradeRequest } from './types.ts';
