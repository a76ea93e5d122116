// The node's HTTPS server, :10250, with the kubelet's paths, so that an upstream API server, metrics-server and kubectl
// work with it. Streams (exec, attach, port-forward) are not spoken here: the upgrade is passed on to the runtime's own
// streaming server, byte by byte. Every request is authenticated and authorised first.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { type Logger, messageOf } from '../../base/index.ts';
import type { TlsIdentity } from '../../client/index.ts';
import type { AccessControl } from './access.ts';
import { type AgentRoutes, RequestError } from './routes.ts';

export interface AgentServer {
  readonly port: number;
  /** The certificate to serve with, and whose clients to accept, from now on; open connections keep what they have. */
  useIdentity(identity: TlsIdentity): void;
  close(): Promise<void>;
}

export interface AgentServerOptions {
  readonly bindAddress: string;
  readonly port: number;
  /** PEM of the CA that signs client certificates. */
  readonly ca: string;
  readonly access: AccessControl;
  readonly routes: AgentRoutes;
  readonly logger: Logger;
}

export async function startAgentServer(options: AgentServerOptions): Promise<AgentServer> {
  const { access, routes, logger } = options;
  let { ca } = options;
  const server = createServer({ ca, requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.2' });
  const streams = new Set<IncomingMessage>();

  server.on('request', (request, response) => {
    answer(request, response).catch((error: unknown) => fail(response, error));
  });
  server.on('upgrade', (request, socket, head) => {
    streams.add(request);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => streams.delete(request));
    (async () => {
      const refused = await access.check(request, pathOf(request).pathname);
      if (refused !== undefined) throw new RequestError(refused.status, refused.message);
      await routes.upgrade(pathOf(request), {
        headers: request.headers,
        socket,
        head,
        method: request.method ?? 'POST',
      });
    })().catch((error: unknown) => {
      const { status, message } = asRequestError(error);
      if (!socket.writable) return;
      const text = `${message}\n`;
      socket.end(
        `HTTP/1.1 ${status} \r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
      );
    });
  });
  // A client that breaks its handshake off is its own business.
  server.on('tlsClientError', (error) => logger.debug('TLS handshake failed', { error: messageOf(error) }));

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.bindAddress, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    useIdentity(identity) {
      const { cert, key } = identity;
      ca = identity.ca ?? ca;
      server.setSecureContext({ cert, key, ca, minVersion: 'TLSv1.2' });
    },
    close: () => closeServer(server, streams),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refused = await access.check(request, pathOf(request).pathname);
    if (refused !== undefined) throw new RequestError(refused.status, refused.message);
    const stop = new AbortController();
    response.once('close', () => stop.abort());
    const { contentType, body } = await routes.handle(request.method ?? 'GET', pathOf(request), stop.signal);
    response.writeHead(200, { 'content-type': contentType });
    if (typeof body === 'string') response.end(body);
    else {
      // A follower's client wants to know at once that it is connected, not when the first line comes.
      response.flushHeaders();
      await pipeline(body, response).catch((error: unknown) => {
        if (!stop.signal.aborted) throw error;
      });
    }
  }

  function fail(response: ServerResponse, error: unknown): void {
    const { status, message } = asRequestError(error);
    if (status >= 500) logger.warn('request failed', { error });
    if (response.headersSent) return void response.destroy();
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(`${message}\n`);
  }
}

function asRequestError(error: unknown): RequestError {
  return error instanceof RequestError ? error : new RequestError(500, messageOf(error));
}

function pathOf({ url = '/' }: IncomingMessage): URL {
  return new URL(url, 'https://agent');
}

async function closeServer(server: Server, streams: ReadonlySet<IncomingMessage>): Promise<void> {
  for (const { socket } of streams) socket.destroy();
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
