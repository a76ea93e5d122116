// The example of docs/testing.md: an operator tested against a real API server, without containers and without a network.

import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import t from 'tap';
import { startMirror } from '../../examples/operator/mirror.ts';
import { startControlPlane } from '../../src/testing/index.ts';

t.test('the operator copies an annotated Secret, and its changes', async (t) => {
  const plane = await startControlPlane();
  const config = new KubeConfig();
  config.loadFromString(plane.kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  const stop = await startMirror(config);
  t.teardown(async () => {
    await stop();
    await plane.stop();
  });

  const until = async (value: string): Promise<void> => {
    for (let i = 0; i < 200; i++) {
      const copy = await core.readNamespacedSecret({ namespace: 'kube-public', name: 'key' }).catch(() => undefined);
      if (copy?.data?.['v'] === value) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`the copy never became ${value}`);
  };
  const metadata = { name: 'key', annotations: { 'example.org/mirror-to': 'kube-public' } };
  await core.createNamespacedSecret({ namespace: 'default', body: { metadata, data: { v: 'b25l' } } });
  await until('b25l');
  await core.replaceNamespacedSecret({ namespace: 'default', name: 'key', body: { metadata, data: { v: 'dHdv' } } });
  await until('dHdv');
});
