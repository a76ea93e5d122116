// Sends pod statuses to the API server: one request at a time per pod, always the newest status, nothing when nothing
// changed. A status that was overtaken while its predecessor was on the way is never sent.

import { isDeepStrictEqual } from 'node:util';
import { kinds, type Pod, type PodStatus } from '../../api/index.ts';
import { type Backoff, type Clock, createBackoff, type Logger } from '../../base/index.ts';
import { type ApiClient, ApiStatusError } from '../../client/index.ts';
import { nameOf } from './identity.ts';
import { passingConditions } from './status.ts';

export interface StatusWriter {
  /** Takes the newest status; sends it now, or after the one that is on its way. */
  put(pod: Pod, status: PodStatus): void;
  /** Resolves when the newest status of the pod has been stored, or the pod is gone. */
  flushed(uid: string): Promise<void>;
  /** What was put last; undefined when nothing was. */
  newest(uid: string): PodStatus | undefined;
  forget(uid: string): void;
}

interface Entry {
  wanted: { readonly pod: Pod; readonly status: PodStatus } | undefined;
  sent: PodStatus | undefined;
  sending: Promise<void> | undefined;
  readonly backoff: Backoff;
}

export function createStatusWriter(
  client: ApiClient,
  { clock, logger, signal }: { readonly clock: Clock; readonly logger: Logger; readonly signal: AbortSignal },
): StatusWriter {
  const entries = new Map<string, Entry>();
  return {
    put(pod, status) {
      const { uid } = nameOf(pod);
      const entry = entries.get(uid) ?? {
        wanted: undefined,
        sent: undefined,
        sending: undefined,
        backoff: createBackoff({ initial: 100, max: 10_000, jitter: 0.2 }),
      };
      entries.set(uid, entry);
      if (isDeepStrictEqual(entry.wanted?.status ?? entry.sent ?? pod.status, status)) return;
      entry.wanted = { pod, status };
      entry.sending ??= send(uid, entry).finally(() => {
        entry.sending = undefined;
      });
    },
    flushed: async (uid) => entries.get(uid)?.sending,
    newest(uid) {
      const entry = entries.get(uid);
      return entry?.wanted?.status ?? entry?.sent;
    },
    forget: (uid) => void entries.delete(uid),
  };

  async function send(uid: string, entry: Entry): Promise<void> {
    while (entry.wanted !== undefined && !signal.aborted) {
      const { pod, status } = entry.wanted;
      const previous = entry.sent ?? pod.status;
      try {
        const { namespace, name } = nameOf(pod);
        const body = {
          metadata: { uid },
          status: { ...clearing(previous), ...status, ...conditionsFrom(previous, status) },
        };
        await client.patch(kinds.pod, { namespace, name }, 'strategic', body, { subresource: 'status', signal });
        entry.backoff.reset();
      } catch (error) {
        if (signal.aborted) return;
        if (!(await isGone(pod, error))) {
          logger.warn('pod status not stored, trying again', { pod: nameOf(pod), error });
          await clock.sleep(entry.backoff.next(), signal).catch(() => undefined);
          continue;
        }
      }
      entry.sent = status;
      if (entry.wanted?.status === status) entry.wanted = undefined;
    }
  }

  /** A conflict means that another pod has the name by now, or only that somebody else wrote at the same moment. */
  async function isGone(pod: Pod, error: unknown): Promise<boolean> {
    if (!(error instanceof ApiStatusError)) return false;
    if (error.code !== 409) return error.code === 404;
    const { uid, ...name } = nameOf(pod);
    try {
      return (await client.get(kinds.pod, name, { signal })).metadata.uid !== uid;
    } catch (failure) {
      return failure instanceof ApiStatusError && failure.code === 404;
    }
  }
}

/** A patch merges conditions by their type, so one that has passed is named to be taken away. */
function conditionsFrom(previous: PodStatus | undefined, { conditions }: PodStatus): object {
  const passed = (previous?.conditions ?? [])
    .map(({ type }) => type)
    .filter((type) => passingConditions.includes(type) && conditions?.some((one) => one.type === type) !== true);
  if (passed.length === 0) return {};
  return { conditions: [...(conditions ?? []), ...passed.map((type) => ({ type, $patch: 'delete' }))] };
}

/** null for each field that may go away again: a patch only removes what it names. */
function clearing(previous: PodStatus | undefined): Record<string, null> {
  const fields = ['reason', 'message', 'podIP', 'podIPs', 'initContainerStatuses', 'containerStatuses'] as const;
  return Object.fromEntries(fields.filter((field) => previous?.[field] !== undefined).map((field) => [field, null]));
}
