// The sandbox ("pause") image, made from nothing: a static program of a few machine instructions that keeps a pod's
// namespaces alive. With it a host needs no registry to run its first pod. The program tells the kernel that it ignores
// SIGCHLD, so that orphans of a shared process namespace are reaped without any code, and then sleeps for ever.
//
//   64-byte ELF header | 56-byte program header | code | struct sigaction { handler = SIG_IGN, flags = SA_NOCLDWAIT, 0, 0 }
//
// Sources: elf(5); the kernel's syscall tables (x86_64: rt_sigaction 13, pause 34; arm64: rt_sigaction 134, ppoll 73).

import { type Architecture, buildImage } from './oci.ts';

export const pauseImageName = 'k8ts.dev/pause:1';

const base = 0x400000;
const headers = 64 + 56;
const machines: Readonly<Record<Architecture, number>> = { amd64: 62, arm64: 183 };

const code: Readonly<Record<Architecture, Buffer>> = {
  amd64: Buffer.from(
    [
      'b80d000000', //       mov  eax, 13          rt_sigaction
      'bf11000000', //       mov  edi, 17          SIGCHLD
      '488d3513000000', //   lea  rsi, [rip + 19]  the struct behind the code
      '31d2', //             xor  edx, edx
      '41ba08000000', //     mov  r10d, 8          size of the signal set
      '0f05', //             syscall
      'b822000000', //       mov  eax, 34          pause
      '0f05', //             syscall
      'ebf7', //             jmp  -9
    ].join(''),
    'hex',
  ),
  arm64: words([
    0xd28010c8, // mov x8, #134    rt_sigaction
    0xd2800220, // mov x0, #17     SIGCHLD
    0x10000161, // adr x1, +44     the struct behind the code
    0xd2800002, // mov x2, #0
    0xd2800103, // mov x3, #8      size of the signal set
    0xd4000001, // svc #0
    0xd2800928, // mov x8, #73     ppoll
    0xd2800000, // mov x0, #0
    0xd2800001, // mov x1, #0
    0xd2800002, // mov x2, #0
    0xd2800003, // mov x3, #0
    0xd4000001, // svc #0
    0x17fffffa, // b -24
  ]),
};

/** The program as an ELF executable. */
export function pauseProgram(architecture: Architecture): Buffer {
  const text = code[architecture];
  const action = Buffer.alloc(32);
  action.writeBigUInt64LE(1n, 0); // SIG_IGN
  action.writeBigUInt64LE(2n, 8); // SA_NOCLDWAIT
  const size = headers + text.length + action.length;
  return Buffer.concat([fileHeader(machines[architecture]), programHeader(size), text, action]);
}

/** The archive of the pause image under `name`, which is what the runtime's `sandbox_image` setting asks for. */
export function buildPauseImage(architecture: Architecture, name: string = pauseImageName): Promise<Buffer> {
  return buildImage({
    name,
    architecture,
    entries: [{ kind: 'file', path: 'pause', content: pauseProgram(architecture), mode: 0o755 }],
    entrypoint: ['/pause'],
  });
}

function fileHeader(machine: number): Buffer {
  const header = Buffer.alloc(64);
  header.write('\x7fELF\x02\x01\x01', 'latin1'); // 64 bit, little endian, version 1
  header.writeUInt16LE(2, 16); // ET_EXEC
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(base + headers), 24); // entry point
  header.writeBigUInt64LE(64n, 32); // program headers follow this one
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  return header;
}

function programHeader(size: number): Buffer {
  const header = Buffer.alloc(56);
  header.writeUInt32LE(1, 0); // PT_LOAD
  header.writeUInt32LE(5, 4); // readable, executable
  header.writeBigUInt64LE(BigInt(base), 16);
  header.writeBigUInt64LE(BigInt(base), 24);
  header.writeBigUInt64LE(BigInt(size), 32);
  header.writeBigUInt64LE(BigInt(size), 40);
  header.writeBigUInt64LE(0x1000n, 48);
  return header;
}

function words(instructions: readonly number[]): Buffer {
  const bytes = Buffer.alloc(instructions.length * 4);
  instructions.forEach((instruction, i) => void bytes.writeUInt32LE(instruction, i * 4));
  return bytes;
}
