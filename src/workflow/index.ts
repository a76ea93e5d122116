export * from './phase.ts';
export { createReporter, type PhaseTitle, type Reporter, type ReporterOptions } from './reporter.ts';
export { type PhaseTime, type RunPhasesOptions, runPhases } from './run-phases.ts';
