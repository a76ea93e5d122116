// The columns of ConfigMaps, Secrets and Events.

import { ageOf, shortDuration } from '../duration.ts';
import type { Column } from '../kind.ts';
import type { ConfigMap, CoreEvent, EventsEvent, Secret } from '../types.ts';
import { age, text, wide } from './column.ts';

export const configMapColumns: readonly Column<ConfigMap>[] = [
  text(
    'Data',
    'How many keys there are.',
    ({ data = {}, binaryData = {} }) => Object.keys(data).length + Object.keys(binaryData).length,
  ),
  age,
];

export const secretColumns: readonly Column<Secret>[] = [
  text('Type', 'What the secret is for.', ({ type }) => type ?? ''),
  text('Data', 'How many keys there are.', ({ data = {} }) => Object.keys(data).length),
  age,
];

/** Events are told apart by what they say; the name is only in the wide table, and last. */
const eventName: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name of the event.',
  priority: 1,
  value: ({ metadata }) => metadata?.name ?? '',
};

/** What an event's columns need of either API. */
interface EventView {
  readonly first: string | undefined;
  readonly last: string | undefined;
  readonly count: number | undefined;
  readonly series: { readonly count: number; readonly lastObservedTime: string } | undefined;
  readonly eventTime: string | undefined;
}

function firstSeen({ first, eventTime }: EventView, now: number): string {
  return ageOf(first ?? eventTime, now);
}

/** `5s`, or `5s (x3 over 2m)` for a repeated event. */
function lastSeen(view: EventView, now: number): string {
  const { series, count: times, last, first } = view;
  const start = first ?? view.eventTime;
  if (series !== undefined) return repeated(series.lastObservedTime, series.count, start, now);
  if (times !== undefined && times > 1) return repeated(last, times, start, now);
  return last === undefined ? firstSeen(view, now) : ageOf(last, now);
}

function repeated(last: string | undefined, times: number, first: string | undefined, now: number): string {
  const over = first === undefined ? '<unknown>' : shortDuration(now - Date.parse(first));
  return `${ageOf(last, now)} (x${times} over ${over})`;
}

interface Reference {
  readonly kind?: string;
  readonly name?: string;
}

function objectText(reference: Reference | undefined): string {
  const kind = (reference?.kind ?? '').toLowerCase();
  return reference?.name ? `${kind}/${reference.name}` : kind;
}

function sourceText(component: string | undefined, host: string | undefined): string {
  return [component, host].filter((part) => part !== undefined && part !== '').join(', ');
}

const coreView = (event: CoreEvent): EventView => ({
  first: event.firstTimestamp,
  last: event.lastTimestamp,
  count: event.count,
  series:
    event.series?.count === undefined || event.series.lastObservedTime === undefined
      ? undefined
      : { count: event.series.count, lastObservedTime: event.series.lastObservedTime },
  eventTime: event.eventTime,
});

export const eventColumns: readonly Column<CoreEvent>[] = [
  text('Last Seen', 'When it happened last.', (event, now) => lastSeen(coreView(event), now)),
  text('Type', 'Normal or Warning.', ({ type }) => type ?? ''),
  text('Reason', 'One word for what happened.', ({ reason }) => reason ?? ''),
  text('Object', 'What it happened to.', ({ involvedObject }) => objectText(involvedObject)),
  wide('Subobject', 'Part of the object.', ({ involvedObject }) => involvedObject?.fieldPath ?? ''),
  wide('Source', 'Who reported it.', ({ source, reportingComponent, reportingInstance }) =>
    sourceText(source?.component || reportingComponent, source?.host || reportingInstance),
  ),
  text('Message', 'What happened.', ({ message }) => (message ?? '').trim()),
  wide('First Seen', 'When it happened first.', (event, now) => firstSeen(coreView(event), now)),
  wide('Count', 'How often it happened.', ({ series, count: times }) => series?.count ?? (times || 1)),
  eventName,
];

const eventsView = (event: EventsEvent): EventView => ({
  first: event.deprecatedFirstTimestamp,
  last: event.deprecatedLastTimestamp,
  count: event.deprecatedCount,
  series: event.series,
  eventTime: event.eventTime,
});

export const eventsEventColumns: readonly Column<EventsEvent>[] = [
  text('Last Seen', 'When it happened last.', (event, now) => lastSeen(eventsView(event), now)),
  text('Type', 'Normal or Warning.', ({ type }) => type ?? ''),
  text('Reason', 'One word for what happened.', ({ reason }) => reason ?? ''),
  text('Object', 'What it happened to.', ({ regarding }) => objectText(regarding)),
  wide('Subobject', 'Part of the object.', ({ regarding }) => regarding?.fieldPath ?? ''),
  wide('Source', 'Who reported it.', ({ deprecatedSource: source, reportingController, reportingInstance }) =>
    sourceText(source?.component || reportingController, source?.host || reportingInstance),
  ),
  text('Message', 'What happened.', ({ note }) => (note ?? '').trim()),
  wide('First Seen', 'When it happened first.', (event, now) => firstSeen(eventsView(event), now)),
  wide('Count', 'How often it happened.', ({ series, deprecatedCount }) => series?.count ?? (deprecatedCount || 1)),
  eventName,
];
