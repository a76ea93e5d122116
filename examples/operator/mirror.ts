// A small operator: keeps a copy of every Secret annotated `example.org/mirror-to: NAMESPACE` in that namespace.

import { CoreV1Api, type KubeConfig, makeInformer, type V1Secret } from '@kubernetes/client-node';

const annotation = 'example.org/mirror-to';

/** Works until the function it answers is called. */
export async function startMirror(config: KubeConfig): Promise<() => Promise<void>> {
  const core = config.makeApiClient(CoreV1Api);
  const informer = makeInformer(config, '/api/v1/secrets', () => core.listSecretForAllNamespaces());
  const mirror = async (secret: V1Secret): Promise<void> => {
    const namespace = secret.metadata?.annotations?.[annotation];
    const name = secret.metadata?.name;
    if (namespace === undefined || name === undefined) return;
    const copy: V1Secret = { ...secret, metadata: { name, namespace } };
    try {
      await core.createNamespacedSecret({ namespace, body: copy });
    } catch {
      await core.replaceNamespacedSecret({ namespace, name, body: copy });
    }
  };
  informer.on('add', (secret) => void mirror(secret));
  informer.on('update', (secret) => void mirror(secret));
  await informer.start();
  return () => informer.stop();
}
