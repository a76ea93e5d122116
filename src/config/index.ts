export type { AgentConfig, ServerConfig } from './daemons.ts';
