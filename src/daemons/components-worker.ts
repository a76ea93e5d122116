// The thread that runs controllers and scheduler; see components.ts. The main thread sends 'stop' to end it.

import { parentPort, workerData } from 'node:worker_threads';
import { createLogger } from '../base/index.ts';
import { type ComponentsConfig, startComponents } from './components.ts';

const stopping = new AbortController();
parentPort?.on('message', (message: unknown) => {
  if (message !== 'stop') return;
  stopping.abort();
  parentPort?.close();
});
await startComponents(
  workerData as ComponentsConfig,
  createLogger({ fields: { process: 'components' } }),
  stopping.signal,
);
parentPort?.postMessage('ready');
