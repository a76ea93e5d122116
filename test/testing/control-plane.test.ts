// The control plane inside a test process, used as an operator's author would: with the stock JavaScript client.

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import t from 'tap';
import { type ControlPlane, startControlPlane } from '../../src/testing/index.ts';

function coreApi({ kubeconfig }: ControlPlane): CoreV1Api {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  return config.makeApiClient(CoreV1Api);
}

t.test('it answers the stock client, and leaves nothing behind', async (t) => {
  const plane = await startControlPlane();
  const core = coreApi(plane);
  await core.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'a' }, data: { k: 'v' } } });
  t.match(await core.readNamespacedConfigMap({ namespace: 'default', name: 'a' }), { data: { k: 'v' } });
  await t.rejects(core.readNamespacedConfigMap({ namespace: 'default', name: 'b' }), { code: 404 });
  const folder = dirname(plane.kubeconfigPath);
  t.ok(existsSync(folder));
  await plane.stop();
  t.notOk(existsSync(folder));
});

t.test('two at once know nothing of each other', async (t) => {
  const planes = await Promise.all([startControlPlane(), startControlPlane()]);
  t.teardown(() => Promise.all(planes.map((plane) => plane.stop())));
  const [first, second] = [coreApi(planes[0]), coreApi(planes[1])];
  await first.createNamespace({ body: { metadata: { name: 'only-here' } } });
  await t.rejects(second.readNamespace({ name: 'only-here' }), { code: 404 });
});

t.test('state in a file is there again', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'k8ts-testing-'));
  t.teardown(() => rmSync(dataDir, { recursive: true }));
  const before = await startControlPlane({ store: 'file', dataDir });
  await coreApi(before).createNamespace({ body: { metadata: { name: 'kept' } } });
  await before.stop();
  const after = await startControlPlane({ store: 'file', dataDir });
  t.match(await coreApi(after).readNamespace({ name: 'kept' }), { metadata: { name: 'kept' } });
  await after.stop();
});

t.test('controllers and scheduler are the real ones', async (t) => {
  const plane = await startControlPlane({ controllers: ['serviceaccount-controller'], scheduler: true });
  t.teardown(() => plane.stop());
  const core = coreApi(plane);
  await core.createNamespace({ body: { metadata: { name: 'team' } } });
  for (let i = 0; i < 100; i++) {
    const accounts = await core.listNamespacedServiceAccount({ namespace: 'team' });
    if (accounts.items.length > 0) return t.match(accounts.items, [{ metadata: { name: 'default' } }]);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  t.fail('no default ServiceAccount');
});

t.test('an unknown controller is refused by name', async (t) => {
  await t.rejects(startControlPlane({ controllers: ['nonsense'] }), { code: 'UNKNOWN_CONTROLLER' });
});
