export { diagnose, doctorChecks } from './diagnose.ts';
export { gather } from './gather.ts';
export type { DoctorFinding, NodePath, Observations } from './observations.ts';
export { pathsOf } from './paths.ts';
