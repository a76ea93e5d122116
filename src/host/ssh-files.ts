// Files of another machine, by the tools that every Linux has (cat, stat, mv, …), each call one constant script with its
// paths as arguments. SFTP was refused: it runs as the user who logged in, and nothing in it becomes root by sudo.

import type { Readable } from 'node:stream';
import { CodedError } from '../base/index.ts';
import type { FileStat, RunOptions } from './host.ts';
import type { RemoteResult } from './ssh-run.ts';

/** Runs a /bin/sh script with arguments; an exit code is an answer. */
export type RunScript = (
  script: string,
  args: readonly string[],
  options?: Pick<RunOptions, 'timeout' | 'signal'> & { readonly stdin?: string | Uint8Array | Readable },
) => Promise<RemoteResult>;

export interface RemoteFiles {
  /** undefined: there is none. `content` is undefined for what is not a regular file. */
  inspect(path: string): Promise<(FileStat & { readonly content: Buffer | undefined }) | undefined>;
  /** undefined: there is none. */
  read(path: string): Promise<Buffer | undefined>;
  stat(path: string): Promise<FileStat | undefined>;
  list(path: string): Promise<readonly string[]>;
  /** Atomic; the folder must be there. Keeps the owner of the file that it replaces. */
  replace(path: string, content: Uint8Array, mode: number): Promise<void>;
  /** Into the file that is there: for what the kernel shows as files. */
  overwrite(path: string, content: string): Promise<void>;
  /** The folders above and including `path` that are not there, top first. */
  missing(path: string): Promise<readonly string[]>;
  makeDir(path: string, mode: number): Promise<void>;
  removeFile(path: string): Promise<void>;
  removeDir(path: string, recursive: boolean): Promise<void>;
  filesBelow(path: string): Promise<readonly string[]>;
  /** Where a symbolic link leads; the path itself when it leads nowhere. */
  resolve(path: string): Promise<string>;
}

export const scripts = {
  inspect: 'stat -c "%f %s" -- "$1" && if [ -f "$1" ] && [ ! -L "$1" ]; then cat -- "$1"; fi',
  read: 'cat -- "$1"',
  stat: 'stat -c "%f %s" -- "$1"',
  // ls says why a folder cannot be read; the loop gives names that may hold anything but NUL.
  list: 'ls -d -- "$1/." >/dev/null && cd -- "$1" && for f in * .[!.]* ..?*; do if [ -e "$f" ] || [ -L "$f" ]; then printf "%s\\0" "$f"; fi; done',
  // A connection that breaks looks like the end of the input: only all $3 bytes become the file.
  replace: [
    'set -e; t=$(mktemp -- "$(dirname -- "$1")/.k8ts-XXXXXX"); trap \'rm -f -- "$t"\' EXIT',
    'cat >"$t"; [ "$(wc -c <"$t")" -eq "$3" ] || { echo "the input broke off" >&2; exit 1; }',
    'if [ -e "$1" ]; then chown -- "$(stat -c %u:%g -- "$1")" "$t" 2>/dev/null || :; fi',
    'chmod -- "$2" "$t"; sync -d -- "$t" 2>/dev/null || sync',
    'if [ -d "$1" ]; then echo "$1: Is a directory" >&2; exit 1; fi; mv -f -- "$t" "$1"; trap - EXIT',
  ].join('\n'),
  overwrite: 'cat >"$1"',
  missing: 'p=$1; while [ ! -e "$p" ] && [ ! -L "$p" ]; do printf "%s\\0" "$p"; p=$(dirname -- "$p"); done',
  makeDir: 'umask 022; mkdir -p -- "$1" && chmod -- "$2" "$1"',
  removeFile: 'rm -f -- "$1"',
  removeDir: 'rmdir -- "$1"',
  removeTree: 'rm -rf -- "$1"',
  filesBelow: 'find "$1" -type f -print0',
  resolve: 'readlink -e -- "$1"',
} as const satisfies Record<string, string>;

