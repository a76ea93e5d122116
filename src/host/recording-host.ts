// --dry-run: changes nothing, writes down what would be done, and answers reads from its own writes first, so that a phase
// that writes a file and reads it back works as on a real machine. Commands that change something are noted and answered
// with success; those marked `readsOnly` run on the machine below.

import { dirname } from 'node:path';
import type { Host } from './host.ts';
import { commandLine } from './run-command.ts';

export interface RecordingHost extends Host {
  /** What would be done, one line per step, in order. Secrets are not in it. */
  readonly transcript: readonly string[];
}

type Overlaid = { readonly content: Buffer | undefined; readonly mode: number } | 'removed';

export function createRecordingHost(below: Host): RecordingHost {
  const transcript: string[] = [];
  const files = new Map<string, Overlaid>();
  const sysctls = new Map<string, string>();
  const note = (line: string): void => {
    transcript.push(line);
  };

  /** The nearest word about `path`: its own entry, or a folder above it that was removed. */
  const overlaid = (path: string): Overlaid | undefined => {
    const own = files.get(path);
    if (own !== undefined) return own;
    for (let at = dirname(path); at !== '/' && at !== '.'; at = dirname(at)) {
      if (files.get(at) === 'removed') return 'removed';
    }
    return undefined;
  };

  const host: RecordingHost = {
    name: below.name,
    transcript,
    async run(program, args, options = {}) {
      if (options.readsOnly === true) return below.run(program, args, options);
      note(`run ${commandLine(program, args)}`);
      return { code: 0, stdout: '', stderr: '' };
    },
    which: (program) => below.which(program),
    async readFile(path) {
      const content = await host.readFileIfExists(path);
      if (content === undefined)
        throw Object.assign(new Error(`ENOENT: no such file, open '${path}'`), { code: 'ENOENT' });
      return content;
    },
    async readFileIfExists(path) {
      const own = overlaid(path);
      if (own === 'removed') return undefined;
      return own === undefined ? below.readFileIfExists(path) : own.content;
    },
    async stat(path) {
      const own = overlaid(path);
      if (own === 'removed') return undefined;
      if (own === undefined) return below.stat(path);
      return { kind: own.content === undefined ? 'directory' : 'file', mode: own.mode, size: own.content?.length ?? 0 };
    },
    async readDir(path) {
      const names = new Set(overlaid(path) === undefined && (await below.stat(path)) ? await below.readDir(path) : []);
      for (const [at, entry] of files) {
        if (dirname(at) !== path) continue;
        const name = at.slice(path === '/' ? 1 : path.length + 1);
        if (entry === 'removed') names.delete(name);
        else names.add(name);
      }
      return [...names].sort();
    },
    async writeFile(path, content, { mode = 0o644 } = {}) {
      const bytes = Buffer.from(content);
      const have = await host.readFileIfExists(path);
      if (have?.equals(bytes) === true && (await host.stat(path))?.mode === mode) return;
      note(`write ${path} mode ${mode.toString(8)} ${have === undefined ? 'new' : 'changed'}`);
      files.set(path, { content: bytes, mode });
    },
    async makeDir(path, { mode = 0o755 } = {}) {
      if ((await host.stat(path)) !== undefined) return;
      note(`make folder ${path} mode ${mode.toString(8)}`);
      files.set(path, { content: undefined, mode });
    },
    async remove(path, { recursive = false } = {}) {
      if ((await host.stat(path)) === undefined) return;
      note(`remove ${path}${recursive ? ' and all below' : ''}`);
      for (const at of [...files.keys()]) if (at.startsWith(`${path}/`)) files.delete(at);
      files.set(path, 'removed');
    },
    readSysctl: async (key) => sysctls.get(key) ?? (await below.readSysctl(key)),
    async writeSysctl(key, value) {
      const have = await host.readSysctl(key);
      if (have === value) return;
      note(`set ${key} = ${value} (is ${have ?? 'absent'})`);
      sysctls.set(key, value);
    },
    facts: () => below.facts(),
    record: async () => undefined, // the journal is for changes that are made
  };
  return host;
}
