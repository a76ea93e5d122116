// Runs one program on this machine: by argument list, with a deadline, a bound on its output, and an error that can be
// pasted into a shell. PATH gets the sbin folders, because a shell of `su` (without a dash) has none and ip, nft and
// modprobe live there.

import { spawn } from 'node:child_process';
import { CodedError, codeOf, redact } from '../base/index.ts';
import type { CommandResult, RunOptions } from './host.ts';

const outputBound = 16 * 1024 * 1024;
const sbin = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/bin'];

/** PATH with the folders that hold system programs. */
export function searchPath(path: string = process.env['PATH'] ?? ''): string {
  const own = path.split(':').filter((folder) => folder !== '');
  return [...own, ...sbin.filter((folder) => !own.includes(folder))].join(':');
}

/** @throws CodedError COMMAND_NOT_FOUND, COMMAND_TIMEOUT, COMMAND_FAILED; the signal's reason when it aborts. */
export function runCommand(program: string, args: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
  const { stdin, cwd, timeout = 60_000, signal, accept = [] } = options;
  if (signal?.aborted === true) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, PATH: searchPath(), LC_ALL: 'C', ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let size = 0;
    let stopped: unknown;
    const stop = (reason: unknown): void => {
      stopped ??= reason;
      child.kill('SIGKILL');
    };
    const take = (into: Buffer[]) => (chunk: Buffer) => {
      size += chunk.length;
      if (size > outputBound) stop(failed('COMMAND_OUTPUT_TOO_LONG', `printed more than ${outputBound} bytes`));
      else into.push(chunk);
    };
    const failed = (code: string, what: string, hint?: string): CodedError =>
      new CodedError(code, `${commandLine(program, args)}: ${what}`, hint === undefined ? {} : { hint });
    const onAbort = (): void => stop(signal?.reason);
    const timer = setTimeout(() => {
      stop(failed('COMMAND_TIMEOUT', `not finished after ${timeout} ms`, 'run it by hand to see what it waits for'));
    }, timeout);
    signal?.addEventListener('abort', onAbort, { once: true });
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    child.stdout.on('data', take(stdout));
    child.stderr.on('data', take(stderr));
    child.stdin.on('error', () => undefined); // it may exit without reading; the exit code tells
    child.stdin.end(stdin);
    child.on('error', (error) => {
      settle();
      if (codeOf(error) !== 'ENOENT') return reject(error);
      reject(failed('COMMAND_NOT_FOUND', 'the program is not installed', `install the package that has ${program}`));
    });
    child.on('close', (code, killedBy) => {
      settle();
      if (stopped !== undefined) return reject(stopped);
      const result = { code: code ?? 128, stdout: text(stdout), stderr: text(stderr) };
      if (result.code === 0 || accept.includes(result.code)) return resolve(result);
      const how = killedBy === null ? `exit code ${result.code}` : `ended by ${killedBy}`;
      const said = redact((result.stderr.trim() || result.stdout.trim()).slice(-2000));
      reject(failed('COMMAND_FAILED', `${how}${said === '' ? '' : `\n${said}`}`, 'run the command by hand'));
    });
  });
}

/** As one would type it, without secrets. */
export function commandLine(program: string, args: readonly string[]): string {
  return redact([program, ...args].map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : quote(word))).join(' '));
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function text(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8');
}
