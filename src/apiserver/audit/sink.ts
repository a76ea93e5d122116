// JSON lines in a file. Requests only put lines into a bounded queue; one writer takes what has gathered and appends it. When
// the disk cannot keep up and the queue is full, new events are dropped and counted, because a full disk must not stop the
// cluster. The file is renamed with its time when it is full, and the oldest are removed.

import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { type Logger, messageOf } from '../../base/index.ts';

export interface AuditSink {
  write(line: string): void;
  /** Events that were lost: the queue was full or the disk refused them. */
  readonly dropped: number;
  /** Resolves when everything written so far is in the file. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface AuditFileOptions {
  readonly path: string;
  /** The file is renamed past that many bytes; default 100 MiB. */
  readonly maxBytes?: number;
  /** How many renamed files are kept; 0: all; default 10. */
  readonly maxFiles?: number;
  /** Days that renamed files are kept; 0 (default): for ever. */
  readonly maxAgeDays?: number;
  /** Bytes that may wait for the disk; default 16 MiB. */
  readonly queueBytes?: number;
  readonly logger: Logger;
}

export function createAuditFile(options: AuditFileOptions): AuditSink {
  const { path, maxBytes = 100 << 20, maxFiles = 10, maxAgeDays = 0, queueBytes = 16 << 20, logger } = options;
  let queue: string[] = [];
  let queued = 0;
  let dropped = 0;
  let told = 0;
  let file: { readonly handle: FileHandle; size: number } | undefined;
  let working: Promise<void> | undefined;

  const opened = async () => {
    if (file !== undefined) return file;
    const handle = await open(path, 'a', 0o600);
    file = { handle, size: (await handle.stat()).size };
    return file;
  };

  const rotate = async (): Promise<void> => {
    await file?.handle.close();
    file = undefined;
    const extension = extname(path);
    const stem = path.slice(0, path.length - extension.length);
    await rename(path, `${stem}-${fileTime(Date.now())}${extension}`);
    await removeOldest({ stem, extension, maxFiles, maxAgeDays });
  };

  const append = async (lines: readonly string[]): Promise<void> => {
    const text = Buffer.from(lines.join(''));
    const current = await opened();
    if (current.size > 0 && current.size + text.length > maxBytes) await rotate();
    const target = await opened();
    await target.handle.appendFile(text);
    target.size += text.length;
  };

  const work = async (): Promise<void> => {
    while (queue.length > 0) {
      const lines = queue;
      queue = [];
      queued = 0;
      try {
        await append(lines);
      } catch (error) {
        dropped += lines.length;
        logger.error('audit events were lost', { path, events: lines.length, error: messageOf(error) });
      }
      if (dropped > told) logger.warn('audit events were dropped', { path, dropped: dropped - told });
      told = dropped;
    }
    working = undefined;
  };

  return {
    write(line) {
      if (queued + line.length > queueBytes) {
        dropped += 1;
        return;
      }
      queue.push(line);
      queued += line.length;
      // After the requests of this turn have brought theirs too.
      working ??= new Promise((resolve) => setImmediate(resolve)).then(work);
    },
    get dropped() {
      return dropped;
    },
    async flush() {
      while (working !== undefined) await working;
    },
    async close() {
      while (working !== undefined) await working;
      await file?.handle.close();
      file = undefined;
    },
  };
}

async function removeOldest(rotated: {
  readonly stem: string;
  readonly extension: string;
  readonly maxFiles: number;
  readonly maxAgeDays: number;
}): Promise<void> {
  const { stem, extension, maxFiles, maxAgeDays } = rotated;
  const [folder, prefix] = [dirname(stem), `${basename(stem)}-`];
  const files = (await readdir(folder)).filter((name) => name.startsWith(prefix) && name.endsWith(extension)).sort();
  const tooMany = maxFiles === 0 ? 0 : Math.max(0, files.length - maxFiles);
  // Names carry the time, so that they can be compared with the name of the oldest that may stay.
  const oldest = prefix + fileTime(maxAgeDays === 0 ? 0 : Date.now() - maxAgeDays * 86_400_000);
  for (const [index, name] of files.entries()) if (index < tooMany || name < oldest) await rm(join(folder, name));
}

function fileTime(time: number): string {
  return new Date(time).toISOString().replaceAll(':', '-');
}
