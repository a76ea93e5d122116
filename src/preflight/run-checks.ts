// Judges the facts by a table, mends what can be mended, and reports in kubeadm's form, which scripts parse:
//
//   [ERROR Swap]: swap is on: /dev/sda2
//       fix: swapoff -a, and take the swap lines out of /etc/fstab

import { CodedError } from '../base/index.ts';
import type { Host } from '../host/index.ts';
import type { Check, Finding, Repair, Severity } from './check.ts';
import type { PreflightFacts, Role } from './facts.ts';

export interface Judged extends Pick<Finding, 'id' | 'message' | 'fix'> {
  /** The check that found it: its id without a subject. */
  readonly check: string;
  readonly severity: Severity;
  /** What --fix would do; absent: a person has to. */
  readonly repair?: Repair;
}

/** @param ignored ids whose errors become warnings; `all` for every one; letter case does not matter, as with kubeadm */
export function judge<Facts extends { readonly role: Role }>(
  facts: Facts,
  ignored: readonly string[],
  table: readonly Check<Facts>[],
): Judged[] {
  const names = ignored.map((name) => name.toLowerCase());
  const isIgnored = ({ id }: Finding): boolean => names.includes('all') || names.includes(id.toLowerCase());
  return table
    .filter(({ roles }) => roles.includes(facts.role))
    .flatMap(({ id, severity, repair, judge: look }) =>
      look(facts).map((finding) => ({
        id: finding.id,
        check: id,
        severity: isIgnored(finding) ? 'warning' : (finding.severity ?? severity),
        message: finding.message,
        fix: finding.fix,
        ...(repair === undefined || finding.byHand === true ? {} : { repair }),
      })),
    );
}

export interface FixRun {
  /** With a journal: what is changed is taken back by reset. */
  readonly host: Host;
  readonly facts: PreflightFacts;
  readonly judged: readonly Judged[];
  readonly say: (line: string) => void;
}

/**
 * Runs the repair of every check that found something, and says what it does. A repair that fails is said as well; the
 * others still run. Gather and judge again afterwards: what is left is what counts.
 * @returns the ids of the checks whose repair ran
 */
export async function applyFixes(
  { host, facts, judged, say }: FixRun,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const repairs = new Map<string, Repair>();
  for (const { check, repair } of judged) if (repair !== undefined) repairs.set(check, repair);
  const done: string[] = [];
  for (const [id, repair] of repairs) {
    signal.throwIfAborted();
    try {
      await repair.run(host, facts, signal);
      done.push(id);
      say(`[FIXED ${id}]: ${repair.does}`);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      say(`[NOT FIXED ${id}]: ${error.message}${error.hint === undefined ? '' : `\n    fix: ${error.hint}`}`);
    }
  }
  return done;
}

/**
 * Says every warning; ends the command when there are errors, all of them named at once.
 * @throws CodedError PREFLIGHT_FAILED, exit code 2
 */
export function requirePassed(judged: readonly Judged[], say: (line: string) => void): void {
  const lines = ({ id, severity, message, fix }: Judged): string =>
    `[${severity === 'error' ? 'ERROR' : 'WARNING'} ${id}]: ${message}\n    fix: ${fix}`;
  for (const finding of judged.filter(({ severity }) => severity === 'warning')) say(lines(finding));
  const errors = judged.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return;
  const ids = [...new Set(errors.map(({ id }) => id))].join(',');
  const mendable = errors.some(({ repair }) => repair !== undefined) ? 'run the command again with --fix, or ' : '';
  throw new CodedError('PREFLIGHT_FAILED', `${errors.length} checks failed\n${errors.map(lines).join('\n')}`, {
    exit: 'preflight',
    hint: `${mendable}mend what is named above; if you know better: --ignore-preflight-errors=${ids}`,
  });
}
