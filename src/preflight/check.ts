// What a check is. Each is one row of a table: it judges facts that were gathered before, so it does no I/O, and each is
// tested by a literal. What can be mended without asking anybody has a repair beside it.

import type { Host } from '../host/index.ts';
import type { PreflightFacts, Role } from './facts.ts';

export type Severity = 'error' | 'warning';

export interface Finding {
  /** kubeadm's name where it has the check, with its subject: Port-6443, FileExisting-nft. */
  readonly id: string;
  readonly message: string;
  /** What to do about it, here and now: a command to paste where there is one. */
  readonly fix: string;
  /** Instead of the check's own, when this finding is a lighter or graver form of it. */
  readonly severity?: Severity;
  /** True: the check's repair does not help here. */
  readonly byHand?: true;
}

export interface Check<Facts> {
  /** The id, or the part before the subject. */
  readonly id: string;
  readonly severity: Severity;
  readonly roles: readonly Role[];
  /** Why it matters. */
  readonly why: string;
  /** How it is mended, in general. */
  readonly remedy: string;
  readonly judge: (facts: Facts) => readonly Finding[];
  readonly repair?: Repair;
}

/** What `--fix` does. Everything goes through the host's journal, so that reset takes it back. */
export interface Repair {
  /** "turns swap off and comments its lines in /etc/fstab out" */
  readonly does: string;
  /** Called once per check that has findings. Idempotent. */
  readonly run: (host: Host, facts: PreflightFacts, signal: AbortSignal) => Promise<void>;
}

/** A check of this machine alone, before anything is known of a cluster. */
export type MachineCheck = Check<PreflightFacts>;
