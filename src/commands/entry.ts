// What the table of commands holds: one entry a command, loaded when it is called.

import type { Command } from '@oclif/core/command';

type CommandClass = new (argv: string[], config: never) => Command;

interface Entry {
  /** What is typed after k8ts. */
  readonly name: string;
  readonly summary: string;
}

/** A command with flags, examples and --help by oclif. */
export interface OclifEntry extends Entry {
  readonly load: () => Promise<{ readonly default: CommandClass }>;
}

/** A long-lived process. Does not load oclif, which a daemon would carry in memory for as long as it lives. */
export interface DaemonEntry extends Entry {
  readonly help: string;
  readonly run: (argv: readonly string[], signal: AbortSignal) => Promise<void>;
}

export type CommandEntry = OclifEntry | DaemonEntry;
