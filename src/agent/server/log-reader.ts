// Reading what the runtime writes for a container: one line per write, `TIME STREAM FLAGS CONTENT`, TIME in RFC 3339 with
// nanoseconds, STREAM stdout or stderr, FLAGS `F` for a whole line or `P` for a part of one. Source: CRI log format,
// design-proposals-archive/node/kubelet-cri-logging.md.
//
// A follower sleeps until the kernel reports a change of the log's folder (inotify), and wakes once a second to see whether
// its container has ended, of which a log shows nothing. When the file has been rotated away its rest is read and the new
// file is taken up.

import { watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

export interface LogLine {
  readonly time: string;
  readonly stream: string;
  readonly isPartial: boolean;
  /** Without the line feed. */
  readonly content: Buffer;
}

/** undefined for a line that is not in the format. */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const first = line.indexOf(0x20);
  const second = line.indexOf(0x20, first + 1);
  const third = line.indexOf(0x20, second + 1);
  if (first < 0 || second < 0 || third < 0) return undefined;
  return {
    time: line.toString('latin1', 0, first),
    stream: line.toString('latin1', first + 1, second),
    isPartial: line[second + 1] === 0x50,
    content: line.subarray(third + 1),
  };
}

export interface LogQuery {
  readonly follow: boolean;
  /** Lines from the end to begin with; all when undefined. */
  readonly tailLines: number | undefined;
  /** ms since the epoch. */
  readonly since: number | undefined;
  readonly timestamps: boolean;
  readonly limitBytes: number | undefined;
  readonly stream: 'stdout' | 'stderr' | undefined;
}

const blockSize = 64 * 1024;

/** The log as kubectl shows it, in pieces. With `follow` it ends when `isOver` says so and everything was read. */
export async function* readLog(
  path: string,
  query: LogQuery,
  options: { readonly signal: AbortSignal; readonly isOver: () => boolean },
): AsyncGenerator<Buffer, void> {
  let left = query.limitBytes ?? Number.POSITIVE_INFINITY;
  for await (const lines of readLines(path, query, options)) {
    const out = Buffer.concat(lines.flatMap((line) => render(line, query)));
    const piece = out.length > left ? out.subarray(0, left) : out;
    left -= piece.length;
    if (piece.length > 0) yield piece;
    if (left <= 0) return;
  }
}

function render(raw: Buffer, { since, stream, timestamps }: LogQuery): Buffer[] {
  const line = parseLogLine(raw);
  if (line === undefined || (stream !== undefined && line.stream !== stream)) return [];
  if (since !== undefined && Date.parse(line.time) < since) return [];
  const end = line.isPartial ? [] : [Buffer.from('\n')];
  return timestamps ? [Buffer.from(`${line.time} `), line.content, ...end] : [line.content, ...end];
}

async function* readLines(
  path: string,
  query: LogQuery,
  { signal, isOver }: { readonly signal: AbortSignal; readonly isOver: () => boolean },
): AsyncGenerator<Buffer[], void> {
  const changes = query.follow ? followFolder(path, signal) : undefined;
  let file = await open(path);
  try {
    let at = query.tailLines === undefined ? 0 : await startOfTail(file, query.tailLines);
    let rest: Buffer = Buffer.alloc(0);
    const block = Buffer.alloc(blockSize);
    while (!signal.aborted) {
      // Asked before reading: what was written before the end is then read after it.
      const over = isOver();
      const { bytesRead } = await file.read(block, 0, blockSize, at);
      if (bytesRead > 0) {
        at += bytesRead;
        const data = Buffer.concat([rest, block.subarray(0, bytesRead)]);
        const end = data.lastIndexOf(0x0a) + 1;
        rest = Buffer.from(data.subarray(end));
        if (end > 0) yield splitLines(data.subarray(0, end));
        continue;
      }
      if (changes === undefined) return;
      const next = await rotatedTo(path, file);
      if (next !== undefined) {
        await file.close();
        file = next;
        at = 0;
      } else if (over) return;
      else await changes.next();
    }
  } finally {
    await file.close();
    changes?.close();
  }
}

function splitLines(data: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0, end = data.indexOf(0x0a); end >= 0; from = end + 1, end = data.indexOf(0x0a, from)) {
    lines.push(Buffer.from(data.subarray(from, end)));
  }
  return lines;
}

/** The offset at which the last `lines` lines begin, found from the end. */
async function startOfTail(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  if (lines === 0) return size;
  let found = 0;
  const block = Buffer.alloc(blockSize);
  for (let end = size; end > 0; ) {
    const from = Math.max(0, end - blockSize);
    const { bytesRead } = await file.read(block, 0, end - from, from);
    // The line feed at the very end closes the last line, it begins none.
    for (let at = end === size ? bytesRead - 2 : bytesRead - 1; at >= 0; at -= 1) {
      if (block[at] === 0x0a) found += 1;
      if (found === lines) return from + at + 1;
    }
    end = from;
  }
  return 0;
}

/** The file that is at `path` now, when it is another one than the open one. */
async function rotatedTo(path: string, file: FileHandle): Promise<FileHandle | undefined> {
  const [there, held] = await Promise.all([stat(path).catch(() => undefined), file.stat()]);
  return there === undefined || there.ino === held.ino ? undefined : await open(path);
}

interface Changes {
  /** Resolves at the next change of the log or its folder, or at the end. */
  next(): Promise<void>;
  close(): void;
}

/** How long a follower sleeps at most: its container may have ended without another line. ms. */
const longestSleep = 1000;

function followFolder(path: string, signal: AbortSignal): Changes {
  const watcher = watch(dirname(path));
  const name = basename(path);
  let changed = false;
  let wake = (): void => undefined;
  const note = (): void => {
    changed = true;
    wake();
  };
  watcher.on('change', (_event, file) => {
    if (file === null || String(file) === name) note();
  });
  watcher.on('error', note);
  signal.addEventListener('abort', note, { once: true });
  return {
    async next() {
      if (!changed) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, longestSleep);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      changed = false;
    },
    close() {
      watcher.close();
      signal.removeEventListener('abort', note);
    },
  };
}

/** The end of a container's log as plain text; empty when there is none. */
export async function tailOfLog(
  path: string,
  limit: { readonly lines: number; readonly bytes: number },
): Promise<string> {
  const query = {
    follow: false,
    tailLines: limit.lines,
    since: undefined,
    timestamps: false,
    limitBytes: undefined,
    stream: undefined,
  };
  const pieces: Buffer[] = [];
  try {
    for await (const piece of readLog(path, query, { signal: new AbortController().signal, isOver: () => true }))
      pieces.push(piece);
  } catch {
    return '';
  }
  return Buffer.concat(pieces).subarray(-limit.bytes).toString('utf8');
}
