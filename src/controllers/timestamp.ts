// Times on the wire: metav1.Time has seconds, metav1.MicroTime microseconds; both RFC 3339 in UTC.

/** metav1.Time of `now` (ms since the epoch). */
export function timestamp(now: number): string {
  return new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** ms since the epoch; `otherwise` for an absent or unreadable time. */
export function timeOf(text: string | undefined, otherwise = 0): number {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? otherwise : time;
}
