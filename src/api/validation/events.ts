// Events, in their stored form, which is the core group's. Source: kubernetes pkg/apis/core/validation/events.go. Whoever
// sends an eventTime follows the newer rules in the older group as well; events.k8s.io asks for all of them.

import { type FieldError, invalid, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { CoreEvent } from '../types.ts';
import { whyNotDnsSubdomain, whyNotQualifiedName } from './names.ts';
import { immutable, invalidFor, requireText, sameJson } from './rules.ts';

const eventTypes = valuesOf('io.k8s.api.events.v1.Event', 'type');
const maxText = 128;
/** Bytes of one UTF-16 unit, so that short texts need not be counted. */
const maxUtf8 = 3;
const maxMessage = 1024;

export function validateEvent(event: CoreEvent): readonly FieldError[] {
  const { metadata, involvedObject, eventTime } = event;
  const about = involvedObject?.namespace ?? '';
  const own = metadata?.namespace ?? '';
  const errors: FieldError[] = [];
  // An event lives beside what it is about; what is about the cluster lives in `default`, or in `kube-system`.
  const isApart = eventTime
    ? about === '' && own !== 'default' && own !== 'kube-system'
    : about === ''
      ? own !== 'default'
      : about !== own;
  if (isApart) errors.push(invalid('involvedObject.namespace', about, 'does not match event.namespace'));
  if (eventTime) errors.push(...validateReport(event));
  return [...errors, ...invalidFor('namespace', own, whyNotDnsSubdomain(own))];
}

/** Who reports and what was done. */
function validateReport({
  reportingComponent = '',
  reportingInstance,
  action,
  reason,
  message,
}: CoreEvent): FieldError[] {
  const tooLong = (field: string, text = '', max = maxText): FieldError[] =>
    text.length * maxUtf8 > max && Buffer.byteLength(text) > max
      ? [invalid(field, '', `can have at most ${max} characters`)]
      : [];
  return [
    ...requireText('reportingController', reportingComponent),
    ...invalidFor('reportingController', reportingComponent, whyNotQualifiedName(reportingComponent)),
    ...requireText('reportingInstance', reportingInstance),
    ...tooLong('reportingInstance', reportingInstance),
    ...requireText('action', action),
    ...tooLong('action', action),
    ...requireText('reason', reason),
    ...tooLong('reason', reason),
    ...tooLong('message', message, maxMessage),
  ];
}

/** What is sent as events.k8s.io/v1 may have nothing of the older form. */
export function validateEventsEvent(event: CoreEvent): readonly FieldError[] {
  const { metadata, type = '', eventTime, firstTimestamp, lastTimestamp, count, source } = event;
  const name = metadata?.name ?? '';
  const errors = [...invalidFor('metadata.name', name, whyNotDnsSubdomain(name)), ...validateSeries(event)];
  if (!eventTime) errors.push(required('eventTime'));
  if (!eventTypes().includes(type)) errors.push(invalid('type', '', `has invalid value: ${type}`));
  for (const [field, isSet] of [
    ['firstTimestamp', Boolean(firstTimestamp)],
    ['lastTimestamp', Boolean(lastTimestamp)],
    ['count', Boolean(count)],
    ['source', Boolean(source?.component || source?.host)],
  ] as const) {
    if (isSet) errors.push(invalid(field, '', 'needs to be unset'));
  }
  return errors;
}

function validateSeries({ series }: CoreEvent): FieldError[] {
  if (series === undefined) return [];
  return [
    ...((series.count ?? 0) < 2 ? [invalid('series.count', '', 'should be at least 2')] : []),
    ...requireText('series.lastObservedTime', series.lastObservedTime),
  ];
}

/** Field of the stored form, and upstream's name of it. Not the message, which upstream's conformance specs of 1.20 patch. */
const fixedFields = [
  ['involvedObject', 'involvedObject'],
  ['reason', 'reason'],
  ['source', 'source'],
  ['firstTimestamp', 'firstTimestamp'],
  ['lastTimestamp', 'lastTimestamp'],
  ['count', 'count'],
  ['type', 'type'],
  ['eventTime', 'eventTime'],
  ['action', 'action'],
  ['related', 'related'],
  ['reportingComponent', 'reportingController'],
  ['reportingInstance', 'reportingInstance'],
] as const;

/** Through events.k8s.io/v1 only the series, how often it happened again, and the note may change. */
export function validateEventsEventUpdate(event: CoreEvent, old: CoreEvent): readonly FieldError[] {
  const errors: FieldError[] = [];
  if (!sameJson(event.series, old.series)) errors.push(...validateSeries(event));
  for (const [field, name] of fixedFields) {
    if (!isEmpty(event[field]) || !isEmpty(old[field])) errors.push(...immutable(name, event[field], old[field]));
  }
  return errors;
}

/** Clients written in Go send these for fields that they did not set. */
function isEmpty(value: unknown): boolean {
  return !value || (typeof value === 'object' && Object.keys(value).length === 0);
}
