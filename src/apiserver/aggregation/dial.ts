// Requests to the server behind an APIService: TLS verified for `<service>.<namespace>.svc`, our own client certificate, and
// headers that say who asks. The client's own such headers and its credentials never pass, and nothing is held in memory.
// undici is imported with the first request, for the reason that proxy/backend.ts gives.
// Source: kube-aggregator pkg/apiserver/handler_proxy.go; client-go transport/round_trippers.go, SetAuthProxyHeaders.

import type { IncomingHttpHeaders } from 'node:http';
import { type Duplex, Readable } from 'node:stream';
import type { Agent, Dispatcher } from 'undici';
import { CodedError, messageOf } from '../../base/index.ts';
import { forwardedUpgradeHeaders, tunnelUpgrade } from '../../streams/index.ts';
import { ApiError, type UserInfo } from '../contracts.ts';
import { bodyTooLarge } from '../http/exchange.ts';
import { endToEnd, forwarded, unreachable } from '../proxy/backend.ts';
import type { ProxyResponse } from '../proxy/types.ts';
import type { ApiServiceSpec } from './availability.ts';

/** What we prove ourselves with to other API servers, PEM. */
export interface FrontProxyCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface RemoteRequest {
  readonly method: string;
  /** Path and query as the client sent them. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly user: UserInfo;
  readonly signal: AbortSignal;
}

export interface Dialer {
  /** Throws ApiError 503 when the server can't be reached or verified, 413 for a body past `bodyLimit` bytes. */
  request(
    host: string,
    from: RemoteRequest & { readonly body?: Readable; readonly bodyLimit: number },
  ): Promise<ProxyResponse>;
  /** Resolves when the upgraded connection is over. Throws ApiError 503 while nothing was written to the client. */
  upgrade(host: string, from: RemoteRequest & { readonly socket: Duplex; readonly head: Buffer }): Promise<void>;
  close(): Promise<void>;
}

const limits = { connectTimeout: 10_000, headersTimeout: 60_000, bodyTimeout: 0, keepAliveTimeout: 30_000 } as const;

export function createDialer(spec: ApiServiceSpec, own: FrontProxyCertificate | undefined): Dialer {
  const tls = {
    ...own,
    // Without a bundle Node's own roots hold, as the system's do upstream.
    ...(spec.caBundle ? { ca: Buffer.from(spec.caBundle, 'base64').toString() } : {}),
    servername: `${spec.service?.name}.${spec.service?.namespace}.svc`,
    rejectUnauthorized: spec.insecureSkipTLSVerify !== true,
  };
  let agent: Promise<Agent> | undefined;
  const connect = async (): Promise<Agent> => {
    const { Agent } = await import('../outgoing.ts');
    return new Agent({ ...limits, connect: { ...tls, timeout: limits.connectTimeout } });
  };
  return {
    async request(host, { method, target, headers, user, signal, body, bodyLimit }) {
      const hasBody = body !== undefined && method !== 'GET' && method !== 'HEAD';
      if (hasBody && Number(headers['content-length'] ?? 0) > bodyLimit) throw bodyTooLarge(bodyLimit);
      agent ??= connect();
      try {
        const answer = await (await agent).request({
          origin: `https://${host}`,
          path: target,
          method: method as Dispatcher.HttpMethod,
          headers: { ...withoutIdentity(forwarded(headers)), ...identityHeaders(user) },
          ...(hasBody && { body: Readable.from(bounded(body, bodyLimit)) }),
          signal,
        });
        return { status: answer.statusCode, headers: endToEnd(answer.headers), body: answer.body };
      } catch (error) {
        throw error instanceof ApiError ? error : unreachable(`https://${host}`, error);
      }
    },
    async upgrade(host, { method, target, headers, user, signal, socket, head }) {
      const upgradeHeaders = { ...forwardedUpgradeHeaders(headers), ...identityHeaders(user) };
      const url = new URL(`https://${host}${target}`);
      try {
        await tunnelUpgrade(
          { headers, socket, head },
          { url, method, headers: upgradeHeaders, tls: { ca: '', ...tls }, signal },
        );
      } catch (error) {
        if (!(error instanceof CodedError)) throw error;
        throw new ApiError('ServiceUnavailable', messageOf(error), { cause: error });
      }
    },
    async close() {
      await (await agent)?.destroy();
    },
  };
}

async function* bounded(body: Readable, limit: number): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw bodyTooLarge(limit);
    yield chunk;
  }
}

function withoutIdentity<T>(headers: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.toLowerCase().startsWith('x-remote-')));
}

function identityHeaders({ name, uid, groups, extra = {} }: UserInfo): Record<string, string | string[]> {
  return {
    'x-remote-user': name,
    ...(uid === undefined || uid === '' ? {} : { 'x-remote-uid': uid }),
    ...(groups.length === 0 ? {} : { 'x-remote-group': [...groups] }),
    ...Object.fromEntries(
      Object.entries(extra).map(([key, values]) => [`x-remote-extra-${escaped(key)}`, [...values]]),
    ),
  };
}

/** As a header name: what RFC 9110 does not allow in one, and the percent sign, becomes %XX of its UTF-8 bytes. */
function escaped(key: string): string {
  const percent = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return key
    .toLowerCase()
    .replaceAll(/[^!#$&'*+.^_`|~0-9a-z-]/gu, (char) => [...Buffer.from(char)].map(percent).join(''));
}
