export { type Agent, startAgent } from './agent.ts';
export { ensureNodeIdentity, type IdentityFiles } from './node/identity.ts';
export type { AgentDeps, AgentOptions } from './options.ts';
