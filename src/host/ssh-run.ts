// Runs one program on another machine, by argument list. What is sent is always the same small script for /bin/sh with the
// list as its arguments, so nothing that a caller passes is ever read by a shell. The script first announces itself, on both
// streams:
//
//   stderr   … login noise, sudo's prompt …  MARK 4711        its process id, with which it can be ended later
//   stdout   … login noise …                 MARK             what follows is the program's own output
//
// The announcement tells what a login script printed from what the program printed, and says when sudo has let us in: the
// password is sent only in answer to sudo's prompt, and input only after the announcement, so neither can end up in the
// other's place. Never in arguments, where every user of that machine sees it.

import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as setTimer } from 'node:timers/promises';
import type { ClientChannel } from 'ssh2';
import { CodedError } from '../base/index.ts';
import type { RunOptions } from './host.ts';
import { commandLine } from './run-command.ts';
import type { SshConnection } from './ssh-connection.ts';
import { nameOfPlace } from './ssh-errors.ts';
import { quoteCommand } from './ssh-quote.ts';

interface RemoteCommand extends Pick<RunOptions, 'env' | 'cwd' | 'timeout' | 'signal'> {
  readonly program: string;
  readonly args: readonly string[];
  readonly stdin?: string | Uint8Array | Readable | undefined;
  /** Become root with sudo. */
  readonly sudo?: SudoOptions | undefined;
  /** Use a session that is kept back for ending other commands. */
  readonly spare?: boolean;
  /** Gets the program's output as it comes, besides the result. */
  readonly onOutput?: ((text: string) => void) | undefined;
}

export interface SudoOptions {
  /** Absent: sudo must not ask for one. */
  readonly password?: string | undefined;
}

export interface RemoteResult {
  readonly code: number;
  /** The signal that ended it, as SSH names it: TERM. */
  readonly signal: string | undefined;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

const outputBound = 16 * 1024 * 1024;
/** Of what is printed before the announcement. */
const noiseBound = 64 * 1024;
/** ms that a program gets to end after TERM, and again after KILL. */
const endPatience = 5000;

/** What stands in the place of the process id when the program is not there. */
const absent = 'absent';

/** $1 mark, $2 working directory or '', $3 program to look for, then what is run. On one line: csh takes no other. */
const script = [
  'PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"; LC_ALL=C; export PATH LC_ALL',
  'm=$1 d=$2 p=$3; shift 3',
  `command -v "$p" >/dev/null 2>&1 || { echo "$m ${absent}" >&2; exit 127; }`,
  '[ -z "$d" ] || cd "$d" || exit 126',
  'echo "$m"; echo "$m $$" >&2; exec "$@"',
].join('; ');

/**
 * @throws CodedError COMMAND_NOT_FOUND, COMMAND_TIMEOUT, COMMAND_OUTPUT_TOO_LONG, SSH_CONNECTION_LOST, SSH_SUDO_PASSWORD,
 * SSH_SUDO_REFUSED, SSH_SHELL_REFUSED; the signal's reason when it aborts. An exit code is an answer.
 */
export function runRemote(connection: SshConnection, command: RemoteCommand): Promise<RemoteResult> {
  const mark = `k8ts-${randomBytes(6).toString('hex')}`;
  const { spare = false, signal } = command;
  const attended = (channel: ClientChannel) => attend(channel, { connection, command, mark });
  return connection.session(quoteCommand(wordsOf(command, mark)), attended, { spare, signal });
}

function wordsOf({ program, args, env, cwd, sudo }: RemoteCommand, mark: string): string[] {
  const environment = Object.entries(env ?? {}).map(([name, value]) => `${name}=${value}`);
  const asRoot =
    sudo === undefined ? [] : ['sudo', ...(sudo.password === undefined ? ['-n'] : ['-S', '-p', mark]), '--'];
  const run = environment.length === 0 ? [program, ...args] : ['env', ...environment, program, ...args];
  return [...asRoot, '/bin/sh', '-c', script, 'k8ts', mark, cwd ?? '', program, ...run];
}

interface Attended {
  readonly connection: SshConnection;
  readonly command: RemoteCommand;
  readonly mark: string;
}

async function attend(channel: ClientChannel, { connection, command, mark }: Attended): Promise<RemoteResult> {
  const { promise, resolve, reject } = Promise.withResolvers<RemoteResult>();
  const { timeout = 60_000, signal, sudo } = command;
  const streams = { stdout: createCut(`${mark}\n`), stderr: createCut(`${mark} `) };
  let stopped: unknown;
  let asked = 0;
  let pid: string | undefined;
  /** Resolves when `pid` is known, or never will be. */
  const announced = Promise.withResolvers<void>();

  const stop = (reason: unknown): void => {
    if (stopped !== undefined) return;
    stopped = reason;
    const known = Promise.race([announced.promise, setTimer(endPatience, undefined, { ref: false })]);
    void known
      .then(() => endRemote(connection, command, pid))
      .finally(() => {
        channel.close();
        reject(reason);
      });
  };
  const failed = (code: string, what: string, hint: string): CodedError =>
    new CodedError(code, `${commandLine(command.program, command.args)}: ${what}`, { hint });
  const said = (text: string): void => {
    if (text === '') return;
    if (streams.stdout.size() + streams.stderr.size() > outputBound) {
      stop(failed('COMMAND_OUTPUT_TOO_LONG', `printed more than ${outputBound} bytes`, 'run it by hand'));
    } else command.onOutput?.(text);
  };
  const onAbort = (): void => stop(signal?.reason);
  const onEnded = (): void => reject(connection.ended.reason);
  const timer = setTimeout(() => {
    stop(failed('COMMAND_TIMEOUT', `not finished after ${timeout} ms`, 'run it by hand to see what it waits for'));
  }, timeout);
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  connection.ended.addEventListener('abort', onEnded, { once: true });

  channel.on('data', (chunk: Buffer) => said(streams.stdout.take(chunk)));
  channel.stderr.on('data', (chunk: Buffer) => {
    const text = streams.stderr.take(chunk);
    if (pid === undefined) {
      const line = /^(\w+)\n/.exec(streams.stderr.text());
      if (line !== null) {
        streams.stderr.drop(line[0].length);
        pid = line[1] ?? '';
        announced.resolve();
        sendInput(channel, command.stdin);
        said(streams.stderr.text());
      } else if (sudo?.password !== undefined && streams.stderr.before().split(mark).length - 1 > asked) {
        asked += 1;
        if (asked === 1) channel.write(`${sudo.password}\n`);
        else channel.end(); // a second prompt: the password is wrong
      }
    } else said(text);
  });
  channel.on('error', () => undefined); // the connection's end says why
  channel.on('close', (code?: number | null, signalName?: string) => {
    announced.resolve();
    if (stopped !== undefined) return;
    if (typeof code !== 'number' && signalName === undefined) return reject(lostOr(connection));
    if (pid === absent) {
      const { program } = command;
      return reject(
        failed('COMMAND_NOT_FOUND', 'the program is not installed', `install the package that has ${program}`),
      );
    }
    if (pid === undefined)
      return reject(
        notLetIn(
          connection,
          command,
          `${streams.stdout.before()}${streams.stderr.before()}`.replaceAll(mark, ''),
          asked,
        ),
      );
    resolve({
      code: code ?? 128,
      signal: signalName,
      stdout: streams.stdout.bytes(),
      stderr: streams.stderr.bytes(),
    });
  });
  if (command.stdin === undefined && sudo?.password === undefined) channel.end();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    connection.ended.removeEventListener('abort', onEnded);
  }
}

