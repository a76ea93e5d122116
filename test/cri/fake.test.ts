import t from 'tap';
import { createFakeCri } from '../../src/cri/index.ts';
import { criContract } from '../contract/cri.ts';

const cri = createFakeCri();
cri.addImage('docker.io/k8ts/busybox:test');
criContract(t, cri, 'docker.io/k8ts/busybox:test', '/tmp');

t.test('a call that is made to fail fails until it is told not to', async (t) => {
  cri.fail('version', new Error('down'));
  await t.rejects(cri.version(), { message: 'down' });
  cri.fail('version', undefined);
  t.equal((await cri.version()).runtimeName, 'fake');
});
