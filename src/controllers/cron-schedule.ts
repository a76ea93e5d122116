// The schedules of CronJobs: five fields, names such as @hourly, and `@every <duration>`. croner does the calendar; this
// keeps to what upstream's parser takes, so that a schedule means the same here and there: no seconds, no L, W or #.
// Source: CronJobSpec.schedule; github.com/robfig/cron.

import { Cron } from 'croner';
import { goDurationMs } from '../base/index.ts';

export interface Schedule {
  /** The first time after `after`, both ms since the epoch; undefined when there is none. */
  next(after: number): number | undefined;
}

const nicknames = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']);
const field = /^[0-9A-Za-z*/,?-]+$/;

/** Why this zone cannot be used; undefined when it can. */
export function whyUnknownZone(timeZone: string): string | undefined {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** @throws Error that says why the text is no schedule. `timeZone` is a known one. */
export function parseSchedule(text: string, timeZone: string | undefined): Schedule {
  const schedule = text.trim();
  if (schedule.startsWith('@every ')) return every(schedule.slice('@every '.length).trim());
  if (schedule.startsWith('@')) {
    if (!nicknames.has(schedule)) throw new Error(`unrecognized descriptor: ${schedule}`);
    // croner knows these two by their other names.
    return cron(schedule.replace('@annually', '@yearly').replace('@midnight', '@daily'), timeZone);
  }
  const fields = schedule.split(/\s+/);
  if (fields.length !== 5) throw new Error(`expected exactly 5 fields, found ${fields.length}: [${schedule}]`);
  const odd = fields.find((one) => !field.test(one) || /(^|[^A-Za-z])(L|W|LW)($|[^A-Za-z])/i.test(one));
  if (odd !== undefined) throw new Error(`failed to parse ${JSON.stringify(odd)}`);
  // For upstream a question mark is a star; for croner it is the moment of reading.
  return cron(fields.map((one) => one.replaceAll('?', '*')).join(' '), timeZone);
}

function cron(pattern: string, timeZone: string | undefined): Schedule {
  const job = new Cron(pattern, { paused: true, ...(timeZone === undefined ? {} : { timezone: timeZone }) });
  return { next: (after) => job.nextRun(new Date(after))?.getTime() };
}

function every(duration: string): Schedule {
  const ms = goDurationMs(duration);
  if (ms === undefined) throw new Error(`failed to parse duration @every ${duration}`);
  const step = Math.max(1, Math.floor(ms / 1000)) * 1000;
  return { next: (after) => Math.floor(after / 1000) * 1000 + step };
}

/**
 * The newest time in (`from`, `now`], and how many there were; the count is exact only while it is small. Skips ahead in
 * long gaps, because a schedule of every minute that slept for a year has half a million times.
 */
export function latestDue(
  schedule: Schedule,
  from: number,
  now: number,
): { readonly time: number; readonly missed: number } | undefined {
  const first = schedule.next(from);
  if (first === undefined || first > now) return undefined;
  const second = schedule.next(first);
  const guess = second === undefined ? 0 : Math.floor((now - first) / (second - first));
  let time =
    second !== undefined && guess > 100 ? (schedule.next(first + (guess - 2) * (second - first)) ?? first) : first;
  if (time > now) time = first;
  let missed = time === first ? 1 : guess;
  for (let next = schedule.next(time); next !== undefined && next <= now; next = schedule.next(time)) {
    time = next;
    missed += 1;
  }
  return { time, missed };
}
