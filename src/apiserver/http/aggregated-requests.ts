// Requests that another API server answers: streamed through in both directions, never collected.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Aggregation } from '../aggregation/index.ts';
import type { UserInfo } from '../contracts.ts';
import type { Exchange } from './exchange.ts';
import { streamAnswer } from './proxy-requests.ts';
import { originForm, type Target } from './request-target.ts';

type Remote = NonNullable<ReturnType<Aggregation['find']>>;

/** The other server that `target` belongs to, the discovery of its group-version included. */
export function remoteOf(aggregation: Aggregation, target: Target): Remote | undefined {
  if (target.isResource) return aggregation.find(target.group, target.version);
  const [, root, first = '', second = '', ...more] = target.path.split('/');
  if (more.some((part) => part !== '')) return undefined;
  if (root === 'apis' && second !== '') return aggregation.find(first, second);
  return root === 'api' && first !== '' && second === '' ? aggregation.find('', first) : undefined;
}

export async function serveRemote(
  remote: Remote,
  exchange: Exchange,
  { user, bodyLimit }: { readonly user: UserInfo; readonly bodyLimit: number },
): Promise<void> {
  const { host, dialer } = remote.reach();
  const aborted = new AbortController();
  exchange.onClose(() => aborted.abort(new Error('the client went away')));
  const { method, target, headers } = exchange;
  const body = exchange.bodyStream();
  await streamAnswer(
    exchange,
    await dialer.request(host, { method, target, headers, user, body, bodyLimit, signal: aborted.signal }),
  );
}

export async function upgradeRemote(
  remote: Remote,
  {
    request,
    socket,
    head,
    user,
  }: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer; readonly user: UserInfo },
): Promise<void> {
  const { host, dialer } = remote.reach();
  const aborted = new AbortController();
  socket.once('close', () => aborted.abort(new Error('the client went away')));
  const { method = 'GET', url = '/', headers } = request;
  const target = originForm(url);
  await dialer.upgrade(host, { method, target, headers, user, socket, head, signal: aborted.signal });
}
