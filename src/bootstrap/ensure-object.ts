// Create, or bring up to date: what makes the phases that write to the cluster idempotent.

import type { KindOf, KubeObject } from '../api/index.ts';
import { createBackoff, systemClock } from '../base/index.ts';
import { type ApiClient, ApiStatusError } from '../client/index.ts';

/** A controller may write the same object between our read and our write; each time it does, we look again, a little later. */
const attempts = 8;

/**
 * Fields of an object besides its metadata are ours; metadata that others added is kept.
 * @param merge what to write over an object that is there; default `want`
 */
export async function ensureObject<T extends KubeObject>(
  client: Pick<ApiClient, 'create' | 'get' | 'update'>,
  kind: KindOf<T>,
  want: T,
  signal: AbortSignal,
  merge: (have: T) => T = () => want,
): Promise<void> {
  const backoff = createBackoff({ initial: 10, max: 500, jitter: 0.3 });
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ensureOnce(client, kind, want, signal, merge);
    } catch (error) {
      if (attempt >= attempts || !isStatus(error, 'Conflict')) throw error;
      await systemClock.sleep(backoff.next(), signal);
    }
  }
}

async function ensureOnce<T extends KubeObject>(
  client: Pick<ApiClient, 'create' | 'get' | 'update'>,
  kind: KindOf<T>,
  want: T,
  signal: AbortSignal,
  merge: (have: T) => T,
): Promise<void> {
  try {
    await client.create(kind, want, { signal });
    return;
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error;
  }
  const { name = '', namespace } = want.metadata ?? {};
  const have = await client.get(kind, { namespace, name }, { signal });
  const next = merge(have);
  if (covers(have, { ...next, metadata: {} })) return;
  await client.update(kind, { ...have, ...next, metadata: { ...next.metadata, ...have.metadata } }, { signal });
}

function isStatus(error: unknown, reason: string): boolean {
  return error instanceof ApiStatusError && error.reason === reason;
}

/** True when `have` holds everything that `want` says; what it has besides is the server's defaults. */
function covers(have: unknown, want: unknown): boolean {
  if (Array.isArray(want)) {
    return Array.isArray(have) && have.length === want.length && want.every((item, at) => covers(have[at], item));
  }
  if (typeof want !== 'object' || want === null) return have === want;
  if (typeof have !== 'object' || have === null) return false;
  const fields = new Map(Object.entries(have));
  return Object.entries(want).every(([name, value]) => value === undefined || covers(fields.get(name), value));
}
