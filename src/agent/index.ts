export { type Agent, startAgent } from './agent.ts';
export type { AgentDeps, AgentOptions } from './options.ts';
