// Events for people (`kubectl describe`): told by components at any time, written one after the other in the background.
// Telling never waits and never fails; when the API server is away the queue fills, and what does not fit is dropped,
// because an event is worth less than the work that it reports.

import type { CoreEvent, KubeObject } from '../api/index.ts';
import { kinds } from '../api/index.ts';
import { type Clock, createBoundedQueue, type Logger, messageOf, silentLogger, systemClock } from '../base/index.ts';
import { type ApiClient, ApiStatusError } from './client.ts';
import { createEventCorrelator } from './event-correlator.ts';

/** What an event is about: an object, or with `fieldPath` a part of it, such as `spec.containers{web}` of a Pod. */
export type EventSubject = KubeObject & { readonly fieldPath?: string };

export interface EventRecorder {
  /** @param reason UpperCamelCase, one word, for machines. @param message for people. */
  event(about: EventSubject, type: 'Normal' | 'Warning', reason: string, message: string): void;
  /** Resolves when everything told so far is written or given up. */
  flush(): Promise<void>;
}

export interface EventRecorderOptions {
  /** Node name, for components that run on each node. */
  readonly host?: string;
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Events that may wait. Default 1000, as client-go. */
  readonly bound?: number;
}

/** @param component what `kubectl describe` shows under From: `default-scheduler`, `kubelet`, … */
export function createEventRecorder(
  client: ApiClient,
  component: string,
  options: EventRecorderOptions = {},
): EventRecorder {
  const { host, logger = silentLogger, clock = systemClock, bound = 1000 } = options;
  const queue = createBoundedQueue<CoreEvent>(bound);
  const correlator = createEventCorrelator();
  let writing: Promise<void> | undefined;
  let serial = 0;
  return {
    event(about, type, reason, message) {
      if (!queue.push(eventOf(about, type, reason, message)))
        logger.warn('event dropped, the queue is full', { reason });
      writing ??= writeAll();
    },
    flush: async () => {
      await writing;
    },
  };

  async function writeAll(): Promise<void> {
    // Events that are told in one go are seen together by the queue's bound, not by the writer.
    await Promise.resolve();
    for (let batch = queue.drain(); batch.length > 0; batch = queue.drain()) {
      for (const event of batch) await write(event);
    }
    writing = undefined;
  }

  async function write(event: CoreEvent): Promise<void> {
    const action = correlator.correlate(event, clock.now());
    try {
      if (action.do === 'create') await client.create(kinds.event, action.event);
      else if (action.do === 'patch') {
        const { namespace, name, patch } = action;
        await client.patch(kinds.event, { namespace, name }, 'merge', patch).catch(async (error: unknown) => {
          if (!(error instanceof ApiStatusError) || error.code !== 404) throw error;
          await client.create(kinds.event, action.event);
        });
      }
    } catch (error) {
      logger.warn('event not written', { reason: event.reason, error: messageOf(error) });
    }
  }

  function eventOf(about: EventSubject, type: string, reason: string, message: string): CoreEvent {
    const now = clock.now();
    const at = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
    const { name = '', namespace, uid, resourceVersion } = about.metadata ?? {};
    serial = (serial + 1) % 0x10000;
    const suffix = `${now.toString(16).padStart(12, '0')}${serial.toString(16).padStart(4, '0')}`;
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${suffix}`, namespace: namespace ?? 'default' },
      involvedObject: defined({
        apiVersion: about.apiVersion,
        kind: about.kind,
        name,
        namespace,
        uid,
        resourceVersion,
        fieldPath: about.fieldPath,
      }),
      type,
      reason,
      message,
      source: defined({ component, host }),
      reportingComponent: component,
      reportingInstance: host ?? '',
      firstTimestamp: at,
      lastTimestamp: at,
      count: 1,
    };
  }
}

function defined<T extends object>(fields: T): { [Field in keyof T]: Exclude<T[Field], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Field in keyof T]: Exclude<T[Field], undefined>;
  };
}
