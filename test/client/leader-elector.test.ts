import t from 'tap';
import { kinds } from '../../src/api/index.ts';
import { createFakeClock } from '../../src/base/index.ts';
import { createFakeClient, createLeaderElector, type FakeClient } from '../../src/client/index.ts';

const lease = { namespace: 'kube-system', name: 'controllers' };

function candidate(client: FakeClient, clock: ReturnType<typeof createFakeClock>, identity: string) {
  const stop = new AbortController();
  const log: string[] = [];
  const elector = createLeaderElector(client, { ...lease, identity, clock });
  const done = elector
    .run(stop.signal, async (signal) => {
      log.push('leads');
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      log.push('stopped');
    })
    .catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
  return { stop, log, done };
}

async function pass(clock: ReturnType<typeof createFakeClock>, seconds: number): Promise<void> {
  for (let tick = 0; tick < seconds * 2; tick += 1) {
    await clock.advance(500);
    for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

t.test('one leads, the other waits; when the first stops the other takes over', async (t) => {
  const [client, clock] = [createFakeClient(), createFakeClock(Date.parse('2026-01-01T00:00:00Z'))];
  const a = candidate(client, clock, 'a');
  await pass(clock, 1);
  const b = candidate(client, clock, 'b');
  await pass(clock, 30);
  t.same(a.log, ['leads']);
  t.same(b.log, []);
  t.match(await client.get(kinds.lease, lease), {
    spec: { holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 },
  });
  a.stop.abort();
  await a.done;
  t.same(a.log, ['leads', 'stopped']);
  await pass(clock, 4);
  t.same(b.log, ['leads']);
  t.match(await client.get(kinds.lease, lease), { spec: { holderIdentity: 'b', leaseTransitions: 1 } });
  b.stop.abort();
  await b.done;
});

t.test('a leader that cannot renew stops before another one begins', async (t) => {
  const [client, clock] = [createFakeClient(), createFakeClock(Date.parse('2026-01-01T00:00:00Z'))];
  const a = candidate(client, clock, 'a');
  await pass(clock, 1);
  // The leader is cut off: each of its requests fails from now on.
  let cutOff = true;
  const fail = (): void => client.failNext((request) => cutOff && request.verb === 'get', new Error('cut off'));
  for (let serial = 0; serial < 20; serial += 1) fail();
  await pass(clock, 14);
  t.same(a.log, ['leads', 'stopped']);
  cutOff = false;
  await a.done;
  const b = candidate(client, clock, 'b');
  await pass(clock, 20);
  t.same(b.log, ['leads']);
  b.stop.abort();
  await b.done;
});

t.test('a lease that its holder does not renew is taken after its duration on the taker’s clock', async (t) => {
  const [client, clock] = [createFakeClient(), createFakeClock(Date.parse('2026-01-01T00:00:00Z'))];
  await client.create(kinds.lease, {
    metadata: { ...lease },
    // A clock that is ahead by an hour changes nothing.
    spec: { holderIdentity: 'dead', leaseDurationSeconds: 15, renewTime: '2026-01-01T01:00:00.000000Z' },
  });
  const b = candidate(client, clock, 'b');
  await pass(clock, 13);
  t.same(b.log, []);
  await pass(clock, 6);
  t.same(b.log, ['leads']);
  b.stop.abort();
  await b.done;
});
