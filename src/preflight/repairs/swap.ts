// Swap off, now and at the next boot.

import type { Repair } from '../check.ts';

const fstab = '/etc/fstab';
const mark = '# off for k8ts: ';

export const swapOff: Repair = {
  does: `turns swap off and comments its lines in ${fstab} out`,
  async run(host, { swaps }, signal) {
    const text = (await host.readFileIfExists(fstab))?.toString('utf8');
    if (text !== undefined) await host.writeFile(fstab, withoutSwap(text));
    for (const device of swaps) {
      await host.record({ kind: 'swap', device });
      await host.run('swapoff', [device], { timeout: 600_000, signal }); // it reads everything back into memory
    }
  },
};

/** fstab(5): the third field of a line is the type. */
function withoutSwap(text: string): string {
  return text
    .split('\n')
    .map((line) => (!line.trimStart().startsWith('#') && line.trim().split(/\s+/)[2] === 'swap' ? mark + line : line))
    .join('\n');
}
