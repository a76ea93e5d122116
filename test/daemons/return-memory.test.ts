import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { returnMemory } from '../../src/daemons/return-memory.ts';

t.test('what nobody holds is collected, unless the process is ending', async (t) => {
  const stop = new AbortController();
  const garbage = () => new WeakRef(Array.from({ length: 1000 }, (_, n) => ({ n })));
  const kept = garbage();
  const ended = new AbortController();
  returnMemory(1, ended.signal);
  ended.abort();
  await delay(50);
  t.ok(kept.deref(), 'not when it ended before');
  returnMemory(1, stop.signal);
  for (let tries = 0; tries < 100 && kept.deref() !== undefined; tries += 1) await delay(10);
  t.equal(kept.deref(), undefined);
});
