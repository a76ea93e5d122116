// This machine. Every change goes into the journal first; files are replaced atomically, so that a crash leaves the old
// file or the new one.

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { hostname } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { CodedError, codeOf } from '../base/index.ts';
import { readMachineFacts } from './facts.ts';
import type { Change, FileStat, Host } from './host.ts';
import type { Journal } from './journal.ts';
import { runCommand, searchPath } from './run-command.ts';

export interface LocalHostOptions {
  /** Absent: changes are not noted (undoing, tests). */
  readonly journal?: Journal;
  readonly name?: string;
  /** Folders that are k8ts's from top to bottom: what it makes there is noted once, as a whole. */
  readonly ownTrees?: readonly string[];
}

/** The folders that nobody but k8ts puts files in. */
export const ownTrees: readonly string[] = [
  '/etc/k8ts',
  '/etc/kubernetes',
  '/opt/k8ts',
  '/var/lib/k8ts',
  '/run/k8ts',
  '/var/log/k8ts',
];

export function createLocalHost(options: LocalHostOptions = {}): Host {
  const { journal, name = hostname(), ownTrees: own = ownTrees } = options;
  const note = async (change: Change): Promise<void> => journal?.note(change);
  const isOwn = (path: string): boolean => own.some((tree) => path === tree || path.startsWith(`${tree}/`));

  /** Top first, so that undoing in reverse order empties the deepest folder first. */
  const makeParents = async (path: string, mode: number): Promise<void> => {
    if ((await statOf(path)) !== undefined) return;
    await makeParents(dirname(path), 0o755);
    await note({ kind: 'directory', path, ...(isOwn(path) ? {} : { shared: true }) });
    try {
      await fs.mkdir(path, { mode });
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  };

  const noteFile = async (path: string): Promise<void> => {
    if (journal === undefined || (await journal.covers(path))) return;
    await journal.note({ kind: 'file', path, before: await before(path) });
  };

  return {
    name,
    run: runCommand,
    which: (program) => findProgram(program),
    readFile: (path) => fs.readFile(path),
    readFileIfExists,
    stat: statOf,
    readDir: async (path) => (await fs.readdir(path)).sort(),

    async writeFile(path, content, { mode = 0o644 } = {}) {
      const target = await realPath(path);
      const bytes = typeof content === 'string' ? Buffer.from(content) : Buffer.from(content);
      const have = await readFileIfExists(target);
      if (have?.equals(bytes) === true && (await statOf(target))?.mode === mode) return;
      await makeParents(dirname(target), isOwn(target) && mode === 0o600 ? 0o700 : 0o755);
      await noteFile(target);
      await replaceFile(target, bytes, mode);
    },

    async makeDir(path, { mode = 0o755 } = {}) {
      await makeParents(path, mode);
    },

    async remove(path, { recursive = false } = {}) {
      const stat = await statOf(path);
      if (stat === undefined) return;
      if (stat.kind !== 'directory') {
        await noteFile(path);
        await fs.rm(path, { force: true });
      } else if (recursive) {
        for (const file of await filesBelow(path)) await noteFile(file);
        await fs.rm(path, { recursive: true, force: true });
      } else {
        await fs.rmdir(path);
      }
    },

    readSysctl: async (key) => (await readFileIfExists(sysctlPath(key)))?.toString('utf8').trim(),

    async writeSysctl(key, value) {
      const path = sysctlPath(key);
      const have = (await readFileIfExists(path))?.toString('utf8').trim();
      if (have === undefined) {
        throw new CodedError('SYSCTL_ABSENT', `the kernel has no setting ${key}`, {
          hint: 'load the module that brings it (br_netfilter for net.bridge.*)',
        });
      }
      if (have === value) return;
      await note({ kind: 'sysctl', key, before: have });
      try {
        await fs.writeFile(path, value);
      } catch (error) {
        throw new CodedError('SYSCTL_REFUSED', `${key} cannot be set to ${value} (it is ${have})`, {
          hint: `run as root, and outside of containers that have /proc/sys read-only: sysctl -w ${key}=${value}`,
          cause: error,
        });
      }
    },

    facts: readMachineFacts,
    record: note,
  };
}

/** /proc/sys path of a dotted key; a slash inside a key stands for a dot in a device name, as sysctl(8) has it. */
function sysctlPath(key: string): string {
  return `/proc/sys/${key.replaceAll(/[./]/g, (mark) => (mark === '.' ? '/' : '.'))}`;
}

async function findProgram(program: string): Promise<string | undefined> {
  const candidates = isAbsolute(program)
    ? [program]
    : searchPath()
        .split(delimiter)
        .map((folder) => join(folder, program));
  for (const path of candidates) {
    try {
      await fs.access(path, constants.X_OK);
      if ((await fs.stat(path)).isFile()) return path;
    } catch {
      // not there: look in the next folder
    }
  }
  return undefined;
}

async function readFileIfExists(path: string): Promise<Buffer | undefined> {
  try {
    return await fs.readFile(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

async function statOf(path: string): Promise<FileStat | undefined> {
  try {
    const stat = await fs.lstat(path);
    const kind = stat.isFile()
      ? 'file'
      : stat.isDirectory()
        ? 'directory'
        : stat.isSymbolicLink()
          ? 'link'
          : ('other' as const);
    return { kind, mode: stat.mode & 0o7777, size: stat.size };
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** Where a write to `path` ends up: the target of a symbolic link, as with open(2). */
async function realPath(path: string): Promise<string> {
  return (await statOf(path))?.kind === 'link' ? fs.realpath(path).catch(() => path) : path;
}

async function before(path: string): Promise<(Change & { kind: 'file' })['before']> {
  const content = await readFileIfExists(path);
  const stat = await statOf(path);
  if (content === undefined || stat === undefined) return null;
  const text = content.toString('utf8');
  return Buffer.from(text).equals(content)
    ? { content: text, mode: stat.mode }
    : { content: content.toString('base64'), mode: stat.mode, encoding: 'base64' };
}

async function replaceFile(path: string, bytes: Buffer, mode: number): Promise<void> {
  const temporary = join(dirname(path), `.k8ts-${randomBytes(6).toString('hex')}`);
  const owner = await fs.stat(path).catch(() => undefined);
  const file = await fs.open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.chmod(mode);
    if (owner !== undefined && process.getuid?.() === 0) await file.chown(owner.uid, owner.gid);
    await file.datasync();
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await fs.rename(temporary, path);
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await fs.readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
