import t from 'tap';
import { createStatusWriter } from '../../src/agent/pods/status-writer.ts';
import { kinds, type Pod, type Stored } from '../../src/api/index.ts';
import { silentLogger, systemClock } from '../../src/base/index.ts';
import { ApiStatusError, createFakeClient } from '../../src/client/index.ts';
import { pod } from './builders.ts';

const conflict = () => new ApiStatusError(409, 'Conflict', 'somebody wrote in between');

async function setUp(t: { teardown(end: () => void): void }) {
  const client = createFakeClient();
  const stop = new AbortController();
  t.teardown(() => stop.abort());
  const writer = createStatusWriter(client, { clock: systemClock, logger: silentLogger, signal: stop.signal });
  const stored = await client.create(kinds.pod, pod());
  const patches = () => client.requests.filter(({ verb }) => verb === 'patch').length;
  return { client, writer, stored, patches };
}

t.test('a status that collides with another write is sent again', async (t) => {
  const { client, writer, stored } = await setUp(t);
  client.failNext(({ verb }) => verb === 'patch', conflict());
  writer.put(stored, { phase: 'Running' });
  await writer.flushed(stored.metadata.uid);
  t.equal((await client.get(kinds.pod, { namespace: 'ns', name: 'p' })).status?.phase, 'Running');
});

t.test('a conflict with a newer pod of the same name ends it', async (t) => {
  const { client, writer, stored, patches } = await setUp(t);
  const earlier: Stored<Pod> = { ...stored, metadata: { ...stored.metadata, uid: 'an-earlier-pod' } };
  client.failNext(({ verb }) => verb === 'patch', conflict());
  writer.put(earlier, { phase: 'Failed' });
  await writer.flushed('an-earlier-pod');
  t.equal(patches(), 1);
});

t.test('the status of a pod that is gone is given up', async (t) => {
  const { client, writer, stored, patches } = await setUp(t);
  await client.delete(kinds.pod, { namespace: 'ns', name: 'p' }, { gracePeriodSeconds: 0 });
  writer.put(stored, { phase: 'Running' });
  await writer.flushed(stored.metadata.uid);
  t.equal(patches(), 1);
});

t.test('a resize that is over is taken out of the conditions', async (t) => {
  const { client, stored } = await setUp(t);
  const bodies: unknown[] = [];
  const watching = createStatusWriter(
    {
      ...client,
      patch: async (kind, at, type, body, options) => {
        bodies.push(body);
        return await client.patch(kind, at, type, body, options);
      },
    },
    { clock: systemClock, logger: silentLogger, signal: new AbortController().signal },
  );
  const Ready = { type: 'Ready', status: 'True' };
  watching.put(stored, { conditions: [Ready, { type: 'PodResizeInProgress', status: 'True' }] });
  await watching.flushed(stored.metadata.uid);
  watching.put(stored, { conditions: [Ready] });
  await watching.flushed(stored.metadata.uid);
  t.match(bodies.at(-1), {
    status: { conditions: [Ready, { type: 'PodResizeInProgress', $patch: 'delete' }] },
  });
});
