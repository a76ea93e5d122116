// Create, or bring up to date: what makes the phases that write to the cluster idempotent.

import type { KindOf, KubeObject } from '../api/index.ts';
import { type ApiClient, ApiStatusError } from '../client/index.ts';

/** Fields of an object besides its metadata are ours; metadata that others added is kept. */
export async function ensureObject<T extends KubeObject>(
  client: Pick<ApiClient, 'create' | 'get' | 'update'>,
  kind: KindOf<T>,
  want: T,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.create(kind, want, { signal });
    return;
  } catch (error) {
    if (!(error instanceof ApiStatusError) || error.reason !== 'AlreadyExists') throw error;
  }
  const { name = '', namespace } = want.metadata ?? {};
  const have = await client.get(kind, { namespace, name }, { signal });
  if (covers(have, { ...want, metadata: {} })) return;
  await client.update(kind, { ...have, ...want, metadata: { ...have.metadata, ...want.metadata } }, { signal });
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
