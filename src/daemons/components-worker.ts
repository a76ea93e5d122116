// The thread that runs controllers and scheduler; see components.ts. The main thread sends 'renew' when their kubeconfigs
// changed, 'health' to hear 'well', and 'stop' to end it.

import { parentPort, workerData } from 'node:worker_threads';
import { createLogger, messageOf } from '../base/index.ts';
import { type ComponentsConfig, startComponents } from './components.ts';
import { returnMemory } from './return-memory.ts';

const stopping = new AbortController();
const logger = createLogger({ fields: { process: 'components' } });
const starting = startComponents(workerData as ComponentsConfig, logger, stopping.signal);
parentPort?.on('message', (message: unknown) => {
  if (message === 'renew') {
    starting
      .then(({ renew }) => renew())
      .catch((error: unknown) => logger.error('the kubeconfigs were not read again', { error: messageOf(error) }));
  }
  if (message === 'health') parentPort?.postMessage('well');
  if (message !== 'stop') return;
  stopping.abort();
  parentPort?.close();
});
await starting;
returnMemory(10_000, stopping.signal);
parentPort?.postMessage('ready');
