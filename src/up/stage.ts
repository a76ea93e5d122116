// What the stages of `up` share: what they are told, the machines of the file, and who notes what fails.

import type { SshOptions } from '../host/index.ts';
import type { ClusterFile, FileHost } from './cluster-file.ts';
import { type Attempts, Failed } from './machines.ts';
import type { DesiredHost, Removal } from './plan.ts';
import type { UpProgress } from './progress.ts';
import type { Reach, ReachOf } from './targets.ts';

export interface UpOptions {
  readonly file: ClusterFile;
  readonly reachOf: ReachOf;
  readonly ssh: Pick<SshOptions, 'knownHosts' | 'acceptNewHostKeys'>;
  /** Root of the program that is installed on the machines (rootOf). */
  readonly programRoot: string;
  /** Machines that are worked on at once. */
  readonly concurrency: number;
  readonly dryRun: boolean;
  /** Asked before nodes are removed; false: they stay. */
  readonly mayRemove: (removals: readonly Removal[]) => Promise<boolean>;
  /** Of one stage; its machines are named beforehand. */
  readonly startProgress: (ids: readonly string[]) => Promise<UpProgress>;
  readonly signal: AbortSignal;
}

export interface Entry {
  readonly id: string;
  readonly host: FileHost;
  readonly reach: Reach;
  readonly want: DesiredHost;
}

export interface Stage {
  readonly options: UpOptions;
  readonly attempts: Attempts;
  readonly progress: UpProgress;
}

export function masterOf(entries: readonly Entry[]): Entry {
  const master = entries.find(({ want }) => want.role === 'control-plane');
  if (master === undefined) throw new Error('the file was read without a control plane');
  return master;
}

/** What a machine failed with is noted already; anything else is a bug. */
export function notFailed(error: unknown): undefined {
  if (error instanceof Failed) return undefined;
  throw error;
}
