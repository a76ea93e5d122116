// Command lines run one after the other in one process of their own (run-cases.ts), with what each printed.

import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function runLines(lines: readonly (readonly string[])[]): Promise<readonly Printed[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'run-cases.ts')], {
      stdio: ['pipe', 'inherit', 'inherit', 'pipe'],
    });
    let text = '';
    child.stdio[3]?.on('data', (chunk) => {
      text += String(chunk);
    });
    child.on('error', reject);
    child.on('close', () => resolve(JSON.parse(text) as readonly Printed[]));
    child.stdin?.end(JSON.stringify(lines));
  });
}
