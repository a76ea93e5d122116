export * from './client.ts';
export type { TlsIdentity } from './connections.ts';
export { createFakeClient, type FakeClient } from './fake-client.ts';
export { type ClientOptions, clientFromKubeconfig, createClient, type HttpApiClient } from './http-client.ts';
export { createInformerFactory, type InformerOptions } from './informer.ts';
export { keyOf, splitKey } from './object-cache.ts';
export { isConnectionError } from './retry.ts';
export { createWorkQueue, type WorkQueue, type WorkQueueOptions, type WorkResult } from './work-queue.ts';
