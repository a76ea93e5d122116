// The machines of the file while `up` works on them: connected, locked, looked at. One that fails is written down with what
// was being done, and the others go on.

import { CodedError } from '../base/index.ts';
import { openSshHost, type SshHost, type SshOptions } from '../host/index.ts';
import { type HostLock, lockHost } from './lock.ts';
import { observeHost, type Seen } from './observe.ts';
import type { UpProgress } from './progress.ts';
import type { Reach } from './targets.ts';

type UpPhase =
  | 'connect'
  | 'lock'
  | 'observe'
  | 'plan'
  | 'install'
  | 'init'
  | 'join'
  | 'node'
  | 'drain'
  | 'reset'
  | 'delete';

export interface Failure {
  readonly id: string;
  readonly phase: UpPhase;
  readonly error: unknown;
}

export interface PhaseTime {
  readonly id: string;
  readonly phase: UpPhase;
  readonly ms: number;
}

/** Runs phases of machines, keeps their times, and turns what goes wrong into a Failure. */
export interface Attempts {
  readonly failures: readonly Failure[];
  readonly times: readonly PhaseTime[];
  /** @throws Failed when `work` failed; its failure is noted */
  phase<T>(id: string, phase: UpPhase, work: () => Promise<T>): Promise<T>;
}

/** Ends the work on one machine; why is in `failures` already. */
export class Failed extends Error {}

export function createAttempts(progress: () => UpProgress, signal: AbortSignal): Attempts {
  const failures: Failure[] = [];
  const times: PhaseTime[] = [];
  return {
    failures,
    times,
    async phase(id, phase, work) {
      const start = performance.now();
      try {
        signal.throwIfAborted();
        return await work();
      } catch (error) {
        if (!signal.aborted) {
          failures.push({ id, phase, error });
          progress().failed(id, error);
        } else progress().failed(id, signal.reason);
        throw new Failed(`${id}: ${phase}`);
      } finally {
        times.push({ id, phase, ms: performance.now() - start });
      }
    },
  };
}

export interface Machine {
  readonly id: string;
  readonly host: SshHost;
  readonly seen: Seen;
  /** Gives back the lock and ends the connection. */
  close(): Promise<void>;
}

interface OpenOptions {
  readonly attempts: Attempts;
  readonly progress: UpProgress;
  readonly ssh: Pick<SshOptions, 'knownHosts' | 'acceptNewHostKeys'>;
  readonly signal: AbortSignal;
  /** False for a dry run, which changes nothing. */
  readonly locks: boolean;
}

/** @throws Failed */
export async function openMachine(id: string, { target, sudo }: Reach, options: OpenOptions): Promise<Machine> {
  const { attempts, progress, ssh, signal, locks } = options;
  progress.passing(id, 'connecting');
  const host = await attempts.phase(id, 'connect', () => openSshHost(target, { ...ssh, name: id, sudo, signal }));
  let lock: HostLock | undefined;
  const close = async (): Promise<void> => {
    await lock?.release();
    host.close();
  };
  try {
    if (locks) lock = await attempts.phase(id, 'lock', () => lockHost(host, signal));
    const seen = await attempts.phase(id, 'observe', () => observeHost(host, signal)); // locked: it stays as it is seen
    return { id, host, seen, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Each failure with its machine, phase, what was run, its output and the next step. */
export function describeFailures(failures: readonly Failure[]): readonly string[] {
  return failures.flatMap(({ id, phase, error }) => {
    const coded = error instanceof CodedError;
    const message = error instanceof Error ? (coded ? error.message : (error.stack ?? error.message)) : String(error);
    const [first = '', ...rest] = `${message}${coded ? ` [${error.code}]` : ''}`.split('\n');
    const hint = coded && error.hint !== undefined ? [`    what to do: ${error.hint}`] : [];
    return [`${id}, phase ${phase}: ${first}`, ...rest.map((line) => `    ${line}`), ...hint];
  });
}

/** What all failures come to. */
export function incomplete(failures: readonly Failure[], all: number): CodedError {
  const ids = [...new Set(failures.map(({ id }) => id))];
  return new CodedError('UP_INCOMPLETE', `${ids.length} of ${all} machines failed: ${ids.join(', ')}`, {
    hint: 'mend what is said of them above and run the same command again: it continues',
  });
}
