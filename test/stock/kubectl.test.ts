// Stock kubectl, the newest one and Debian's 1.20, through the same session against the control plane alone.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { type Line, session } from './kubectl-commands.ts';

// Two hundred processes one after the other: seconds on a quiet machine, minutes on one that has much else to do.
t.setTimeout(600_000);

const bin = join(import.meta.dirname, '..', '..', '.cache', 'bin');
const versions = [
  { version: '1.35', program: join(bin, 'kubectl') },
  { version: '1.20', program: join(bin, 'kubectl-1.20') },
];

for (const { version, program } of versions) {
  const skip = existsSync(program) ? false : `${program} is not there: run scripts/setup`;
  t.test(`kubectl ${version}`, { skip }, async (t) => {
    const cluster = await startControlPlane();
    t.teardown(() => cluster.close());
    const run = await shell(cluster, program);
    for (const line of session) {
      if (line.since !== undefined && line.since !== version) continue;
      const { code, printed } = await run(line);
      const missing = line.want.filter(
        (want) => !(typeof want === 'string' ? printed.includes(want) : want.test(printed)),
      );
      t.same({ code, missing: missing.map(String) }, { code: line.code ?? 0, missing: [] }, line.run, { printed });
    }
  });
}

interface Outcome {
  readonly code: number | null;
  readonly printed: string;
}

async function shell({ folder, kubeconfig }: ControlPlane, program: string): Promise<(line: Line) => Promise<Outcome>> {
  const home = join(folder, 'home');
  await mkdir(home);
  await symlink(program, join(home, 'kubectl'));
  await copyFile(kubeconfig, join(home, 'config'));
  const env = { HOME: home, KUBECONFIG: join(home, 'config'), PATH: `${home}:${process.env['PATH'] ?? ''}` };
  return ({ run, input = '' }) =>
    new Promise((resolve, reject) => {
      const child = spawn('/bin/sh', ['-c', run], { env, cwd: home });
      let printed = '';
      child.stdout.on('data', (chunk) => (printed += chunk));
      child.stderr.on('data', (chunk) => (printed += chunk));
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, printed }));
      child.stdin.on('error', () => undefined);
      child.stdin.end(input);
    });
}
