// Another machine as a Host, over one SSH connection: the same promises as the local one (argument lists, atomic files, a
// journal of changes when one is given), kept by the contract that both run. Beside them, what only a far machine needs:
// copying a large file, following a command's output, reaching a port there.

import { dirname } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import { CodedError, redact } from '../base/index.ts';
import type { Change, Host, RunOptions } from './host.ts';
import type { Journal } from './journal.ts';
import { ownTrees } from './local-host.ts';
import { commandLine } from './run-command.ts';
import { openSshConnection, type SshOptions, type SshTarget } from './ssh-connection.ts';
import { readRemoteFacts } from './ssh-facts.ts';
import { createRemoteFiles, type RunScript } from './ssh-files.ts';
import { type RemoteResult, runRemote, type SudoOptions } from './ssh-run.ts';
import { type Upload, type UploadReport, uploadFile } from './ssh-upload.ts';

export interface SshHost extends Host {
  run(program: string, args: readonly string[], options?: SshRunOptions): ReturnType<Host['run']>;
  /** Copies a file there, from where an earlier attempt broke off. */
  upload(upload: Upload): Promise<UploadReport>;
  /** A connection to host:port as that machine sees it. */
  forward(host: string, port: number): Promise<Duplex>;
  /** Aborts when the connection has ended, with the reason. */
  readonly ended: AbortSignal;
  close(): void;
}

export interface SshRunOptions extends Omit<RunOptions, 'stdin'> {
  readonly stdin?: string | Uint8Array | Readable;
  /** Gets the output as it comes. */
  readonly onOutput?: (text: string) => void;
}

export interface SshHostOptions extends SshOptions {
  /** Default: the target's address. */
  readonly name?: string;
  /** Everything runs as root through sudo. Absent: as the user who logs in. */
  readonly sudo?: SudoOptions | undefined;
  /** Absent: changes are not noted here (what runs there has a journal of its own). */
  readonly journal?: Journal;
}

/** Connects, which verifies the machine's key and logs in. @throws CodedError as openSshConnection */
export async function openSshHost(target: SshTarget, options: SshHostOptions): Promise<SshHost> {
  const { journal, sudo, name = target.address } = options;
  const connection = await openSshConnection(target, options);
  const note = async (change: Change): Promise<void> => journal?.note(change);
  const isOwn = (path: string): boolean => ownTrees.some((tree) => path === tree || path.startsWith(`${tree}/`));
  const runScript: RunScript = (script, args, runOptions = {}) =>
    runRemote(connection, { program: 'sh', args: ['-c', script, 'k8ts', ...args], sudo, ...runOptions });
  const files = createRemoteFiles(runScript);

  const makeParents = async (path: string, mode: number): Promise<void> => {
    const missing = await files.missing(path);
    for (const folder of missing) {
      await note({ kind: 'directory', path: folder, ...(isOwn(folder) ? {} : { shared: true }) });
    }
    if (missing.length > 0) await files.makeDir(path, mode);
  };
  /** `before`: what is there, when the caller has read it already. */
  const noteFile = async (path: string, before?: Awaited<ReturnType<typeof files.inspect>>): Promise<void> => {
    if (journal === undefined || (await journal.covers(path))) return;
    const have = before ?? (await files.inspect(path));
    await journal.note({
      kind: 'file',
      path,
      before: have?.content === undefined ? null : textOf(have.content, have.mode),
    });
  };
  const sysctlPath = (key: string): string =>
    `/proc/sys/${key.replaceAll(/[./]/g, (mark) => (mark === '.' ? '/' : '.'))}`;
  const readSysctl = async (key: string): Promise<string | undefined> =>
    (await files.read(sysctlPath(key)))?.toString('utf8').trim();

  return {
    name,
    ended: connection.ended,
    close: () => connection.close(),
    forward: (host, port) => connection.forward(host, port),
    upload: (upload) => uploadFile(runScript, files, upload),
    facts: () => readRemoteFacts(runScript),
    record: note,
    readSysctl,

    async run(program, args, { accept = [], readsOnly: _readsOnly, ...runOptions } = {}) {
      const result = await runRemote(connection, { ...runOptions, program, args, sudo });
      const answer = { code: result.code, stdout: result.stdout.toString(), stderr: result.stderr.toString() };
      if (answer.code === 0 || (result.signal === undefined && accept.includes(answer.code))) return answer;
      throw commandFailed(program, args, result);
    },
    async which(program) {
      const { code, stdout } = await runScript(findProgram, [program]);
      return code === 0 ? stdout.toString() : undefined;
    },

    async readFile(path) {
      const content = await files.read(path);
      if (content === undefined) throw Object.assign(new Error(`ENOENT: ${name} has no ${path}`), { code: 'ENOENT' });
      return content;
    },
    readFileIfExists: (path) => files.read(path),
    stat: (path) => files.stat(path),
    readDir: (path) => files.list(path),
    async writeFile(path, content, { mode = 0o644 } = {}) {
      const bytes = Buffer.from(content);
      let target = path;
      let have = await files.inspect(target);
      if (have?.kind === 'link') {
        target = await files.resolve(path); // as open(2): what the link leads to
        have = await files.inspect(target);
      }
      if (have?.content?.equals(bytes) === true && have.mode === mode) return;
      if (have === undefined) {
        await makeParents(dirname(target), isOwn(target) && mode === 0o600 ? 0o700 : 0o755);
      }
      await noteFile(target, have);
      await files.replace(target, bytes, mode);
    },
    makeDir: (path, { mode = 0o755 } = {}) => makeParents(path, mode),
    async remove(path, { recursive = false } = {}) {
      const stat = await files.stat(path);
      if (stat === undefined) return;
      if (stat.kind !== 'directory') {
        await noteFile(path);
        return files.removeFile(path);
      }
      if (recursive && journal !== undefined) {
        for (const file of await files.filesBelow(path)) await noteFile(file);
      }
      return files.removeDir(path, recursive);
    },
    async writeSysctl(key, value) {
      const have = await readSysctl(key);
      if (have === undefined) {
        throw new CodedError('SYSCTL_ABSENT', `the kernel of ${name} has no setting ${key}`, {
          hint: 'load the module that brings it (br_netfilter for net.bridge.*)',
        });
      }
      if (have === value) return;
      await note({ kind: 'sysctl', key, before: have });
      await files.overwrite(sysctlPath(key), value);
    },
  };
}

/** A folder of PATH that has it: `command -v` would also name what is built into the shell. */
const findProgram = [
  'case $1 in /*) [ -f "$1" ] && [ -x "$1" ] && printf %s "$1"; exit ;; esac',
  'IFS=:; for d in $PATH; do if [ -f "$d/$1" ] && [ -x "$d/$1" ]; then printf %s "$d/$1"; exit 0; fi; done; exit 1',
].join('\n');

function textOf(content: Buffer, mode: number) {
  const text = content.toString('utf8');
  return Buffer.from(text).equals(content)
    ? { content: text, mode }
    : { content: content.toString('base64'), mode, encoding: 'base64' as const };
}

function commandFailed(program: string, args: readonly string[], result: RemoteResult): CodedError {
  const how = result.signal === undefined ? `exit code ${result.code}` : `ended by ${result.signal}`;
  const said = redact((result.stderr.toString().trim() || result.stdout.toString().trim()).slice(-2000));
  return new CodedError('COMMAND_FAILED', `${commandLine(program, args)}: ${how}${said === '' ? '' : `\n${said}`}`, {
    hint: 'run the command by hand',
  });
}
