// The TLS door. One tls.Server decides by ALPN which protocol parses the connection: `h2` goes to node:http2's core API,
// everything else to a PlainConnection, which leaves what is not plain to node:http (loaded with the first of these).
// http2.createSecureServer({ allowHTTP1: true }) does the same inside, but its HTTP/1.1 side is slower and offers no say
// over parser time-outs; composing the two keeps both plain paths fast.
//
// Client certificates are asked for and never enforced: authentication judges them. Time-outs bound every state in which a
// client can hold a connection without sending: handshake, headers, idle keep-alive.

import type { Server } from 'node:http';
import { performServerHandshake, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { CodedError, codeOf, type Logger, messageOf } from '../../base/index.ts';
import { Http2Exchange } from './exchange-h2.ts';
import { createFullParser, type FullParserOptions } from './full-parser.ts';
import { PlainConnection } from './plain-connection.ts';

export interface TlsMaterial {
  /** PEM: serving certificate chain and its key. */
  readonly cert: string;
  readonly key: string;
  /** PEM: client certificates signed by these count as verified. */
  readonly clientCa?: string;
  /** PEM: front proxies' certificates are signed by these. */
  readonly frontProxyCa?: string;
}

/** How long a client may hold a connection without getting on, ms. */
export interface Timeouts {
  /** From connecting to the end of the TLS handshake; 10 s. */
  readonly handshake?: number;
  /** From the handshake to the end of the first request's headers; 32 s, as upstream. */
  readonly headers?: number;
  /** Between requests, and between pieces of a body; 2 min. */
  readonly idle?: number;
}

export interface ListenerOptions extends FullParserOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsMaterial;
  readonly logger: Logger;
  readonly timeouts?: Timeouts;
}

export interface Listener {
  readonly port: number;
  /** New connections use `tls` from now on; open ones keep what they have. */
  replaceTls(tls: TlsMaterial): void;
  /** Takes no new connections, lets requests finish for `graceMs`, then cuts what is left. */
  close(graceMs: number): Promise<void>;
}

const keepAliveMs = 60_000;
const http2Settings = { maxConcurrentStreams: 1000, initialWindowSize: 1 << 20, enableConnectProtocol: false };

/** Throws CodedError PORT_IN_USE, ADDRESS_NOT_AVAILABLE, PORT_NOT_PERMITTED or TLS_MATERIAL_INVALID. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { logger, onExchange } = options;
  const { handshake = 10_000, headers: headersMs = 32_000, idle = 120_000 } = options.timeouts ?? {};
  const sockets = new Set<TLSSocket>();
  const sessions = new Set<ServerHttp2Session>();
  const plain = new Set<PlainConnection>();
  const date = createDate();

  let http: Server | undefined;
  const server = createTlsServer({
    ...contextOf(options.tls),
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2', 'http/1.1'],
    handshakeTimeout: handshake,
    noDelay: true,
    // A watch may have nothing to say for hours: the kernel finds out that its client's machine is gone.
    keepAlive: true,
    keepAliveInitialDelay: keepAliveMs,
  });
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', (error) => logger.debug('connection failed', { error: messageOf(error) }));
    if (socket.alpnProtocol === 'h2') serveHttp2(socket);
    else serveHttp1(socket);
  });
  server.on('tlsClientError', (error, socket) => {
    logger.debug('TLS handshake failed', { error: messageOf(error) });
    // Node does not close one that only took too long.
    socket.destroy();
  });

  function serveHttp1(socket: TLSSocket): void {
    const connection = new PlainConnection(socket, {
      onExchange,
      handOver(taken, unread) {
        plain.delete(connection);
        http ??= createFullParser(options, { headersMs, idleMs: idle });
        http.emit('connection', taken);
        taken.unshift(unread);
      },
      date,
      firstRequestMs: headersMs,
      idleMs: idle,
    });
    plain.add(connection);
    socket.on('close', () => plain.delete(connection));
  }

  function serveHttp2(socket: TLSSocket): void {
    const session = performServerHandshake(socket, { settings: http2Settings, maxSessionMemory: 64 });
    sessions.add(session);
    session.setTimeout(idle, () => {
      if (session.state.lastProcStreamID === 0 || openStreams.get(session) === 0) session.close();
    });
    session.on('close', () => sessions.delete(session));
    session.on('error', (error) => logger.debug('HTTP/2 session failed', { error: messageOf(error) }));
    session.on('stream', (stream, headers) => {
      openStreams.set(session, (openStreams.get(session) ?? 0) + 1);
      stream.on('close', () => openStreams.set(session, (openStreams.get(session) ?? 1) - 1));
      stream.on('error', (error) => logger.debug('HTTP/2 stream failed', { error: messageOf(error) }));
      onExchange(new Http2Exchange(stream, headers, socket));
    });
  }
  const openStreams = new WeakMap<ServerHttp2Session, number>();

  await bind(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    replaceTls: (tls) => server.setSecureContext(contextOf(tls)),
    async close(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const session of sessions) session.close();
      for (const connection of plain) connection.closeWhenIdle();
      http?.close();
      http?.closeIdleConnections();
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** The value of `Date`, worked out once a second. */
function createDate(): () => string {
  let second = -1;
  let text = '';
  return () => {
    const now = Math.floor(Date.now() / 1000);
    if (now !== second) {
      second = now;
      text = new Date(now * 1000).toUTCString();
    }
    return text;
  };
}

function contextOf({ cert, key, clientCa, frontProxyCa }: TlsMaterial): SecureContextOptions {
  const ca = [clientCa, frontProxyCa].filter((pem) => pem !== undefined);
  return { cert, key, minVersion: 'TLSv1.2', ...(ca.length === 0 ? {} : { ca }) };
}

function bind(server: ReturnType<typeof createTlsServer>, { host, port }: ListenerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(whyNotBound(error, host, port)));
    server.listen({ host, port, backlog: 1024 }, () => resolve());
  });
}

function whyNotBound(error: Error, host: string, port: number): Error {
  const at = `${host}:${port}`;
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return new CodedError('PORT_IN_USE', `another program listens on ${at}`, {
        exit: 'preflight',
        hint: `stop it (ss -ltnp 'sport = :${port}' names it), or choose another port with --apiserver-bind-port (run control-plane: --port)`,
        cause: error,
      });
    case 'EADDRNOTAVAIL':
      return new CodedError('ADDRESS_NOT_AVAILABLE', `${host} is not an address of this machine`, {
        exit: 'invalidInput',
        hint: 'choose one that `ip address` shows with --apiserver-advertise-address',
        cause: error,
      });
    case 'EACCES':
      return new CodedError('PORT_NOT_PERMITTED', `this user may not listen on ${at}`, {
        exit: 'preflight',
        hint: 'run as root, or choose a port above 1023',
        cause: error,
      });
    default:
      return error;
  }
}
