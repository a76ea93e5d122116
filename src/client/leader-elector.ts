// One leader among several processes, through a Lease object. A candidate takes the lease when nobody holds it or when
// its holder has not renewed it for the lease's duration *as measured on the candidate's own clock* since it last saw
// the record change; clocks of different machines are never compared. The leader stops leading before others may take
// over: renewDeadline is shorter than leaseDuration.
//
//   waiting ──acquired──► leading ──renewal failed for renewDeadline──► lost (run ends)
//      ▲ retryPeriod         └──signal aborted──► released (run ends)
//
// Same record and rules as client-go's tools/leaderelection, so that an upstream component can be the other candidate.

import { kinds, type Lease, type Stored } from '../api/index.ts';
import { type Clock, type Logger, messageOf, silentLogger, systemClock } from '../base/index.ts';
import { type ApiClient, ApiStatusError } from './client.ts';

export interface LeaderElectorOptions {
  readonly namespace: string;
  readonly name: string;
  /** Unique among the candidates: host name plus something of this process. */
  readonly identity: string;
  /** ms; defaults 15,000 / 10,000 / 2,000, as upstream's. */
  readonly leaseDuration?: number;
  readonly renewDeadline?: number;
  readonly retryPeriod?: number;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

export interface LeaderElector {
  /**
   * Waits to become the leader, then calls `lead`, whose signal aborts when leadership is lost or `signal` aborts.
   * Resolves when `lead` has returned. Rejects with what `lead` threw.
   */
  run(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void>;
}

export function createLeaderElector(client: ApiClient, options: LeaderElectorOptions): LeaderElector {
  const { namespace, name, identity, logger = silentLogger, clock = systemClock } = options;
  const { leaseDuration = 15_000, renewDeadline = 10_000, retryPeriod = 2_000 } = options;
  let observed: { readonly version: string; readonly at: number } | undefined;

  return {
    async run(signal, lead) {
      while (!(await tryAcquire(signal))) await clock.sleep(retryPeriod * (1 + 0.2 * Math.random()), signal);
      logger.info('became leader', { lease: `${namespace}/${name}`, identity });
      const leading = new AbortController();
      const renewal = renew(AbortSignal.any([signal, leading.signal])).then(() => leading.abort());
      try {
        await lead(AbortSignal.any([signal, leading.signal]));
      } finally {
        leading.abort();
        await renewal;
        await release();
      }
    },
  };

  /** Resolves when the lease could not be renewed in time, or when told to stop. */
  async function renew(signal: AbortSignal): Promise<void> {
    let renewed = clock.now();
    while (!signal.aborted) {
      await clock.sleep(retryPeriod, signal).catch(() => undefined);
      if (signal.aborted) return;
      // A request that hangs must not outlast the deadline; the lease counts from when the request was made.
      const asked = clock.now();
      if (await tryAcquire(signal, Math.max(1, renewed + renewDeadline - asked))) renewed = asked;
      else if (clock.now() - renewed >= renewDeadline) {
        logger.error('leadership lost', { lease: `${namespace}/${name}`, identity });
        return;
      }
    }
  }

  /** @param within ms for all of its requests. */
  async function tryAcquire(signal: AbortSignal, within = renewDeadline): Promise<boolean> {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(within)]);
    try {
      const held = await read(deadline);
      if (held === undefined) {
        await client.create(kinds.lease, recordOf(undefined), { signal: deadline });
        return true;
      }
      if (whyNotFree(held) !== undefined) return false;
      const { resourceVersion } = held.metadata;
      const next = recordOf(held);
      await client.update(
        kinds.lease,
        { ...next, metadata: { ...next.metadata, resourceVersion } },
        { signal: deadline },
      );
      return true;
    } catch (error) {
      signal.throwIfAborted();
      logger.debug('lease not taken', { error: messageOf(error) });
      return false;
    }
  }

  /** Why this candidate may not take the lease; undefined when it may. */
  function whyNotFree({ spec, metadata }: Stored<Lease>): string | undefined {
    if (observed?.version !== metadata.resourceVersion) {
      observed = { version: metadata.resourceVersion, at: clock.now() };
    }
    const holder = spec?.holderIdentity ?? '';
    if (holder === '' || holder === identity) return undefined;
    const duration = (spec?.leaseDurationSeconds ?? 0) * 1000 || leaseDuration;
    return clock.now() - observed.at < duration ? `held by ${holder}` : undefined;
  }

  async function read(signal?: AbortSignal): Promise<Stored<Lease> | undefined> {
    try {
      return await client.get(kinds.lease, { namespace, name }, signal === undefined ? {} : { signal });
    } catch (error) {
      if (error instanceof ApiStatusError && error.code === 404) return undefined;
      throw error;
    }
  }

  function recordOf(held: Lease | undefined): Lease {
    const now = new Date(clock.now()).toISOString().replace('Z', '000Z');
    const mine = held?.spec?.holderIdentity === identity;
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace, name },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(leaseDuration / 1000),
        acquireTime: (mine ? held.spec?.acquireTime : undefined) ?? now,
        renewTime: now,
        leaseTransitions: (held?.spec?.leaseTransitions ?? 0) + (mine || held === undefined ? 0 : 1),
      },
    };
  }

  /** Lets the next candidate in at once. Best effort: the lease runs out by itself. */
  async function release(): Promise<void> {
    try {
      const held = await read(AbortSignal.timeout(retryPeriod));
      if (held?.spec?.holderIdentity !== identity) return;
      const spec = { ...held.spec, holderIdentity: '', leaseDurationSeconds: 1 };
      await client.update(kinds.lease, { ...held, spec });
    } catch (error) {
      logger.debug('lease not released', { error: messageOf(error) });
    }
  }
}
