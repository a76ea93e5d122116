export type { NetworkConfig, NetworkDependencies } from './config.ts';
export { type NetworkLeftovers, networkLeftovers } from './leftovers.ts';
export { type Network, startNetwork } from './network.ts';
