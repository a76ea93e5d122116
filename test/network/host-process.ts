// The network of one node as a process of its own, because it has to be inside of its host's network namespace. The parent
// is the API server's stand-in: it sends objects, and hears of what the node writes onto its own Node.
//
//   parent ─► { do: 'put' | 'delete', kind, object } · { do: 'stop' } · { do: 'reset' }
//   child  ─► { node } when the own Node changed · { ready } · { error } · { reset: leftover report }

import { type KindOf, type KubeObject, kinds, type Node } from '../../src/api/index.ts';
import { createLogger, describeError, messageOf, systemClock } from '../../src/base/index.ts';
import { createFakeClient, createInformerFactory, keyOf, splitKey } from '../../src/client/index.ts';
import { createLocalHost, createMemoryJournal, undoChanges } from '../../src/host/index.ts';
import { type NetworkConfig, startNetwork } from '../../src/network/index.ts';

export type ToHost =
  | { readonly do: 'put' | 'delete'; readonly kind: 'node' | 'service' | 'endpointSlice'; readonly object: KubeObject }
  | { readonly do: 'stop' }
  | { readonly do: 'reset' };
export type FromHost =
  | { readonly is: 'node'; readonly object: Node }
  | { readonly is: 'ready' }
  | { readonly is: 'error'; readonly text: string }
  | { readonly is: 'stopped' }
  | { readonly is: 'reset'; readonly failed: readonly unknown[] };

const config = JSON.parse(process.argv[2] ?? '') as NetworkConfig;
const tell = (message: FromHost): void => {
  process.send?.(message);
};
const client = createFakeClient();
const stop = new AbortController();
const journal = createMemoryJournal();
const level = process.env['K8TS_TEST_LOG'] === undefined ? 'error' : 'debug';
const logger = createLogger({ level, fields: { node: config.nodeName } });

// One after the other, as the events of one watch are.
let handled: Promise<void> = Promise.resolve();
process.on('message', (message: ToHost) => {
  handled = handled
    .then(() => handle(message))
    .catch((error: unknown) => tell({ is: 'error', text: messageOf(error) }));
});
process.on('disconnect', () => process.exit(0)); // the test is gone

const informers = createInformerFactory(client, { logger });
informers.informer(kinds.node).addHandler({
  updated: (object) => {
    if (object.metadata.name === config.nodeName) tell({ is: 'node', object });
  },
});
const network = startNetwork(
  {
    client,
    informers,
    host: createLocalHost({ journal, ownTrees: [] }),
    logger,
    clock: systemClock,
    recorder: { event: () => undefined },
  },
  config,
  stop.signal,
);
await informers.start(stop.signal);
try {
  await waitUntilReady();
} catch (error) {
  tell({ is: 'error', text: describeError(error) });
}

async function waitUntilReady(): Promise<void> {
  const running = await network;
  while (running.ready() !== undefined && !stop.signal.aborted) await systemClock.sleep(10);
  tell({ is: 'ready' });
}

async function handle(message: ToHost): Promise<void> {
  if (message.do === 'stop') {
    stop.abort();
    await (await network).stop();
    tell({ is: 'stopped' });
  } else if (message.do === 'reset') {
    stop.abort();
    await network.then(
      (running) => running.stop(),
      () => undefined,
    );
    const { failed } = await undoChanges(createLocalHost(), journal);
    tell({ is: 'reset', failed });
  } else if (message.do === 'delete') {
    await client.delete(kinds[message.kind] as KindOf<KubeObject>, splitKey(keyOf(message.object)));
  } else {
    await put(kinds[message.kind] as KindOf<KubeObject>, message.object);
  }
}

async function put(kind: KindOf<KubeObject>, object: KubeObject): Promise<void> {
  const at = splitKey(keyOf(object));
  const held = await client.get(kind, at).catch(() => undefined);
  if (held === undefined) await client.create(kind, object);
  else
    await client.update(kind, {
      ...object,
      metadata: { ...object.metadata, resourceVersion: held.metadata.resourceVersion },
    });
}
