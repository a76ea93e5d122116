import t from 'tap';
import { createFakeClock } from '../../src/base/index.ts';
import { createWorkQueue } from '../../src/client/index.ts';

async function settle(): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve));
}

t.test('a key added many times before a worker is free is worked once', async (t) => {
  const worked: string[] = [];
  const queue = createWorkQueue({ name: 'q', work: async (key) => void worked.push(key) });
  for (const key of ['a', 'b', 'a', 'a']) queue.add(key);
  t.equal(queue.length, 2);
  const stop = new AbortController();
  const done = queue.run(stop.signal);
  await settle();
  t.same(worked, ['a', 'b']);
  stop.abort();
  await done;
});

t.test('a key added while it is worked is worked again after, never beside', async (t) => {
  const gates: (() => void)[] = [];
  let together = 0;
  let most = 0;
  const queue = createWorkQueue({
    name: 'q',
    parallel: 4,
    work: async () => {
      together += 1;
      most = Math.max(most, together);
      await new Promise<void>((resolve) => gates.push(resolve));
      together -= 1;
    },
  });
  const stop = new AbortController();
  const done = queue.run(stop.signal);
  queue.add('a');
  await settle();
  queue.add('a');
  queue.add('a');
  t.equal(gates.length, 1);
  gates[0]?.();
  await settle();
  t.equal(gates.length, 2);
  t.equal(most, 1);
  gates[1]?.();
  stop.abort();
  await done;
});

t.test('no more keys than `parallel` are worked at a time', async (t) => {
  const gates: (() => void)[] = [];
  const queue = createWorkQueue({
    name: 'q',
    parallel: 2,
    work: () => new Promise<void>((resolve) => gates.push(resolve)),
  });
  const stop = new AbortController();
  const done = queue.run(stop.signal);
  for (const key of ['a', 'b', 'c']) queue.add(key);
  await settle();
  t.equal(gates.length, 2);
  t.equal(queue.length, 1);
  gates[0]?.();
  await settle();
  t.equal(gates.length, 3);
  stop.abort();
  for (const open of gates) open();
  await done;
});

t.test('a failing key comes back after a delay that doubles, and begins anew after a success', async (t) => {
  const clock = createFakeClock();
  const at: number[] = [];
  let failures = 3;
  const queue = createWorkQueue({
    name: 'q',
    clock,
    initialDelay: 10,
    maxDelay: 25,
    work: async () => {
      at.push(clock.now());
      failures -= 1;
      if (failures >= 0) throw new Error('not yet');
    },
  });
  const stop = new AbortController();
  const done = queue.run(stop.signal);
  queue.add('a');
  await settle();
  for (let ms = 0; ms < 60; ms += 1) await clock.advance(1);
  t.same(at, [0, 10, 30, 55]);
  failures = 1;
  queue.add('a');
  await settle();
  for (let ms = 0; ms < 20; ms += 1) await clock.advance(1);
  t.same(at.slice(4), [60, 70]);
  stop.abort();
  await done;
});

t.test('requeueAfter and addAfter wait; the earliest of several delays counts', async (t) => {
  const clock = createFakeClock();
  const at: number[] = [];
  const queue = createWorkQueue({
    name: 'q',
    clock,
    work: async () => {
      at.push(clock.now());
      return at.length === 1 ? { requeueAfter: 100 } : undefined;
    },
  });
  const stop = new AbortController();
  const done = queue.run(stop.signal);
  queue.addAfter('a', 50);
  queue.addAfter('a', 20);
  queue.addAfter('a', 70);
  for (let ms = 0; ms < 200; ms += 10) await clock.advance(10);
  t.same(at, [20, 120]);
  stop.abort();
  await done;
});

t.test('stop finishes the key in hand, forgets the rest and takes nothing more', async (t) => {
  let open: () => void = () => undefined;
  const worked: string[] = [];
  const queue = createWorkQueue({
    name: 'q',
    work: async (key) => {
      worked.push(key);
      await new Promise<void>((resolve) => {
        open = resolve;
      });
    },
  });
  const stop = new AbortController();
  let finished = false;
  const done = queue.run(stop.signal).then(() => {
    finished = true;
  });
  queue.add('a');
  queue.add('b');
  await settle();
  stop.abort();
  await settle();
  t.equal(finished, false);
  open();
  await done;
  queue.add('c');
  t.same(worked, ['a']);
});
