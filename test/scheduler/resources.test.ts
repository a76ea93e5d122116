// What pods reserve, read from their spec and status.

import t from 'tap';
import { podRequests } from '../../src/scheduler/resources.ts';

t.test('while a pod is resized, what the node still holds for it counts', async (t) => {
  const spec = { containers: [{ name: 'c', resources: { requests: { cpu: '1', memory: '2' } } }] };
  const status = { name: 'c', image: '', imageID: '', ready: true, restartCount: 0 };
  const containerStatuses = [{ ...status, allocatedResources: { cpu: '2' }, resources: { requests: { memory: '3' } } }];
  t.match(podRequests(spec, { containerStatuses }), { milliCpu: 2000, memory: 3 });
  t.match(podRequests(spec, { containerStatuses: [status] }), { milliCpu: 1000, memory: 2 });
});
