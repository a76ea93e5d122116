// Durations as Go writes them: `24h0m0s`, `1.5s`, `-90m`, `0`. Source: https://pkg.go.dev/time#ParseDuration

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};
const whole = /^([-+]?)(?:0|((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+))$/;
const part = /(\d+\.?\d*|\.\d+)(\D+)/g;
/** Go keeps nanoseconds in 64 bits. */
const maxMs = 2 ** 63 / 1e6;

/** Milliseconds; undefined for what Go does not read either. */
export function goDurationMs(text: string): number | undefined {
  const [read, sign, amounts = ''] = whole.exec(text) ?? [];
  if (read === undefined) return undefined;
  const ms = [...amounts.matchAll(part)].reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (unitMs[unit] ?? 0),
    0,
  );
  if (ms > maxMs) return undefined;
  return sign === '-' ? -ms : ms;
}
