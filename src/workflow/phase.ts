// A command that changes a machine is a list of phases. The list is the command's documentation: --skip-phases,
// `init phase NAME`, progress lines and errors all come from it.

export interface Phase<Context> {
  /** kebab-case; for --skip-phases, logs and errors. Never changes once released. */
  readonly name: string;
  /** What a person reads while it runs: "Writing certificates". */
  readonly title: string;
  /** Other names that it is found by: kubeadm's, where the meaning is the same. */
  readonly aliases?: readonly string[];
  /** Why the phase can be left out this time; undefined when it has to run. Must not change anything. */
  readonly skipReason?: (context: Context) => string | undefined | Promise<string | undefined>;
  /** Idempotent: run again after a crash, it continues or finds everything done. */
  readonly run: (context: Context, progress: Progress) => Promise<void>;
}

/** Given to each phase: says what is being done or waited for, and when to stop. */
export interface Progress {
  readonly signal: AbortSignal;
  /** One short line that replaces the last one on a terminal: "waiting for node n1: CSR not approved yet". */
  report(line: string): void;
}
