// The way to a webhook: a URL, or a Service whose ready endpoints are asked directly: the API server must not depend on a
// service proxy on its own machine. Connections are kept per configuration of TLS and name. undici is imported with the
// first call: a server without webhooks does without its memory.
// Source: admissionregistration.k8s.io/v1 WebhookClientConfig.

import { isIP } from 'node:net';
import type { Agent } from 'undici';
import { messageOf } from '../../../base/index.ts';
import type { ObjectReader } from '../../contracts.ts';
import { serviceEndpoint } from './service-endpoint.ts';

export interface ClientConfig {
  readonly url?: string;
  readonly service?: {
    readonly namespace: string;
    readonly name: string;
    readonly path?: string;
    readonly port?: number;
  };
  /** Base64 of PEM; absent: the CAs of the machine. */
  readonly caBundle?: string;
}

export interface WebhookClient {
  /** The body of the answer. Throws Error in the words that a refused client is told. */
  post(config: ClientConfig, body: string, timeoutSeconds: number): Promise<string>;
  close(): void;
}

const answerMax = 16 << 20;
const agentsMax = 256;

export function createWebhookClient(reader: ObjectReader): WebhookClient {
  const agents = new Map<string, Agent>();

  const agentFor = async (servername: string, caBundle: string): Promise<Agent> => {
    const { Agent } = await import('../../outgoing.ts');
    const key = `${servername} ${caBundle}`;
    const known = agents.get(key);
    if (known !== undefined) return known;
    const ca = caBundle === '' ? {} : { ca: Buffer.from(caBundle, 'base64').toString() };
    const agent = new Agent({
      connect: { ...(isIP(servername.replace(/^\[|\]$/g, '')) === 0 ? { servername } : {}), ...ca },
      allowH2: false,
    });
    const oldest = agents.size < agentsMax ? undefined : agents.keys().next().value;
    if (oldest !== undefined) {
      void agents.get(oldest)?.close();
      agents.delete(oldest);
    }
    agents.set(key, agent);
    return agent;
  };

  return {
    async post(config, body, timeoutSeconds) {
      const { shown, origin, path, servername } = addressOf(reader, config);
      const timeout = AbortSignal.timeout(timeoutSeconds * 1000);
      try {
        const answer = await (await agentFor(servername, config.caBundle ?? '')).request({
          origin,
          path: `${path}${path.includes('?') ? '&' : '?'}timeout=${timeoutSeconds}s`,
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/json', host: new URL(shown).host },
          body,
          signal: timeout,
        });
        const text = await readBounded(answer.body);
        if (answer.statusCode >= 200 && answer.statusCode < 300) return text;
        throw new Error(`the server answered ${answer.statusCode}: ${text.slice(0, 200)}`);
      } catch (error) {
        const why = timeout.aborted ? 'context deadline exceeded' : messageOf(error);
        throw new Error(`failed to call webhook: Post "${shown}?timeout=${timeoutSeconds}s": ${why}`, { cause: error });
      }
    },
    close() {
      for (const agent of agents.values()) void agent.destroy();
      agents.clear();
    },
  };
}

interface Address {
  /** As messages name it. */
  readonly shown: string;
  /** Where the connection goes. */
  readonly origin: string;
  readonly path: string;
  /** What the certificate must be for. */
  readonly servername: string;
}

function addressOf(reader: ObjectReader, { url, service }: ClientConfig): Address {
  if (service === undefined) {
    const parsed = new URL(url ?? '');
    const { origin, pathname, search, hostname } = parsed;
    return { shown: `${origin}${pathname}`, origin, path: `${pathname}${search}`, servername: hostname };
  }
  const { namespace, name, path = '/', port = 443 } = service;
  const servername = `${name}.${namespace}.svc`;
  const address = serviceEndpoint(reader, { namespace, name, port });
  return { shown: `https://${servername}:${port}${path}`, origin: `https://${address}`, path, servername };
}

async function readBounded(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > answerMax) throw new Error(`the answer is longer than ${answerMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
