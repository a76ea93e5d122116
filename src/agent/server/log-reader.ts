// Reading what the runtime writes for a container: one line per write, `TIME STREAM FLAGS CONTENT`, TIME in RFC 3339 with
// nanoseconds, STREAM stdout or stderr, FLAGS `F` for a whole line or `P` for a part of one. Source: CRI log format,
// design-proposals-archive/node/kubelet-cri-logging.md.

import { open } from 'node:fs/promises';

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

/** The end of a container's log as plain text; empty when there is none. */
export async function tailOfLog(
  path: string,
  limit: { readonly lines: number; readonly bytes: number },
): Promise<string> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    // Each line carries about 40 bytes of time and stream.
    const length = Math.min(size, limit.bytes + limit.lines * 64);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    const lines = buffer.toString('utf8').split('\n').slice(0, -1).slice(-limit.lines);
    const text = lines.map((line) => parseLogLine(Buffer.from(line))?.content.toString('utf8') ?? '').join('\n');
    return text.slice(-limit.bytes);
  } finally {
    await file.close();
  }
}
