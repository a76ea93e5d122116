// Decides what becomes of one more event, so that a crash loop does not fill the datastore: the same event again counts
// up the stored one; many that differ only in their message are combined; an object that causes a stream of events is
// heard in bursts. Pure but for what it remembers. The numbers are client-go's (tools/record/events_cache.go).

import type { CoreEvent } from '../api/index.ts';

export type EventAction =
  | { readonly do: 'create'; readonly event: CoreEvent }
  | {
      readonly do: 'patch';
      readonly namespace: string;
      readonly name: string;
      readonly patch: unknown;
      /** What to create when the stored event has expired meanwhile. */
      readonly event: CoreEvent;
    }
  | { readonly do: 'drop' };

interface EventCorrelator {
  /** `now` in ms since the epoch. */
  correlate(event: CoreEvent, now: number): EventAction;
}

const maxRemembered = 4096;
/** Events alike but for their message within `similarWindow` before they are combined. */
const maxSimilar = 10;
const similarWindow = 600_000;
/** Events about one object that may come at once, and how long until one more may (ms). */
const burst = 25;
const refill = 300_000;

interface Similar {
  readonly messages: Set<string>;
  last: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

export function createEventCorrelator(): EventCorrelator {
  const similar = new Map<string, Similar>();
  const stored = new Map<string, CoreEvent>();
  const buckets = new Map<string, Bucket>();
  return {
    correlate(event, now) {
      const { key, message } = combine(event, now);
      if (!takeToken(subjectOf(event), now)) return { do: 'drop' };
      const earlier = stored.get(key);
      if (earlier === undefined) {
        const first = { ...event, message };
        remember(stored, key, first);
        return { do: 'create', event: first };
      }
      const patch = { message, count: (earlier.count ?? 1) + 1, lastTimestamp: event.lastTimestamp };
      const merged = { ...earlier, ...patch } as CoreEvent;
      remember(stored, key, merged);
      const { namespace = '', name = '' } = earlier.metadata;
      return { do: 'patch', namespace, name, patch, event: { ...merged, metadata: event.metadata } };
    },
  };

  function combine(event: CoreEvent, now: number): { key: string; message: string } {
    const { fieldPath } = event.involvedObject;
    const group = [subjectOf(event), fieldPath, event.type, event.reason, event.reportingComponent].join('\n');
    const message = event.message ?? '';
    const known = similar.get(group);
    const seen =
      known === undefined || now - known.last > similarWindow ? { messages: new Set<string>(), last: now } : known;
    seen.messages.add(message);
    seen.last = now;
    remember(similar, group, seen);
    if (seen.messages.size < maxSimilar) return { key: `${group}\n${message}`, message };
    const [oldest = ''] = seen.messages;
    seen.messages.delete(oldest);
    return { key: group, message: `(combined from similar events): ${message}` };
  }

  function takeToken(subject: string, now: number): boolean {
    const bucket = buckets.get(subject) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) / refill);
    bucket.at = now;
    remember(buckets, subject, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}

function subjectOf({ source, involvedObject: about }: CoreEvent): string {
  return [source?.component, source?.host, about.kind, about.namespace, about.name, about.uid].join('\n');
}

/** Sets the newest entry; the longest unused one is forgotten when there are too many. */
function remember<V>(memory: Map<string, V>, key: string, value: V): void {
  memory.delete(key);
  memory.set(key, value);
  const [oldest] = memory.keys();
  if (memory.size > maxRemembered && oldest !== undefined) memory.delete(oldest);
}
