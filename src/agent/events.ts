// Events about pods and the node, as the kubelet writes them. Sent in the background, one after another: an event must
// never hold up a pod. The same event again only raises the count of the first. Each object may have 25 different ones
// at once and one more every five minutes; beyond that, and beyond a full queue, events are dropped, as in client-go.

import { randomBytes } from 'node:crypto';
import { type CoreEvent, kinds, type ObjectReference } from '../api/index.ts';
import { type Clock, createBoundedQueue, type Logger } from '../base/index.ts';
import type { ApiClient } from '../client/index.ts';
import { rfc3339 } from './pods/status.ts';

export interface EventRecorder {
  record(about: ObjectReference, type: 'Normal' | 'Warning', reason: string, message: string): void;
}

interface Sent {
  readonly namespace: string;
  readonly name: string;
  count: number;
}

const burst = 25;
const refill = 300_000;
const remembered = 1024;

export function createEventRecorder(
  client: ApiClient,
  options: { readonly clock: Clock; readonly logger: Logger; readonly nodeName: string; readonly signal: AbortSignal },
): EventRecorder {
  const { clock, logger, nodeName, signal } = options;
  const queue = createBoundedQueue<() => Promise<void>>(1000);
  const sent = new Map<string, Sent>();
  const budgets = new Map<string, { left: number; at: number }>();
  signal.addEventListener('abort', () => queue.close(), { once: true });
  void work();

  return {
    record(about, type, reason, message) {
      if (!mayRecord(about.uid ?? about.name ?? '')) return;
      queue.push(() => store(about, { type, reason, message, at: clock.now() }));
    },
  };

  function mayRecord(object: string): boolean {
    const now = clock.now();
    const budget = budgets.get(object) ?? { left: burst, at: now };
    budget.left = Math.min(burst, budget.left + (now - budget.at) / refill);
    budget.at = now;
    budgets.set(object, budget);
    trim(budgets);
    if (budget.left < 1) return false;
    budget.left -= 1;
    return true;
  }

  async function work(): Promise<void> {
    for (let job = await queue.shift(); job !== undefined; job = await queue.shift()) {
      try {
        await job();
      } catch (error) {
        if (!signal.aborted) logger.debug('event not stored', { error });
      }
    }
  }

  async function store(
    about: ObjectReference,
    {
      type,
      reason,
      message,
      at,
    }: { readonly type: string; readonly reason: string; readonly message: string; readonly at: number },
  ): Promise<void> {
    const key = [about.uid, about.fieldPath, type, reason, message].join('\n');
    const known = sent.get(key);
    if (known !== undefined) {
      known.count += 1;
      const change = { count: known.count, lastTimestamp: rfc3339(at) };
      await client.patch(kinds.event, known, 'merge', change, { signal });
      return;
    }
    const namespace = about.namespace ?? 'default';
    const name = `${about.name ?? ''}.${randomBytes(8).toString('hex')}`;
    const event: CoreEvent = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace },
      involvedObject: about,
      type,
      reason,
      message: message.slice(0, 1024),
      source: { component: 'kubelet', host: nodeName },
      reportingComponent: 'kubelet',
      reportingInstance: nodeName,
      firstTimestamp: rfc3339(at),
      lastTimestamp: rfc3339(at),
      count: 1,
    };
    await client.create(kinds.event, event, { signal });
    sent.set(key, { namespace, name, count: 1 });
    trim(sent);
  }
}

/** Forgets the oldest entries of a map that has grown too large. */
function trim(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    if (map.size <= remembered) return;
    map.delete(key);
  }
}
