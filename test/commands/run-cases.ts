// Runs command lines one after the other in one process, because starting Node for each costs more than the test. Command
// lines come on standard input and results go to file descriptor 3, both as JSON.

import { readFileSync, writeSync } from 'node:fs';
import { main } from '../../src/commands/dispatch.ts';

const lines = JSON.parse(readFileSync(0, 'utf8')) as readonly (readonly string[])[];
const results = [];
for (const argv of lines) {
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].write = (text: string | Uint8Array): boolean => {
      printed[name] += String(text);
      return true;
    };
  }
  results.push({ code: await main(argv, '0.0.0'), ...printed });
}
writeSync(3, JSON.stringify(results));
process.exit();
