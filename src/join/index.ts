export type { Discovered, Discovery, JoinContext } from './context.ts';
export { isMember, memberPhases } from './member.ts';
export { joinPhases } from './phases.ts';
