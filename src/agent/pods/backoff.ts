// How long a container that ended waits for its next start. The first restart is at once; each further one within ten
// minutes of the last waits twice as long, 10 s to 5 min, counted from the end of the container. The delay is thus a
// function of what happened, not of a timer that runs. Source: pod-lifecycle, "How Pods handle problems with containers".

export interface RestartBackoff {
  /** ms */
  readonly delay: number;
  /** When the last restart was made, ms since the epoch. */
  readonly restartedAt: number;
}

const backoffLimits = { initial: 10_000, max: 300_000 } as const;

/** The back-off after a restart (or another try of something that failed) at `now`. */
export function afterRestart(before: RestartBackoff | undefined, now: number): RestartBackoff {
  const fresh = before === undefined || now - before.restartedAt > 2 * backoffLimits.max;
  return { delay: fresh ? backoffLimits.initial : Math.min(backoffLimits.max, before.delay * 2), restartedAt: now };
}

/** The earliest next start of a container that ended at `finishedAt`, ms since the epoch. */
export function restartAt(backoff: RestartBackoff | undefined, finishedAt: number): number {
  if (backoff === undefined || finishedAt - backoff.restartedAt > 2 * backoffLimits.max) return 0;
  return finishedAt + backoff.delay;
}
