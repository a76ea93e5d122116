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
