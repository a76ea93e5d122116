import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { lockMachine } from '../../src/host/index.ts';

t.test('the second is told who the first is, and gets the lock afterwards', async (t) => {
  const path = join(t.testdir(), 'lock');
  const unlock = await lockMachine('init', path);
  await t.rejects(lockMachine('reset', path), {
    code: 'MACHINE_BUSY',
    message: new RegExp(`^k8ts init \\(process ${process.pid}\\) since 20.* is changing this machine$`),
  });
  await unlock();
  t.notOk(existsSync(path));
  const again = await lockMachine('reset', path);
  await again();
});

t.test('of many at once one has it', async (t) => {
  const path = join(t.testdir(), 'lock');
  const tries = await Promise.allSettled(Array.from({ length: 8 }, () => lockMachine('join', path)));
  const got = tries.filter((one) => one.status === 'fulfilled');
  t.equal(got.length, 1);
  await got[0]?.value();
});

t.test('a lock ends with whoever held it', async (t) => {
  const path = join(t.testdir(), 'lock');
  const module = join(import.meta.dirname, '../../src/host/machine-lock.ts');
  const text = `const { lockMachine } = await import(${JSON.stringify(module)}); await lockMachine('init', ${JSON.stringify(path)}); console.log('mine'); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '--eval', text], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  await t.rejects(lockMachine('join', path), { code: 'MACHINE_BUSY', message: new RegExp(`process ${holder.pid}`) });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  for (;;) {
    const unlock = await lockMachine('join', path).catch((error: unknown) => error);
    if (typeof unlock !== 'function') continue; // the shell has not seen the pipe close yet
    await unlock();
    break;
  }
});

t.test('where nothing can be locked, that is said', async (t) => {
  await t.rejects(lockMachine('init', join(t.testdir(), 'nowhere/lock')), {
    code: 'MACHINE_LOCK',
    message: /nowhere\/lock cannot be locked/,
  });
});
