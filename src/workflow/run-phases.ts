// Runs a command's list of phases in order, says what each one does and how long it took, and puts the phase's name on
// whatever goes wrong.

import { CodedError, codeOf, messageOf } from '../base/index.ts';
import type { Phase } from './phase.ts';
import type { Reporter } from './reporter.ts';

export interface RunPhasesOptions {
  readonly reporter: Reporter;
  /** Aborting ends the running phase; no further one starts. */
  readonly signal: AbortSignal;
  /** Names to leave out. */
  readonly skip?: readonly string[];
  /** Names to run, and no others. */
  readonly only?: readonly string[];
}

export interface PhaseTime {
  readonly name: string;
  readonly ms: number;
}

/**
 * @returns the phases that ran, with their times
 * @throws CodedError PHASE_UNKNOWN, INTERRUPTED; a phase's own CodedError with the phase's name before its message
 */
export async function runPhases<Context>(
  phases: readonly Phase<Context>[],
  context: Context,
  options: RunPhasesOptions,
): Promise<readonly PhaseTime[]> {
  const { reporter, signal } = options;
  const skip = (options.skip ?? []).map((name) => phaseNamed(phases, name).name);
  const only = options.only?.map((name) => phaseNamed(phases, name).name);
  const times: PhaseTime[] = [];
  for (const phase of phases.filter(({ name }) => only?.includes(name) ?? true)) {
    if (signal.aborted) throw interrupted(phase.name);
    const reason = skip.includes(phase.name) ? '--skip-phases' : await phase.skipReason?.(context);
    if (reason !== undefined) {
      reporter.skipped(phase, reason);
      continue;
    }
    const start = performance.now();
    reporter.started(phase);
    try {
      await phase.run(context, { signal, report: (line) => reporter.progress(phase, line) });
    } catch (error) {
      reporter.failed(phase, performance.now() - start);
      throw signal.aborted ? interrupted(phase.name) : inPhase(phase.name, error);
    }
    const ms = performance.now() - start;
    reporter.done(phase, ms);
    times.push({ name: phase.name, ms });
  }
  return times;
}

/** By its name or another that it has. @throws CodedError PHASE_UNKNOWN */
function phaseNamed<Context>(phases: readonly Phase<Context>[], wanted: string): Phase<Context> {
  const found = phases.find(({ name, aliases = [] }) => name === wanted || aliases.includes(wanted));
  if (found !== undefined) return found;
  throw new CodedError('PHASE_UNKNOWN', `there is no phase ${wanted}`, {
    exit: 'invalidInput',
    hint: `the phases are: ${phases.map(({ name }) => name).join(', ')}`,
  });
}

function interrupted(name: string): CodedError {
  return new CodedError('INTERRUPTED', `stopped in phase ${name}`, {
    hint: 'run the same command again to continue, or `k8ts reset` to take back what was done',
  });
}

/** A bug keeps its stack; what a person can mend gets the phase's name. */
function inPhase(name: string, error: unknown): unknown {
  if (!(error instanceof CodedError)) {
    return codeOf(error) === undefined ? error : new Error(`phase ${name}: ${messageOf(error)}`, { cause: error });
  }
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new CodedError(error.code, `phase ${name}: ${error.message}`, { exit: error.exit, cause: error, ...hint });
}
