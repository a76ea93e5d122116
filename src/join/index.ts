export type { JoinContext } from './context.ts';
export type { Discovered } from './discover.ts';
export { joinPhases } from './phases.ts';
