// exec, attach and port-forward. SPDY from the client passes through to the node as it is. A WebSocket is ended here: exec
// and attach become SPDY streams towards the node; port-forward is SPDY inside the WebSocket already and is unwrapped.
// The node is asked first, so that its refusal (no such container, pod gone) reaches the client as a Status.

import type { Duplex } from 'node:stream';
import { CodedError, messageOf } from '../../base/index.ts';
import {
  acceptWebSocket,
  acceptWebSocketBytes,
  channelProtocols,
  chooseProtocol,
  createChannels,
  createSpdyConnection,
  dialUpgrade,
  forwardedUpgradeHeaders,
  isWebSocketRequest,
  joinSockets,
  translateRemoteCommand,
  tunnelUpgrade,
  type UpgradeTarget,
} from '../../streams/index.ts';
import { ApiError, type ObjectReader } from '../contracts.ts';
import { chooseContainer } from './containers.ts';
import { agentOrigin, boundPod } from './targets.ts';
import type { NodeProxyOptions, UpgradeRequest } from './types.ts';

const tunnelPrefix = 'SPDY/3.1+';
const portForwardProtocol = 'portforward.k8s.io';
const spdyHeaders = { connection: 'Upgrade', upgrade: 'SPDY/3.1' } as const;

interface Flags {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** Resolves when the connection is over. Throws ApiError while nothing was written to the client. */
export async function upgradeToNode(request: UpgradeRequest, options: NodeProxyOptions): Promise<void> {
  const { subresource } = request;
  const tls = { ca: options.clusterCa, cert: options.clientCert, key: options.clientKey };
  const flags = flagsOf(request.query);
  const url =
    subresource === 'portforward'
      ? portForwardUrl(request, options.reader)
      : commandUrl(request, flags, options.reader);
  const target = { url, method: 'POST', tls, signal: request.signal } as const;
  try {
    if (!isWebSocketRequest(request.headers)) {
      return await tunnelUpgrade(request, { ...target, headers: forwardedUpgradeHeaders(request.headers) });
    }
    if (subresource === 'portforward') return await unwrapPortForward(request, target);
    return await translateCommand(request, target, flags);
  } catch (error) {
    throw asApiError(error);
  }
}

/** A WebSocket (or other upgrade) of a workload behind pods/proxy or services/proxy, passed through. */
export async function upgradeToWorkload(request: UpgradeRequest, url: URL): Promise<void> {
  const target = { url, method: request.method, headers: forwardedUpgradeHeaders(request.headers) };
  try {
    await tunnelUpgrade(request, { ...target, signal: request.signal });
  } catch (error) {
    throw asApiError(error);
  }
}

async function translateCommand(
  request: UpgradeRequest,
  target: Omit<UpgradeTarget, 'headers'>,
  flags: Flags,
): Promise<void> {
  const protocol = chooseProtocol(request.headers, channelProtocols);
  const { socket, head } = await dialNode({
    ...target,
    headers: { ...spdyHeaders, 'x-stream-protocol-version': ['v4.channel.k8s.io'] },
  });
  const server = createSpdyConnection(socket, { role: 'client', head });
  try {
    const client = createChannels(await acceptWebSocket(request, protocol));
    await translateRemoteCommand(client, server, flags);
  } finally {
    server.close();
  }
}

async function unwrapPortForward(request: UpgradeRequest, target: Omit<UpgradeTarget, 'headers'>): Promise<void> {
  const protocol = chooseProtocol(request.headers, [`${tunnelPrefix}${portForwardProtocol}`]);
  const { socket, head } = await dialNode({
    ...target,
    headers: { ...spdyHeaders, 'x-stream-protocol-version': [portForwardProtocol] },
  });
  try {
    const bytes = await acceptWebSocketBytes(request, protocol);
    if (head.length > 0) bytes.write(head);
    await joinSockets(bytes, socket);
  } finally {
    socket.destroy();
  }
}

async function dialNode(target: UpgradeTarget): Promise<{ readonly socket: Duplex; readonly head: Buffer }> {
  const answer = await dialUpgrade(target);
  if (answer.upgraded) return answer;
  throw refusedByNode(answer.message.statusCode ?? 502, answer.body.toString('utf8').trim());
}

/** A node's refusal as our own, with its words. */
export function refusedByNode(status: number, text: string): ApiError {
  if (status === 400) return new ApiError('BadRequest', text);
  if (status === 401 || status === 403) {
    return new ApiError('InternalError', `the node refuses this API server's certificate (${status}): ${text}`);
  }
  if (status === 404) return new ApiError('NotFound', text === '' ? 'the node does not know it' : text);
  if (status === 503) return new ApiError('ServiceUnavailable', text);
  return new ApiError(
    'InternalError',
    `Internal error occurred: ${text === '' ? `the node answered ${status}` : text}`,
  );
}

function portForwardUrl({ namespace, name }: UpgradeRequest, reader: ObjectReader): URL {
  const pod = boundPod(reader, namespace, name);
  return new URL(`${agentOrigin(reader, pod.spec?.nodeName ?? '')}/portForward/${namespace}/${name}`);
}

function commandUrl({ namespace, name, query, subresource }: UpgradeRequest, flags: Flags, reader: ObjectReader): URL {
  const pod = boundPod(reader, namespace, name);
  const container = chooseContainer(pod, query.get('container') ?? '');
  const commands = query.getAll('command');
  if (subresource === 'exec' && commands.length === 0) {
    throw new ApiError('BadRequest', 'you must specify at least 1 command for exec');
  }
  if (!flags.stdin && !flags.stdout && !flags.stderr) {
    throw new ApiError('BadRequest', 'you must specify at least one of stdin, stdout, stderr');
  }
  const url = new URL(
    `${agentOrigin(reader, pod.spec?.nodeName ?? '')}/${subresource}/${namespace}/${name}/${container}`,
  );
  for (const command of commands) url.searchParams.append('command', command);
  if (flags.stdin) url.searchParams.set('input', '1');
  if (flags.stdout) url.searchParams.set('output', '1');
  if (flags.stderr && !flags.tty) url.searchParams.set('error', '1');
  if (flags.tty) url.searchParams.set('tty', '1');
  return url;
}

function flagsOf(query: URLSearchParams): Flags {
  const on = (name: string): boolean => ['true', '1'].includes(query.get(name) ?? '');
  return { stdin: on('stdin'), stdout: on('stdout'), stderr: on('stderr'), tty: on('tty') };
}

function asApiError(error: unknown): unknown {
  if (!(error instanceof CodedError)) return error;
  const reason = error.code === 'STREAM_UNREACHABLE' ? 'ServiceUnavailable' : 'BadRequest';
  return new ApiError(reason, messageOf(error), { cause: error });
}
