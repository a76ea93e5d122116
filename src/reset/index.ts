export type { ResetContext } from './context.ts';
export { isRuntimeAbsent, resetPhases } from './phases.ts';