function sendInput(channel: ClientChannel, stdin: RemoteCommand['stdin']): void {
  if (!(stdin instanceof Readable)) {
    channel.end(stdin === undefined || stdin.length === 0 ? undefined : stdin);
    return;
  }
  stdin.on('error', () => channel.end());
  channel.on('close', () => stdin.destroy());
  stdin.pipe(channel);
}

/** What comes before a mark is noise, what comes after it is kept. */
function createCut(mark: string) {
  let noise = '';
  let kept: Buffer[] = [];
  let size = 0;
  let isOpen = false;
  const keep = (chunk: Buffer): string => {
    if (chunk.length === 0) return '';
    kept.push(chunk);
    size += chunk.length;
    return chunk.toString('utf8');
  };
  return {
    /** @returns what of it is kept, as text */
    take(chunk: Buffer): string {
      if (isOpen) return keep(chunk);
      noise += chunk.toString('latin1');
      const at = noise.indexOf(mark);
      if (at < 0) {
        noise = noise.slice(-noiseBound);
        return '';
      }
      isOpen = true;
      const rest = Buffer.from(noise.slice(at + mark.length), 'latin1');
      noise = noise.slice(0, at);
      return keep(rest);
    },
    drop(bytes: number): void {
      kept = [Buffer.concat(kept).subarray(bytes)];
    },
    before: (): string => noise,
    size: (): number => size,
    bytes: (): Buffer => Buffer.concat(kept),
    text: (): string => Buffer.concat(kept).toString('utf8'),
  };
}

/** TERM, so that a program ends as it does on Ctrl-C; KILL when it does not. */
async function endRemote(connection: SshConnection, command: RemoteCommand, pid: string | undefined): Promise<void> {
  if (pid === undefined || pid === absent || connection.ended.aborted) return;
  const loop = [
    'kill -TERM "$1" || exit 0',
    `for i in $(seq ${endPatience / 100}); do kill -0 "$1" 2>/dev/null || exit 0; sleep 0.1; done`,
    'kill -KILL "$1"',
  ].join('; ');
  await runRemote(connection, {
    program: 'sh',
    args: ['-c', loop, 'k8ts', pid],
    sudo: command.sudo,
    timeout: 2 * endPatience,
    spare: true,
  }).catch(() => undefined); // it has ended already, or the connection has: there is nothing more to do
}

function lostOr(connection: SshConnection): unknown {
  if (connection.ended.aborted) return connection.ended.reason;
  return new CodedError(
    'SSH_CONNECTION_LOST',
    `${nameOfPlace(connection.place)}: the session ended without an answer`,
    {
      hint: 'run the command again: it continues',
    },
  );
}

function notLetIn(connection: SshConnection, { sudo }: RemoteCommand, noise: string, asked: number): CodedError {
  const where = nameOfPlace(connection.place);
  const said = noise.trim() === '' ? '' : `\n${noise.trim().slice(-1000)}`;
  if (asked > 1) {
    return new CodedError('SSH_SUDO_PASSWORD', `${where}: sudo does not accept the password`, {
      hint: 'check what `sudoPasswordFrom` names',
    });
  }
  if (sudo !== undefined) {
    return new CodedError('SSH_SUDO_REFUSED', `${where}: sudo does not make this user root${said}`, {
      hint: 'log in as root, allow the user in /etc/sudoers (NOPASSWD: ALL), or name a password with `sudoPasswordFrom`',
    });
  }
  return new CodedError('SSH_SHELL_REFUSED', `${where}: the login shell runs no commands${said}`, {
    hint: 'use a user with an ordinary shell, and without ForceCommand in sshd_config',
  });
}