/** How the tools name errno, in the C locale. */
const errnos: readonly (readonly [string, string])[] = [
  ['No such file or directory', 'ENOENT'],
  ['Not a directory', 'ENOTDIR'],
  ['Permission denied', 'EACCES'],
  ['Operation not permitted', 'EPERM'],
  ['Is a directory', 'EISDIR'],
  ['Directory not empty', 'ENOTEMPTY'],
  ['Read-only file system', 'EROFS'],
  ['No space left on device', 'ENOSPC'],
  ['Device or resource busy', 'EBUSY'],
  ['Invalid argument', 'EINVAL'],
  ['File exists', 'EEXIST'],
];

export function createRemoteFiles(run: RunScript): RemoteFiles {
  const must = async (script: string, args: readonly string[], stdin?: string | Uint8Array): Promise<Buffer> => {
    const result = await run(script, args, stdin === undefined ? {} : { stdin });
    if (result.code !== 0) throw fileError(result);
    return result.stdout;
  };
  const ifExists = async (script: string, args: readonly string[]): Promise<Buffer | undefined> => {
    const result = await run(script, args);
    if (result.code === 0) return result.stdout;
    const error = fileError(result);
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  };
  return {
    async inspect(path) {
      const out = await ifExists(scripts.inspect, [path]);
      if (out === undefined) return undefined;
      const end = out.indexOf('\n');
      const stat = parseStat(out.subarray(0, end).toString());
      return { ...stat, content: stat.kind === 'file' ? out.subarray(end + 1) : undefined };
    },
    read: (path) => ifExists(scripts.read, [path]),
    async stat(path) {
      const out = await ifExists(scripts.stat, [path]);
      return out === undefined ? undefined : parseStat(out.toString());
    },
    list: async (path) => names(await must(scripts.list, [path])).sort(),
    replace: async (path, content, mode) =>
      void (await must(scripts.replace, [path, mode.toString(8), String(content.length)], content)),
    overwrite: async (path, content) => void (await must(scripts.overwrite, [path], content)),
    missing: async (path) => names(await must(scripts.missing, [path])).reverse(),
    makeDir: async (path, mode) => void (await must(scripts.makeDir, [path, mode.toString(8)])),
    removeFile: async (path) => void (await must(scripts.removeFile, [path])),
    removeDir: async (path, recursive) => void (await must(recursive ? scripts.removeTree : scripts.removeDir, [path])),
    filesBelow: async (path) => names(await must(scripts.filesBelow, [path])),
    async resolve(path) {
      const { code, stdout } = await run(scripts.resolve, [path]);
      return code === 0 ? stdout.toString().replace(/\n$/, '') : path;
    },
  };
}

/** An error as Node's own file functions throw it, with the errno's name as its code. */
function fileError({ code, stderr }: RemoteResult): Error & { code?: string } {
  const said = stderr.toString().trim();
  const errno = errnos.find(([text]) => said.includes(text))?.[1];
  if (errno === undefined) {
    return new CodedError('REMOTE_FILE_FAILED', `exit code ${code}\n${said}`, { hint: 'look at that machine' });
  }
  return Object.assign(new Error(`${errno}: ${said}`), { code: errno });
}

const kinds: ReadonlyMap<number, FileStat['kind']> = new Map([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'link'],
]);

/** `stat -c "%f %s"`: the mode with its file type (inode(7)), hexadecimal, and the size. */
function parseStat(text: string): FileStat {
  const [raw = '0', size = '0'] = text.trim().split(' ');
  const mode = Number.parseInt(raw, 16);
  return { kind: kinds.get(mode & 0o170000) ?? 'other', mode: mode & 0o7777, size: Number(size) };
}

function names(out: Buffer): string[] {
  return out
    .toString()
    .split('\0')
    .filter((name) => name !== '');
}
