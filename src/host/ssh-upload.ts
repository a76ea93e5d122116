// Copies a file to another machine once: not at all when it is there already, and from where it broke off when it was
// interrupted. It gets its name when its checksum is right, so a file with that name is always whole.
//
//   NAME.part   what has arrived so far

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Transform } from 'node:stream';
import { CodedError } from '../base/index.ts';
import type { RemoteFiles, RunScript } from './ssh-files.ts';

export interface Upload {
  /** Absolute, on this machine. */
  readonly from: string;
  /** Absolute, on the other one. Its folder is made, 0700. */
  readonly to: string;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly signal?: AbortSignal;
  /** Bytes that are there so far, and in all. */
  readonly onProgress?: (have: number, all: number) => void;
}

export interface UploadReport {
  /** Bytes that went over the wire; 0: it was there already. */
  readonly sent: number;
  /** Bytes that were there from an earlier attempt. */
  readonly resumed: number;
}

/** ms without an end; a slow line moves 45 MB in it. */
const patience = 30 * 60_000;

/** @throws CodedError UPLOAD_CORRUPT and those of ssh-run.ts */
export async function uploadFile(run: RunScript, files: RemoteFiles, upload: Upload): Promise<UploadReport> {
  const { to, from, sha256 } = upload;
  const part = `${to}.part`;
  if ((await hashOf(run, to)) === sha256) return { sent: 0, resumed: 0 };
  const { size } = await stat(from);
  await run('umask 077; mkdir -p -- "$1"', [dirname(to)]);
  const have = (await files.stat(part))?.size ?? 0;
  const resumed = have <= size ? have : 0;
  if (resumed !== have) await files.removeFile(part);
  let sent = await send(run, { ...upload, part, size, start: resumed });
  let arrived = await hashOf(run, part);
  if (arrived !== sha256 && resumed > 0) {
    await files.removeFile(part); // the beginning was of another file
    sent += await send(run, { ...upload, part, size, start: 0 });
    arrived = await hashOf(run, part);
  }
  if (arrived !== sha256) {
    await files.removeFile(part);
    throw new CodedError('UPLOAD_CORRUPT', `${to} did not arrive as it was sent`, {
      hint: `see that the disk there has ${Math.ceil(size / 1e6)} MB free, and run the command again`,
    });
  }
  await run('mv -f -- "$1" "$2"', [part, to]);
  return { sent, resumed };
}

interface Sending extends Upload {
  readonly part: string;
  readonly size: number;
  readonly start: number;
}

/** Appends the file from `start` on to the part. @returns bytes sent */
async function send(run: RunScript, { from, part, size, start, signal, onProgress }: Sending): Promise<number> {
  if (start === size) return 0;
  let have = start;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      have += chunk.length;
      onProgress?.(have, size);
      done(null, chunk);
    },
  });
  const source = createReadStream(from, { start, highWaterMark: 256 * 1024 });
  source.on('error', (error) => counted.destroy(error));
  const { code, stderr } = await run('cat >>"$1"', [part], {
    stdin: source.pipe(counted),
    timeout: patience,
    ...(signal === undefined ? {} : { signal }),
  });
  source.destroy();
  if (code !== 0) {
    throw new CodedError('UPLOAD_FAILED', `${part} cannot be written: ${stderr.toString().trim()}`, {
      hint: `see that the disk there has ${Math.ceil(size / 1e6)} MB free, and run the command again: it continues`,
    });
  }
  return have - start;
}

async function hashOf(run: RunScript, path: string): Promise<string | undefined> {
  const { code, stdout } = await run('[ ! -e "$1" ] || sha256sum -- "$1"', [path], { timeout: patience });
  return code === 0 ? /\b[0-9a-f]{64}\b/.exec(stdout.toString())?.[0] : undefined;
}
