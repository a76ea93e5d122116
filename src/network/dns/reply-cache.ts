// Answers of the servers outside, for as long as their TTL allows and 30 s at most, as CoreDNS is usually set up. Bounded:
// when full, the entry that was stored first goes.

import { rcodes } from './records.ts';
import { isTruncated, rcodeOf, ttlsOf } from './wire.ts';

export interface CachedReply {
  readonly reply: Buffer;
  /** How long it has been held. */
  readonly ageSeconds: number;
}

export interface ReplyCache {
  get(key: string): CachedReply | undefined;
  put(key: string, reply: Buffer): void;
  readonly size: number;
}

const longestSeconds = 30;

/** @param now milliseconds. */
export function createReplyCache(bound: number, now: () => number): ReplyCache {
  const entries = new Map<string, { readonly reply: Buffer; readonly stored: number; readonly expires: number }>();
  return {
    get size() {
      return entries.size;
    },
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      if (entry.expires <= now()) {
        entries.delete(key);
        return undefined;
      }
      return { reply: entry.reply, ageSeconds: Math.floor((now() - entry.stored) / 1000) };
    },
    put(key, reply) {
      const seconds = lifetime(reply);
      if (seconds <= 0) return;
      const oldest = entries.keys().next();
      if (entries.size >= bound && oldest.done !== true) entries.delete(oldest.value);
      entries.delete(key);
      entries.set(key, { reply, stored: now(), expires: now() + seconds * 1000 });
    },
  };
}

/** Seconds that `reply` may be used for; 0: not at all. Failures are not kept, absence is for as long as its SOA allows. */
function lifetime(reply: Buffer): number {
  const rcode = rcodeOf(reply);
  if (isTruncated(reply) || (rcode !== rcodes.NOERROR && rcode !== rcodes.NXDOMAIN)) return 0;
  try {
    const ttls = ttlsOf(reply).map(({ ttl }) => ttl);
    return ttls.length === 0 ? 0 : Math.min(longestSeconds, ...ttls);
  } catch {
    return 0; // cut off in the middle of a record
  }
}
