export type { NodeProxy, NodeProxyOptions, ProxyRequest, ProxyResponse, UpgradeRequest } from './types.ts';
