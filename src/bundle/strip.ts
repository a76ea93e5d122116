// Takes the symbols and debugging tables off an ELF program: everything behind the last byte that the kernel loads, and the
// section table that describes it (18 MB of Node's 127). strip(1) does the same, but only for its own machine's
// architecture, and belongs to a package that a machine which makes a bundle need not have. Source: elf(5).

import { CodedError } from '../base/index.ts';

const segmentTable = { offset: 32, entrySize: 54, count: 56 } as const;
const sectionTable = { offset: 40, count: 60, names: 62 } as const;
const fileRange = { offset: 8, size: 32 } as const;

/** @returns a new buffer; `program` stays as it is */
export function stripProgram(program: Buffer): Buffer {
  // Magic number, 64 bit, little-endian.
  if (program.length < 64 || program.readUInt32BE(0) !== 0x7f454c46 || program[4] !== 2 || program[5] !== 1) {
    throw new CodedError('NOT_A_PROGRAM', 'the file is not a 64-bit little-endian ELF program');
  }
  const first = Number(program.readBigUInt64LE(segmentTable.offset));
  const entrySize = program.readUInt16LE(segmentTable.entrySize);
  const count = program.readUInt16LE(segmentTable.count);
  let end = first + entrySize * count;
  for (let at = first; at < first + entrySize * count; at += entrySize) {
    const offset = Number(program.readBigUInt64LE(at + fileRange.offset));
    end = Math.max(end, offset + Number(program.readBigUInt64LE(at + fileRange.size)));
  }
  const stripped = Buffer.from(program.subarray(0, end));
  stripped.writeBigUInt64LE(0n, sectionTable.offset);
  stripped.writeUInt16LE(0, sectionTable.count);
  stripped.writeUInt16LE(0, sectionTable.names);
  return stripped;
}
