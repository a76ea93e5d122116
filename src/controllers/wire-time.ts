// Reading times of the wire (RFC 3339); writing them is api's `timestamp`.

/** ms since the epoch; `otherwise` for an absent or unreadable time. */
export function timeOf(text: string | undefined, otherwise = 0): number {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? otherwise : time;
}
