// The load generator's client: HTTP/1.1 over TLS with a client certificate, one request per connection at a time, as
// client libraries without HTTP/2 do. One process; what it can do at most is measured too (trivial-server.ts).

import { readFile } from 'node:fs/promises';
import { Client, Pool } from 'undici';
import { type Credential, parseKubeconfig } from '../src/kubeconfig/index.ts';

export interface Identity {
  readonly origin: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

export interface OpenWatch {
  /** Resolves with the first bytes of the answer's head. */
  readonly started: Promise<void>;
  close(): void;
}

export interface LoadClient {
  /** Whatever the answer is. */
  send(method: string, path: string, body?: object, type?: string): Promise<Answer>;
  /** Throws for an answer that is not 2xx. */
  ask(method: string, path: string, body?: object, type?: string): Promise<Answer>;
  /** `onLine` gets each event as Latin-1. */
  watch(path: string, onLine: (line: string) => void): OpenWatch;
  close(): Promise<void>;
}

export async function readIdentity(kubeconfig: string): Promise<Identity> {
  const { server, ca, cert, key } = parseKubeconfig(await readFile(kubeconfig, 'utf8'));
  return { origin: server, ca: await pem(ca), cert: await pem(cert), key: await pem(key) };
}

async function pem(credential: Credential | undefined): Promise<string> {
  if (credential === undefined) throw new Error('the kubeconfig needs a CA and a client certificate');
  return 'text' in credential ? credential.text : readFile(credential.file, 'utf8');
}

export function openClient({ origin, ...connect }: Identity, connections: number): LoadClient {
  const limits = { headersTimeout: 120_000, bodyTimeout: 0, allowH2: false } as const;
  const pool = new Pool(origin, { ...limits, connections, pipelining: 1, connect });
  const watching = new Set<Client>();
  const client: LoadClient = {
    async send(method, path, body, type = 'application/json') {
      const answer = await pool.request({
        method: method as 'GET',
        path,
        headers: { accept: 'application/json', ...(body && { 'content-type': type }) },
        ...(body && { body: JSON.stringify(body) }),
      });
      const chunks: Buffer[] = [];
      for await (const chunk of answer.body) chunks.push(chunk as Buffer);
      const [only] = chunks;
      const bytes = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
      return { status: answer.statusCode, body: bytes };
    },
    async ask(method, path, body, type) {
      const answer = await client.send(method, path, body, type);
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.subarray(0, 300)}`);
      return answer;
    },
    watch(path, onLine) {
      const client = new Client(origin, { ...limits, connect });
      watching.add(client);
      const read = async (): Promise<void> => {
        const { statusCode, body } = await client.request({ method: 'GET', path });
        if (statusCode !== 200) throw new Error(`watch ${path}: ${statusCode}`);
        let rest = '';
        body.on('data', (chunk: Buffer) => {
          const lines = (rest + chunk.toString('latin1')).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) onLine(line);
        });
        body.on('error', () => undefined);
      };
      return { started: read(), close: () => void client.destroy() };
    },
    async close() {
      await Promise.all([...watching, pool].map((one) => one.destroy()));
    },
  };
  return client;
}
