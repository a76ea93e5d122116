// WebSocket connections that carry Kubernetes streams: the server's side of the handshake, and the plain byte stream that
// kubectl's port-forward tunnels its SPDY connection through (subprotocol `SPDY/3.1+portforward.k8s.io`).

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { CodedError } from '../base/index.ts';

/** One message may not be larger; clients of today send 32 KiB. */
const maxMessage = 4 * 1024 * 1024;

export interface WebSocketRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Whether an upgrade request asks for a WebSocket (RFC 6455 §4.1), as against SPDY/3.1. */
export function isWebSocketRequest(headers: IncomingHttpHeaders): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/** The subprotocols a client offers, in its order of preference. */
export function offeredProtocols(headers: IncomingHttpHeaders): readonly string[] {
  return (headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
}

/**
 * The first of the client's subprotocols that is in `accepted`.
 * @throws CodedError STREAM_PROTOCOL_UNKNOWN when there is none; nothing was answered then.
 */
export function chooseProtocol(headers: IncomingHttpHeaders, accepted: readonly string[]): string {
  const offered = offeredProtocols(headers);
  const chosen = offered.find((protocol) => accepted.includes(protocol));
  if (chosen !== undefined) return chosen;
  throw new CodedError(
    'STREAM_PROTOCOL_UNKNOWN',
    `unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${accepted.join(' ')}]`,
    { hint: 'use a client that speaks one of the accepted protocols' },
  );
}

/** Answers the handshake with the subprotocol `protocol`. Rejects when the client's request is no valid handshake. */
export async function acceptWebSocket(request: WebSocketRequest, protocol: string): Promise<WebSocket> {
  const { WebSocketServer } = await import('ws'); // with the first of them: a server may never have one
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: maxMessage,
    perMessageDeflate: false,
    handleProtocols: () => protocol,
  });
  return await new Promise((resolve, reject) => {
    server.once('wsClientError', reject);
    // Of the request the handshake reads method and headers alone.
    const { method, headers, socket, head } = request;
    server.handleUpgrade({ method, headers } as IncomingMessage, socket, head, resolve);
  });
}

/** The same, as one stream of the bytes of all messages; what is written goes out as binary messages. */
export async function acceptWebSocketBytes(request: WebSocketRequest, protocol: string): Promise<Duplex> {
  const { createWebSocketStream } = await import('ws');
  return createWebSocketStream(await acceptWebSocket(request, protocol), { allowHalfOpen: false });
}
