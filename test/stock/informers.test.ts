// @kubernetes/client-node, which we did not write, keeps a copy of the pods through a restart of the server, and through a
// compaction that took away the revision from which it wanted to go on.

import { CoreV1Api, type Informer, KubeConfig, makeInformer, type V1Pod } from '@kubernetes/client-node';
import t from 'tap';
import { createMemoryStore } from '../../src/store/index.ts';
import { startTestServer } from '../apiserver/harness.ts';
import { startControlPlane } from './control-plane.ts';

const namespace = 'default';
const waitMs = 20_000;

interface Watched {
  readonly core: CoreV1Api;
  readonly informer: Informer<V1Pod>;
  /** Names in the informer's cache. */
  names(): string;
}

/** Starts again whenever a watch or a list fails, as the package's documentation tells. */
async function watchPods(config: KubeConfig): Promise<Watched> {
  const core = config.makeApiClient(CoreV1Api);
  const list = () => core.listNamespacedPod({ namespace });
  const informer = makeInformer<V1Pod>(config, `/api/v1/namespaces/${namespace}/pods`, list);
  let isStopped = false;
  const again = (): void => {
    if (!isStopped) setTimeout(() => informer.start().catch(again), 100).unref();
  };
  informer.on('error', again);
  await informer.start();
  const stop = informer.stop.bind(informer);
  informer.stop = () => {
    isStopped = true;
    return stop();
  };
  const names = (): string =>
    informer
      .list()
      .map(({ metadata }) => metadata?.name)
      .sort()
      .join();
  return { core, informer, names };
}

function pod(name: string): V1Pod {
  return { metadata: { name }, spec: { containers: [{ name: 'main', image: 'i' }] } };
}

async function until(isTrue: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + waitMs;
  while (!isTrue()) {
    if (Date.now() > deadline) throw new Error(`waited ${waitMs} ms until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

t.test('an informer survives a restart', async (t) => {
  const cluster = await startControlPlane(['--no-scheduler']);
  t.teardown(() => cluster.close());
  const config = new KubeConfig();
  config.loadFromFile(cluster.kubeconfig);
  const { core, informer, names } = await watchPods(config);
  t.teardown(() => informer.stop());
  await core.createNamespacedPod({ namespace, body: pod('before') });
  await until(() => names() === 'before', 'the pod of before the restart is seen');
  await cluster.restart();
  await core.createNamespacedPod({ namespace, body: pod('after') });
  await core.deleteNamespacedPod({ namespace, name: 'before', gracePeriodSeconds: 0 });
  await until(() => names() === 'after', 'only the pod of after the restart is seen');
  t.pass('went on by itself');
});

t.test('an informer survives a compaction while it was away', async (t) => {
  const store = await createMemoryStore();
  const first = await startTestServer({ store });
  const port = Number(new URL(first.server.url).port);
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: 'c', server: first.server.url, skipTLSVerify: true },
    { name: 'u', token: 'anything' },
  );
  const { core, informer, names } = await watchPods(config);
  t.teardown(() => informer.stop());
  await first.call('POST', `/api/v1/namespaces/${namespace}/pods`, pod('before'));
  await until(() => names() === 'before', 'the first pod is seen');
  await first.server.stop(0);
  // What the next server has forgotten: the pod that is gone, and every revision the informer knows.
  const between = await startTestServer({ store, port: 0 });
  await between.call('DELETE', `/api/v1/namespaces/${namespace}/pods/before?gracePeriodSeconds=0`);
  await between.call('POST', `/api/v1/namespaces/${namespace}/pods`, pod('after'));
  await between.server.stop(0);
  await store.compact(store.revision);
  const last = await startTestServer({ store, port });
  t.teardown(() => last.stop());
  await until(() => names() === 'after', 'the list was read again');
  t.equal((await core.listNamespacedPod({ namespace })).items.length, 1);
});
