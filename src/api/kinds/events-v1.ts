// events.k8s.io/v1 Events are kept as core Events: same objects, other field names.
// Source: k8s.io/api events/v1 and upstream's conversion of it.

import type { StoredAs } from '../kind.ts';
import type { CoreEvent, EventsEvent, KubeObject } from '../types.ts';

export const eventsV1Storage: StoredAs = {
  kind: { group: '', version: 'v1', kind: 'Event' },
  toStored(object: KubeObject): KubeObject {
    const {
      regarding,
      note,
      reportingController,
      deprecatedSource,
      deprecatedFirstTimestamp,
      deprecatedLastTimestamp,
      deprecatedCount,
      ...same
    } = object as EventsEvent;
    return defined({
      ...same,
      apiVersion: 'v1',
      involvedObject: regarding ?? {},
      message: note,
      reportingComponent: reportingController,
      source: deprecatedSource,
      firstTimestamp: deprecatedFirstTimestamp,
      lastTimestamp: deprecatedLastTimestamp,
      count: deprecatedCount,
    });
  },
  fromStored(object: KubeObject): KubeObject {
    const { involvedObject, message, reportingComponent, source, firstTimestamp, lastTimestamp, count, ...same } =
      object as CoreEvent;
    return defined({
      ...same,
      apiVersion: 'events.k8s.io/v1',
      regarding: involvedObject,
      note: message,
      reportingController: reportingComponent,
      deprecatedSource: source,
      deprecatedFirstTimestamp: firstTimestamp,
      deprecatedLastTimestamp: lastTimestamp,
      deprecatedCount: count,
    });
  },
};

/** Without the keys whose value is undefined, which JSON has no word for. */
function defined(object: object): KubeObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
