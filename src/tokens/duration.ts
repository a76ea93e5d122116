// Durations as kubeadm writes them: `24h0m0s`, `90m`, `0`.

import { CodedError, goDurationMs } from '../base/index.ts';

/** @returns milliseconds, not negative. @throws CodedError DURATION_MALFORMED */
export function parseDuration(text: string): number {
  const ms = goDurationMs(text);
  if (ms === undefined || ms < 0) {
    throw new CodedError('DURATION_MALFORMED', `"${text}" is not a duration`, {
      exit: 'invalidInput',
      hint: 'write hours, minutes and seconds with their units, for example 24h0m0s or 90m; 0 means for ever',
    });
  }
  return ms;
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
