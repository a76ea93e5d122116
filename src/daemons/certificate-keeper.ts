// Keeps a control plane's certificates valid while it runs: renews what is due and can be signed here, and warns of what
// can't. Two things wake it: the time at which something is due, and a change of the files. Nothing is polled. What it
// writes is taken over by whoever uses it (server-certificates.ts); it restarts nothing.

import { type Clock, type Logger, messageOf } from '../base/index.ts';
import {
  type CertificatePlaces,
  dueCertificates,
  type HeldCertificate,
  readInventory,
  renewalTime,
  renewHeld,
  waitUntil,
  warningTime,
} from '../certs/index.ts';
import type { Host } from '../host/index.ts';
import { followFolders } from './file-changes.ts';

interface RenewalParts {
  readonly places: CertificatePlaces;
  readonly host: Host;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface KeeperOptions extends RenewalParts {
  /** Whose changes are followed. */
  readonly folders: readonly string[];
  /** Tells people, as an Event. */
  readonly warn: (reason: string, message: string) => void;
}

/** A command writes key and certificate one after the other; what does not fit after this long was left so, ms. */
const settled = 30_000;
/** After a failure, and between two warnings about the same certificates, ms. */
const retryAfter = 60_000;
const warnEvery = 86_400_000;

/**
 * Renews what is due before anybody uses it: a control plane that was off for longer than its certificates lived, or whose
 * renewal was cut short, comes up again by itself. Failures are logged; what follows says what is missing.
 */
export async function renewBeforeStart(parts: RenewalParts): Promise<void> {
  const { places, host, clock } = parts;
  for (const one of dueCertificates(await readInventory(host, places), clock.now())) await renewOne(one, parts);
}

/** Works until `signal` aborts. */
export function keepServerCertificates(options: KeeperOptions, signal: AbortSignal): void {
  const { places, folders, host, clock, logger, warn } = options;
  let alarm = new AbortController();
  let looking: Promise<void> = Promise.resolve();
  /** When a certificate that does not fit was first seen, by name and what is wrong. */
  const misfits = new Map<string, number>();
  let warned = Number.NEGATIVE_INFINITY;

  /** One look after the other. */
  function lookSoon(): void {
    looking = looking.then(look).catch((error: unknown) => {
      if (signal.aborted) return;
      logger.error('certificates were not looked after', { error: messageOf(error) });
      wakeAt(clock.now() + retryAfter);
    });
  }

  async function look(): Promise<void> {
    if (signal.aborted) return;
    const now = clock.now();
    const held = await readInventory(host, places);
    noteMisfits(held, now);
    const due = dueCertificates(held, now).filter((one) => isSettled(one, now));
    let failed = false;
    for (const one of due) failed = !(await renewOne(one, options)) || failed;
    const after = due.length === 0 ? held : await readInventory(host, places);
    warnOf(after, now);
    wakeAt(failed ? now + retryAfter : nextTime(after, now));
  }

  function noteMisfits(held: readonly HeldCertificate[], now: number): void {
    const seen = held.filter(({ problem }) => problem !== undefined).map(misfitKey);
    for (const key of misfits.keys()) if (!seen.includes(key)) misfits.delete(key);
    for (const key of seen) if (!misfits.has(key)) misfits.set(key, now);
  }

  function isSettled(one: HeldCertificate, now: number): boolean {
    return one.problem === undefined || now - (misfits.get(misfitKey(one)) ?? now) >= settled;
  }

  function warnOf(held: readonly HeldCertificate[], now: number): void {
    const late = held.filter(({ certificate }) => certificate !== undefined && warningTime(certificate) <= now);
    if (late.length === 0 || now - warned < warnEvery) return;
    warned = now;
    for (const one of late) {
      const message = expiryMessage(one);
      logger.warn(message);
      warn('CertificateExpiring', message);
    }
  }

  /** When something is due by itself. */
  function nextTime(held: readonly HeldCertificate[], now: number): number {
    const times = held.flatMap(({ kind, certificate, isExternal }) => {
      if (certificate === undefined) return [];
      const renewal = kind === 'ca' || isExternal ? [] : [renewalTime(certificate)];
      return [...renewal, warningTime(certificate)];
    });
    const mending = [...misfits.values()].map((since) => since + settled);
    const next = [...times, ...mending, warned + warnEvery].filter((time) => time > now);
    return Math.min(...next, now + warnEvery);
  }

  function wakeAt(time: number): void {
    alarm.abort();
    alarm = new AbortController();
    waitUntil(clock, time, AbortSignal.any([signal, alarm.signal])).then(lookSoon, () => undefined);
  }

  followFolders(folders, lookSoon, { logger, signal });
  lookSoon();
}

function misfitKey({ name, problem }: HeldCertificate): string {
  return `${name}: ${problem ?? ''}`;
}

/** What to say about a certificate in the last part of its life. */
function expiryMessage({ name, kind, path, certificate, isExternal }: HeldCertificate): string {
  const what = `certificate "${name}" expires ${certificate?.notAfter.toISOString() ?? ''}`;
  if (name === 'ca') return `${what}: replace it with k8ts certs rotate-ca`;
  if (kind === 'ca')
    return `${what}: remove ${path}.crt and ${path}.key, run k8ts init phase certs, restart k8ts-server`;
  if (isExternal) return `${what} and its CA's key is not here: have it renewed where the key is`;
  return `${what} and was not renewed: the log of k8ts-server says why`;
}

async function renewOne(one: HeldCertificate, { places, host, clock, logger }: RenewalParts): Promise<boolean> {
  try {
    await renewHeld(host, one, { ...places, now: new Date(clock.now()) });
    logger.info('certificate renewed', { name: one.name, before: one.certificate?.notAfter.toISOString() });
    return true;
  } catch (error) {
    logger.error('certificate not renewed', { name: one.name, error: messageOf(error) });
    return false;
  }
}
