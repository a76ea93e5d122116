// Splits a watch response into its lines without ever holding more than one unfinished line, and bounds that line: a
// server that never sends a newline must not fill this process's memory.
// Works on bytes (a UTF-8 character may be cut by a chunk border; 0x0a never stands inside one), so text is decoded once
// per line.

const newline = 0x0a;

/** Larger than any object that an API server accepts (3 MiB request limit upstream), twice. */
const defaultMaxLineBytes = 8 * 1024 * 1024;

interface LineSplitter {
  /** The lines that `chunk` completed, without their newline; empty ones are left out. */
  push(chunk: Uint8Array): string[];
}

export function createLineSplitter(maxLineBytes: number = defaultMaxLineBytes): LineSplitter {
  let parts: Buffer[] = [];
  let held = 0;
  return {
    push(bytes) {
      const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const lines: string[] = [];
      let from = 0;
      for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
        const line = takeLine(chunk.subarray(from, at));
        if (line !== '') lines.push(line);
        from = at + 1;
      }
      hold(chunk.subarray(from));
      return lines;
    },
  };

  function takeLine(end: Buffer): string {
    if (held === 0) return end.toString('utf8');
    const whole = Buffer.concat([...parts, end]);
    parts = [];
    held = 0;
    return whole.toString('utf8');
  }

  function hold(rest: Buffer): void {
    if (rest.length === 0) return;
    held += rest.length;
    if (held > maxLineBytes) throw new Error(`a watch line is longer than ${maxLineBytes} bytes`);
    parts.push(rest);
  }
}
