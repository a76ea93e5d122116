// A machine in memory, for tests: files, sysctls and programs are maps, commands are answered by a function, and every
// change is noted as on a real one. Shares no code with the local host on purpose: one contract suite runs on both.

import { dirname, join } from 'node:path';
import { CodedError } from '../base/index.ts';
import type { Change, CommandResult, FileStat, Host, MachineFacts, RunOptions } from './host.ts';
import { createMemoryJournal, type Journal } from './journal.ts';
import { commandLine } from './run-command.ts';

export interface FakeHostOptions {
  readonly name?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly sysctls?: Readonly<Record<string, string>>;
  /** Names that `which` finds, under /usr/sbin. */
  readonly programs?: readonly string[];
  readonly facts?: Partial<MachineFacts>;
  readonly journal?: Journal;
  /** Answers a command; what it leaves out is exit code 0 with empty output. */
  readonly onRun?: (
    program: string,
    args: readonly string[],
    options: RunOptions,
  ) => Partial<CommandResult> | undefined | Promise<Partial<CommandResult> | undefined>;
}

export interface FakeHost extends Host {
  /** Command lines in the order they were run. */
  readonly commands: readonly string[];
  readonly journal: Journal;
  /** The same machine, without noting changes: for undoChanges. */
  readonly bare: Host;
  /** Path to content of every file. */
  files(): Readonly<Record<string, string>>;
}

interface Entry {
  readonly content: Buffer | undefined;
  readonly mode: number;
}

const defaultFacts: MachineFacts = {
  hostName: 'n1',
  uid: 0,
  architecture: 'x64',
  operatingSystem: 'Debian GNU/Linux 12',
  kernel: '6.1.0',
  processors: 2,
  memoryBytes: 4 * 1024 ** 3,
  swapBytes: 0,
  machineId: '0123456789abcdef0123456789abcdef',
  addresses: [{ device: 'eth0', address: '192.0.2.10', family: 4 }],
};

export function createFakeHost(options: FakeHostOptions = {}): FakeHost {
  const { name = 'n1', programs = [], journal = createMemoryJournal(), onRun } = options;
  const entries = new Map<string, Entry>();
  const sysctls = new Map(Object.entries(options.sysctls ?? {}));
  const commands: string[] = [];

  const place = (path: string, content: string): void => {
    for (let at = dirname(path); at !== '/' && !entries.has(at); at = dirname(at)) {
      entries.set(at, { content: undefined, mode: 0o755 });
    }
    entries.set(path, { content: Buffer.from(content), mode: 0o644 });
  };
  const below = (path: string): string[] => [...entries.keys()].filter((at) => at.startsWith(`${path}/`));

  for (const [path, content] of Object.entries(options.files ?? {})) place(path, content);

  const files = (): Readonly<Record<string, string>> =>
    Object.fromEntries(
      [...entries].flatMap(([path, { content }]) => (content === undefined ? [] : [[path, content.toString('utf8')]])),
    );

  const hostThat = (note: (change: Change) => Promise<void>): Host => {
    const ensureDir = async (path: string, mode = 0o755): Promise<void> => {
      if (path === '/' || entries.has(path)) return;
      await ensureDir(dirname(path));
      await note({ kind: 'directory', path, shared: true });
      entries.set(path, { content: undefined, mode });
    };
    const noteFile = async (path: string): Promise<void> => {
      const have = entries.get(path);
      const before = have?.content === undefined ? null : { content: have.content.toString('utf8'), mode: have.mode };
      if (!(await journal.covers(path))) await note({ kind: 'file', path, before });
    };
    return {
      name,
      async run(program, args, runOptions = {}) {
        runOptions.signal?.throwIfAborted();
        commands.push(commandLine(program, args));
        const result = { code: 0, stdout: '', stderr: '', ...(await onRun?.(program, args, runOptions)) };
        if (result.code === 0 || runOptions.accept?.includes(result.code) === true) return result;
        throw new CodedError(
          'COMMAND_FAILED',
          `${commandLine(program, args)}: exit code ${result.code}\n${result.stderr}`,
        );
      },
      which: async (program) => {
        if (program.startsWith('/')) return entries.has(program) ? program : undefined;
        return programs.includes(program) ? join('/usr/sbin', program) : undefined;
      },
      async readFile(path) {
        const content = entries.get(path)?.content;
        if (content === undefined)
          throw Object.assign(new Error(`ENOENT: no such file, open '${path}'`), { code: 'ENOENT' });
        return content;
      },
      readFileIfExists: async (path) => entries.get(path)?.content,
      stat: async (path): Promise<FileStat | undefined> => {
        const entry = entries.get(path);
        if (entry === undefined) return undefined;
        const kind = entry.content === undefined ? 'directory' : 'file';
        return { kind, mode: entry.mode, size: entry.content?.length ?? 0 };
      },
      readDir: async (path) => {
        if (!entries.has(path)) throw Object.assign(new Error(`ENOENT: no such folder '${path}'`), { code: 'ENOENT' });
        return below(path)
          .filter((at) => dirname(at) === path)
          .map((at) => at.slice(path.length + 1))
          .sort();
      },
      async writeFile(path, content, { mode = 0o644 } = {}) {
        const bytes = Buffer.from(content);
        const have = entries.get(path);
        if (have?.content?.equals(bytes) === true && have.mode === mode) return;
        await ensureDir(dirname(path));
        await noteFile(path);
        entries.set(path, { content: bytes, mode });
      },
      makeDir: (path, { mode } = {}) => ensureDir(path, mode),
      async remove(path, { recursive = false } = {}) {
        const entry = entries.get(path);
        if (entry === undefined) return;
        const inside = below(path);
        if (inside.length > 0 && !recursive) {
          throw Object.assign(new Error(`ENOTEMPTY: '${path}'`), { code: 'ENOTEMPTY' });
        }
        for (const at of [...inside, path]) if (entries.get(at)?.content !== undefined) await noteFile(at);
        for (const at of [...inside, path]) entries.delete(at);
      },
      readSysctl: async (key) => sysctls.get(key),
      async writeSysctl(key, value) {
        const before = sysctls.get(key);
        if (before === undefined) throw new CodedError('SYSCTL_ABSENT', `the kernel has no setting ${key}`);
        if (before === value) return;
        await note({ kind: 'sysctl', key, before });
        sysctls.set(key, value);
      },
      facts: async () => ({ ...defaultFacts, ...options.facts }),
      record: note,
    };
  };

  return {
    ...hostThat((change) => journal.note(change)),
    commands,
    journal,
    files,
    bare: hostThat(async () => undefined),
  };
}
