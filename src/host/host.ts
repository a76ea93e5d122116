// The machine behind one interface: files, commands, sysctls, processes, and a journal of every change, so that reset can
// undo exactly what was done. Implementations: local (this machine), ssh (another one), recording (--dry-run: answers
// reads from the machine below it plus its own writes, and writes nothing), fake (tests).

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** ms; default 60,000. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Exit codes besides 0 that are answers, not errors. Default none: CodedError COMMAND_FAILED with the command and its output. */
  readonly accept?: readonly number[];
  /** The command changes nothing, so a recording host may run it. Default false. */
  readonly readsOnly?: boolean;
}

export interface WriteFileOptions {
  /** Default 0o644; secrets 0o600. */
  readonly mode?: number;
}

export interface FileStat {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  readonly mode: number;
  readonly size: number;
}

/** A change to the machine that reset must take back. One line of JSON in the journal per change, written before it is made. */
export type Change =
  | {
      readonly kind: 'file';
      readonly path: string;
      /** null: there was none. `encoding` is set when the content was not UTF-8 text. */
      readonly before: { readonly content: string; readonly mode: number; readonly encoding?: 'base64' } | null;
    }
  /** `shared`: others may put files in it, so reset removes it only when it is empty. Otherwise all below it is ours. */
  | { readonly kind: 'directory'; readonly path: string; readonly shared?: boolean }
  | { readonly kind: 'sysctl'; readonly key: string; readonly before: string }
  | { readonly kind: 'module'; readonly name: string }
  | { readonly kind: 'link'; readonly name: string }
  | { readonly kind: 'route'; readonly destination: string; readonly device: string }
  /** `shared`: others may put rules in it (iptables' `nat`), so reset removes it only when nothing but empty hooks is in it. */
  | { readonly kind: 'nft-table'; readonly family: string; readonly name: string; readonly shared?: boolean }
  | { readonly kind: 'iptables-chain'; readonly table: string; readonly chain: string }
  | { readonly kind: 'mount'; readonly path: string }
  | { readonly kind: 'unit'; readonly name: string }
  | { readonly kind: 'process'; readonly name: string; readonly pidFile: string }
  | { readonly kind: 'swap'; readonly device: string };

export interface Host {
  /** What errors and progress lines call this machine: its host name or address. */
  readonly name: string;

  /** Runs a program by argument list, never through a shell. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<CommandResult>;
  /** The absolute path of a program in PATH (sbin folders included); undefined when it is not installed. */
  which(program: string): Promise<string | undefined>;

  readFile(path: string): Promise<Buffer>;
  /** undefined when it does not exist. */
  readFileIfExists(path: string): Promise<Buffer | undefined>;
  stat(path: string): Promise<FileStat | undefined>;
  readDir(path: string): Promise<readonly string[]>;
  /** Atomic (temporary file, fsync, rename); parent folders are made; journaled. Does nothing when content and mode are equal already. */
  writeFile(path: string, content: string | Uint8Array, options?: WriteFileOptions): Promise<void>;
  makeDir(path: string, options?: { readonly mode?: number }): Promise<void>;
  /** Not an error when it is gone already. */
  remove(path: string, options?: { readonly recursive?: boolean }): Promise<void>;

  /** Dotted key. undefined when the kernel has no such key. */
  readSysctl(key: string): Promise<string | undefined>;
  writeSysctl(key: string, value: string): Promise<void>;

  /** What the machine is: processors, memory, addresses. Read anew with each call. */
  facts(): Promise<MachineFacts>;

  /** Notes a change that is not made through this interface (a link, a table), before it is made. The same change is noted once. */
  record(change: Change): Promise<void>;
}

export interface MachineFacts {
  readonly hostName: string;
  readonly uid: number;
  /** x64, arm64. */
  readonly architecture: string;
  readonly operatingSystem: string;
  readonly kernel: string;
  readonly processors: number;
  readonly memoryBytes: number;
  readonly swapBytes: number;
  readonly machineId: string;
  readonly addresses: readonly { readonly device: string; readonly address: string; readonly family: 4 | 6 }[];
}
