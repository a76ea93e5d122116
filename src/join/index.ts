export type { Discovered, Discovery, JoinContext, Login } from './context.ts';
export { isMember, memberPhases } from './member.ts';
export { joinPhases } from './phases.ts';
