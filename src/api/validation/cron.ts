// Whether a CronJob's schedule reads: five fields of numbers, names, ranges and steps, or a word such as @hourly. Only the
// syntax; when it is due next is the controller's question. A reader of our own, because upstream's sentences are part of
// the answer. Source: github.com/robfig/cron/v3 parser.go.

import { goDurationMs } from '../../base/index.ts';

interface CronField {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const words = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];
const fields: readonly CronField[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: months },
  { min: 0, max: 6, names: days },
];

/** Why `schedule` is none; undefined when it is one. */
export function whyNotSchedule(schedule: string): string | undefined {
  if (schedule.startsWith('@')) return whyNotWord(schedule);
  const parts = schedule.split(/\s+/).filter((part) => part !== '');
  if (parts.length !== fields.length) {
    return `expected exactly ${fields.length} fields, found ${parts.length}: [${parts.join(' ')}]`;
  }
  for (const [index, field] of fields.entries()) {
    for (const range of (parts[index] ?? '').split(',').filter((one) => one !== '')) {
      const why = whyNotRange(range, field);
      if (why !== undefined) return why;
    }
  }
  return undefined;
}

function whyNotWord(schedule: string): string | undefined {
  if (words.includes(schedule)) return undefined;
  if (!schedule.startsWith('@every ')) return `unrecognized descriptor: ${schedule}`;
  const duration = schedule.slice('@every '.length);
  if (goDurationMs(duration) !== undefined) return undefined;
  return `failed to parse duration ${schedule}: time: invalid duration ${JSON.stringify(duration)}`;
}

function whyNotRange(text: string, { min, max, names = [] }: CronField): string | undefined {
  const [range = '', step, ...moreSteps] = text.split('/');
  const [low = '', high, ...moreBounds] = range.split('-');
  if (moreSteps.length > 0) return `too many slashes: ${text}`;
  if (moreBounds.length > 0) return `too many hyphens: ${text}`;
  const isStar = low === '*' || low === '?';
  const read = (word: string): number => {
    const named = names.indexOf(word.toLowerCase());
    return named >= 0 ? named + min : /^\d+$/.test(word) ? Number(word) : Number.NaN;
  };
  const start = isStar ? min : read(low);
  const end = isStar ? max : high === undefined ? (step === undefined ? start : max) : read(high);
  for (const [word, value] of [
    [low, start],
    [high ?? low, end],
  ] as const) {
    if (Number.isNaN(value)) return unreadable(word);
  }
  if (start < min) return `beginning of range (${start}) below minimum (${min}): ${text}`;
  if (end > max) return `end of range (${end}) above maximum (${max}): ${text}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${text}`;
  if (step === undefined) return undefined;
  if (!/^\d+$/.test(step)) return unreadable(step);
  return Number(step) === 0 ? `step of range should be a positive number: ${text}` : undefined;
}

function unreadable(word: string): string {
  const shown = JSON.stringify(word);
  return /^-\d+$/.test(word)
    ? `negative number (${word}) not allowed: ${word}`
    : `failed to parse int from ${word}: strconv.Atoi: parsing ${shown}: invalid syntax`;
}
