// Plain requests to nodes, pods and services, streamed in both directions through undici: nothing is held in memory, a slow
// client slows the node down, and a client that goes away ends the request.
// Three kinds of trust: nodes are verified with the cluster CA and see our certificate; `insecureSkipTLSVerifyBackend` (logs
// of a node whose certificate expired) still shows ours; workloads behind https show us whatever they like, as upstream.
// undici is imported with the first request: it is a fifth of an idle server's memory, and many servers never proxy.

import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Agent, Dispatcher } from 'undici';
import { codeOf, messageOf } from '../../base/index.ts';
import { ApiError } from '../contracts.ts';
import type { NodeProxyOptions, ProxyRequest, ProxyResponse } from './types.ts';

export type Trust = 'node' | 'node-unverified' | 'workload';

export interface Backend {
  /** Throws ApiError 503 when the other side cannot be reached. */
  request(url: string, trust: Trust, from: ProxyRequest): Promise<ProxyResponse>;
  /** Takes no new requests and closes when those under way are over. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

/** Of one connection (RFC 9110 §7.6.1), or ours to say. */
const hopHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
const secretHeaders = new Set(['authorization', 'host', 'content-length', 'expect']);

export function createBackend(options: Pick<NodeProxyOptions, 'clientCert' | 'clientKey' | 'clusterCa'>): Backend {
  const { clientCert: cert, clientKey: key, clusterCa: ca } = options;
  const limits = { connectTimeout: 10_000, headersTimeout: 60_000, bodyTimeout: 0, keepAliveTimeout: 30_000 } as const;
  let agents: Promise<Readonly<Record<Trust, Agent>>> | undefined;
  const connect = async (): Promise<Readonly<Record<Trust, Agent>>> => {
    const { Agent } = await import('../outgoing.ts');
    return {
      node: new Agent({ ...limits, connect: { ca, cert, key, timeout: limits.connectTimeout } }),
      'node-unverified': new Agent({ ...limits, connect: { cert, key, rejectUnauthorized: false } }),
      workload: new Agent({ ...limits, connect: { rejectUnauthorized: false } }),
    };
  };
  return {
    async request(url, trust, from) {
      const hasBody = from.method !== 'GET' && from.method !== 'HEAD';
      const options = {
        method: from.method as Dispatcher.HttpMethod,
        headers: forwarded(from.headers),
        ...(hasBody && { body: from.body }),
        signal: from.signal,
      };
      try {
        const { origin, pathname, search } = new URL(url);
        agents ??= connect();
        const answer = await (await agents)[trust].request({ ...options, origin, path: `${pathname}${search}` });
        return { status: answer.statusCode, headers: endToEnd(answer.headers), body: answer.body };
      } catch (error) {
        throw unreachable(url, error);
      }
    },
    async finish() {
      const open = agents === undefined ? [] : Object.values(await agents);
      await Promise.all(open.map((agent) => agent.close()));
    },
    async close() {
      const open = agents === undefined ? [] : Object.values(await agents);
      await Promise.all(open.map((agent) => agent.destroy()));
    },
  };
}

/** The answer's body as text, at most `max` bytes of it; the rest is not read. */
export async function readText(body: Readable, max = 50_000): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body as AsyncIterable<Buffer>) {
    size += part.length;
    parts.push(part);
    if (size >= max) break;
  }
  return Buffer.concat(parts).subarray(0, max).toString('utf8').trim();
}

export function unreachable(url: string, error: unknown): ApiError {
  const inner = error instanceof AggregateError ? error.errors[0] : error;
  const code = codeOf(inner);
  const text = messageOf(inner);
  const why = code === undefined || text.includes(code) ? text : `${text} (${code})`;
  return new ApiError('ServiceUnavailable', `error dialing backend ${new URL(url).host}: ${why}`, { cause: error });
}

export function forwarded(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (value === undefined || name.startsWith(':') || hopHeaders.has(lower) || secretHeaders.has(lower)) continue;
    if (!lower.startsWith('impersonate-')) kept[name] = value;
  }
  return kept;
}

export function endToEnd(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const entries = Object.entries(headers).filter(([name]) => !hopHeaders.has(name.toLowerCase()));
  return Object.fromEntries(entries.filter((entry): entry is [string, string | string[]] => entry[1] !== undefined));
}
