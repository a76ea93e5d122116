// An API server on loopback over a memory store, and a client that shows status and body as they are on the wire.

import { Agent } from 'undici';
import type { KubeObject } from '../../src/api/index.ts';
import { layOut } from '../../src/apiserver/cache/index.ts';
import { type ApiServer, type ApiServerOptions, startApiServer } from '../../src/apiserver/index.ts';
import { createMemoryStore, type Store } from '../../src/store/index.ts';
import { createTestPki, type TestPki } from './pki.ts';

/** What JSON.parse gives; tests look into it with at(). */
export type Json = Readonly<Record<string, unknown>>;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly body: Json;
}

export interface WatchLine {
  readonly type: string;
  readonly object: Json;
}

export interface OpenWatch {
  /** The next event; rejects when none comes within 5 s. */
  next(): Promise<WatchLine>;
  /** Resolves when the server ended the watch. */
  readonly ended: Promise<void>;
  close(): void;
}

export interface TestServer {
  readonly server: ApiServer;
  readonly store: Store;
  readonly ca: string;
  readonly pki: TestPki;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Stores what the API would refuse, such as endpoints on the loopback interface, where tests have theirs. */
  plant(key: string, object: KubeObject & Json): Promise<void>;
  patch(path: string, body: unknown, type?: 'merge' | 'strategic-merge' | 'json'): Promise<Answer>;
  watch(path: string, headers?: Record<string, string>): Promise<OpenWatch>;
  stop(): Promise<void>;
}

const eventWaitMs = 5000;

export async function startTestServer(
  options: Partial<ApiServerOptions> & { readonly clientGroups?: readonly string[] } = {},
): Promise<TestServer> {
  const pki = await createTestPki();
  const store = options.store ?? (await createMemoryStore());
  const server = await startApiServer({
    host: '127.0.0.1',
    port: 0,
    serviceCidr: '10.96.0.0/24',
    security: { mode: 'allow-all' },
    ...options,
    store,
    tls: { ...pki.server, clientCa: pki.ca },
  });
  await server.ready;
  const identity = options.clientGroups && (await pki.client('tester', options.clientGroups));
  const agent = new Agent({ connect: { ca: pki.ca, ...identity }, allowH2: false, pipelining: 1 });

  async function call(method: string, path: string, body?: unknown, headers = {}): Promise<Answer> {
    const answer = await agent.request({
      origin: server.url,
      path,
      method: method as 'GET',
      headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, headers: answer.headers, text, body: parsed(text) };
  }

  return {
    server,
    store,
    ca: pki.ca,
    pki,
    call,
    async plant(key, object) {
      const { kind = '', apiVersion = '' } = object;
      await store.write({ op: 'put', key, value: layOut(object, kind, apiVersion) });
    },
    patch: (path, body, type = 'merge') =>
      call('PATCH', path, body, { 'content-type': `application/${type}-patch+json` }),
    async watch(path, headers = {}) {
      const aborted = new AbortController();
      const { body } = await agent.request({
        origin: server.url,
        path,
        method: 'GET',
        headers: { accept: 'application/json', ...headers },
        signal: aborted.signal,
      });
      return readLines(body, aborted);
    },
    async stop() {
      await agent.destroy();
      await server.stop(0);
      await store.close();
    },
  };
}

function readLines(body: NodeJS.ReadableStream, aborted: AbortController): OpenWatch {
  const lines: WatchLine[] = [];
  let wake: () => void = () => undefined;
  let rest = '';
  body.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.map((line) => JSON.parse(line) as WatchLine));
    wake();
  });
  body.on('error', () => undefined);
  return {
    async next() {
      const deadline = Date.now() + eventWaitMs;
      while (lines.length === 0) {
        if (Date.now() > deadline) throw new Error('no watch event came');
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, 100).unref();
        });
      }
      return lines.shift() as WatchLine;
    },
    ended: new Promise((resolve) => body.on('close', () => resolve())),
    close: () => aborted.abort(),
  };
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return {};
  }
}

/** A value deep inside of a body: `at(body, 'spec.ports.0.nodePort')`. */
export function at(value: unknown, path: string): unknown {
  let found = value;
  for (const name of path.split('.')) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Json)[name];
  }
  return found;
}

export const configMaps = '/api/v1/namespaces/default/configmaps';

export function configMap(name: string, labels: Record<string, string> = {}, data: Record<string, string> = {}): Json {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels }, data };
}
