export { isRuntimeAbsent, type ResetContext, resetPhases } from './phases.ts';
