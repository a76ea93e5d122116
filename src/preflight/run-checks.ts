// Judges the facts by the table and reports in kubeadm's form, which scripts parse:
//
//   [ERROR Swap]: swap is on: /dev/sda2
//       fix: swapoff -a, and take the swap lines out of /etc/fstab

import { CodedError } from '../base/index.ts';
import { type Check, checks, type Finding } from './checks.ts';
import type { PreflightFacts } from './facts.ts';

export interface Judged extends Finding {
  readonly severity: 'error' | 'warning';
}

/** @param ignored ids whose errors become warnings; `all` for every one; letter case does not matter, as with kubeadm */
export function judge(facts: PreflightFacts, ignored: readonly string[], table: readonly Check[] = checks): Judged[] {
  const names = ignored.map((name) => name.toLowerCase());
  const isIgnored = ({ id }: Finding): boolean => names.includes('all') || names.includes(id.toLowerCase());
  return table
    .filter(({ roles }) => roles.includes(facts.role))
    .flatMap((check) =>
      check.judge(facts).map((finding) => ({
        ...finding,
        severity: check.severity === 'error' && !isIgnored(finding) ? ('error' as const) : ('warning' as const),
      })),
    );
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
  throw new CodedError('PREFLIGHT_FAILED', `${errors.length} checks failed\n${errors.map(lines).join('\n')}`, {
    exit: 'preflight',
    hint: `mend what is named above; if you know better: --ignore-preflight-errors=${ids}`,
  });
}
