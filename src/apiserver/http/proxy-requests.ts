// Requests that a node answers: logs, exec, attach, port-forward, proxies. They are streamed through, never collected.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { ApiError, type UserInfo } from '../contracts.ts';
import type { NodeProxy } from '../proxy/index.ts';
import type { ProxyResponse } from '../proxy/types.ts';
import type { Exchange } from './exchange.ts';
import type { ResourceTarget } from './request-target.ts';

interface Proxied {
  readonly target: ResourceTarget;
  readonly query: URLSearchParams;
  readonly user: UserInfo;
}

export async function serveProxy(
  proxy: NodeProxy | undefined,
  exchange: Exchange,
  { target, query, user }: Proxied,
): Promise<void> {
  const aborted = new AbortController();
  exchange.onClose(() => aborted.abort(new Error('the client went away')));
  const { method, headers } = exchange;
  const { resource, subresource, namespace, name, rest } = target;
  const answer = await available(proxy).handle({
    ...{ resource, subresource, namespace, name, rest, query, method, headers, user },
    body: exchange.bodyStream(),
    signal: aborted.signal,
  });
  await streamAnswer(exchange, answer);
}

/** Passes an answer on as it comes, no faster than the client reads. */
export async function streamAnswer(exchange: Exchange, answer: ProxyResponse): Promise<void> {
  const body = exchange.stream(answer.status, copied(answer.headers));
  exchange.onClose(() => answer.body.destroy());
  for await (const chunk of answer.body) {
    if (body.closed) return;
    if (!body.write(chunk as Buffer)) await body.drained();
  }
  body.end();
}

export async function upgradeProxy(
  proxy: NodeProxy | undefined,
  {
    request,
    socket,
    head,
    target,
    query,
    user,
  }: Proxied & {
    readonly request: IncomingMessage;
    readonly socket: Duplex;
    readonly head: Buffer;
  },
): Promise<void> {
  const aborted = new AbortController();
  socket.once('close', () => aborted.abort(new Error('the client went away')));
  const { resource, subresource, namespace, name, rest } = target;
  const method = request.method ?? 'GET';
  const { headers } = request;
  await available(proxy).upgrade({
    ...{ resource, subresource, namespace, name, rest, query, method, headers, user, socket, head },
    signal: aborted.signal,
  });
}

function available(proxy: NodeProxy | undefined): NodeProxy {
  if (proxy !== undefined) return proxy;
  throw new ApiError('ServiceUnavailable', 'this API server was started without a client certificate for nodes');
}

function copied(headers: Readonly<Record<string, string | readonly string[]>>): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  );
}
