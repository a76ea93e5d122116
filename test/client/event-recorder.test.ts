import t from 'tap';
import { kinds, type Pod } from '../../src/api/index.ts';
import { createFakeClock } from '../../src/base/index.ts';
import { createEventRecorder, createFakeClient } from '../../src/client/index.ts';

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'default', uid: 'u', resourceVersion: '7' },
};

function setUp(options: { readonly bound?: number } = {}) {
  const client = createFakeClient();
  const clock = createFakeClock(Date.parse('2026-01-01T00:00:00Z'));
  const recorder = createEventRecorder(client, 'kubelet', { host: 'n1', clock, ...options });
  return { client, clock, recorder, stored: async () => (await client.list(kinds.event)).items };
}

t.test('an event says what, about whom, by whom and when', async (t) => {
  const { recorder, stored } = setUp();
  recorder.event(pod, 'Normal', 'Pulled', 'image is here');
  recorder.event({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } }, 'Warning', 'Full', 'disk');
  await recorder.flush();
  const [event, aboutNode] = await stored();
  t.match(event, {
    metadata: { name: /^p\.[0-9a-f]{16}$/, namespace: 'default' },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'p', uid: 'u', resourceVersion: '7' },
    type: 'Normal',
    reason: 'Pulled',
    message: 'image is here',
    source: { component: 'kubelet', host: 'n1' },
    reportingComponent: 'kubelet',
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
    count: 1,
  });
  t.equal(aboutNode?.metadata.namespace, 'default', 'events of cluster-scoped objects live in default');
});

t.test('an event about a part of an object names the part, and parts are told apart', async (t) => {
  const { recorder, stored } = setUp();
  for (const name of ['web', 'side', 'web']) {
    recorder.event({ ...pod, fieldPath: `spec.containers{${name}}` }, 'Normal', 'Started', 'started');
  }
  await recorder.flush();
  const told = (await stored()).map(({ involvedObject, count }) => [involvedObject.fieldPath, count]);
  t.same(told.sort(), [
    ['spec.containers{side}', 1],
    ['spec.containers{web}', 2],
  ]);
});

t.test('the same event again counts up', async (t) => {
  const { recorder, clock, stored } = setUp();
  recorder.event(pod, 'Warning', 'BackOff', 'again');
  await recorder.flush();
  await clock.advance(60_000);
  recorder.event(pod, 'Warning', 'BackOff', 'again');
  recorder.event(pod, 'Warning', 'BackOff', 'again');
  await recorder.flush();
  const events = await stored();
  t.equal(events.length, 1);
  t.match(events[0], { count: 3, firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:01:00Z' });
});

t.test('an event that has expired meanwhile is written anew with its count', async (t) => {
  const { client, recorder, stored } = setUp();
  recorder.event(pod, 'Warning', 'BackOff', 'again');
  await recorder.flush();
  const [event] = await stored();
  await client.delete(kinds.event, { namespace: 'default', name: event?.metadata.name ?? '' });
  recorder.event(pod, 'Warning', 'BackOff', 'again');
  await recorder.flush();
  t.match(await stored(), [{ count: 2, message: 'again' }]);
});

t.test('many that differ only in their message are combined', async (t) => {
  const { recorder, stored } = setUp();
  for (let serial = 0; serial < 15; serial += 1) recorder.event(pod, 'Warning', 'Failed', `try ${serial}`);
  await recorder.flush();
  const events = await stored();
  t.equal(events.length, 10);
  t.match(events.at(-1), { message: '(combined from similar events): try 14', count: 6 });
});

t.test('one object’s stream of events is cut off, others are still heard', async (t) => {
  const { recorder, clock, stored } = setUp();
  for (let serial = 0; serial < 40; serial += 1) recorder.event(pod, 'Warning', `R${serial}`, 'x');
  recorder.event({ ...pod, metadata: { name: 'other', namespace: 'default' } }, 'Normal', 'Ok', 'x');
  await recorder.flush();
  t.equal((await stored()).length, 26);
  await clock.advance(300_000);
  recorder.event(pod, 'Warning', 'Later', 'x');
  await recorder.flush();
  t.equal((await stored()).length, 27);
});

t.test('telling never fails: a refused event is given up, a full queue drops', async (t) => {
  const { client, recorder, stored } = setUp({ bound: 2 });
  client.failNext(({ verb }) => verb === 'create', new Error('no server'));
  for (const reason of ['A', 'B', 'C']) recorder.event(pod, 'Normal', reason, 'x');
  await recorder.flush();
  t.same(
    (await stored()).map(({ reason }) => reason),
    ['B'],
  );
});
