// Durations as kubeadm and Go write them: `24h0m0s`, `90m`, `0`.
// Source: https://pkg.go.dev/time#ParseDuration

import { CodedError } from '../base/index.ts';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** @returns milliseconds. @throws CodedError DURATION_MALFORMED */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) {
    throw new CodedError('DURATION_MALFORMED', `"${text}" is not a duration`, {
      exit: 'invalidInput',
      hint: 'write hours, minutes and seconds with their units, for example 24h0m0s or 90m; 0 means for ever',
    });
  }
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g);
  return [...parts].reduce((sum, [, amount, unit]) => sum + Number(amount) * (unitMs[unit ?? ''] ?? 0), 0);
}

/** `23h`, `1h30m`, `45s`: as `kubeadm token list` shows what is left. @param ms not negative. */
export function formatDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const parts = [
    { unit: 'h', amount: Math.floor(seconds / 3600) },
    { unit: 'm', amount: Math.floor(seconds / 60) % 60 },
    { unit: 's', amount: seconds % 60 },
  ];
  const shown = parts.filter(({ amount }) => amount > 0).map(({ unit, amount }) => `${amount}${unit}`);
  return shown.length === 0 ? '0s' : shown.join('');
}
