// HTTP/1.1 in all its forms, by node:http: whatever plain-connection.ts does not take. What it cannot take either gets an
// answer that says so, as the last one of its connection.

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { codeOf, nodeHttp } from '../../base/index.ts';
import type { Exchange } from './exchange.ts';
import { Http1Exchange } from './exchange-h1.ts';
import { statusText } from './status-text.ts';

export interface FullParserOptions {
  readonly onExchange: (exchange: Exchange) => void;
  /** Whether a request may go over to another protocol; for any other one the wish is not heard, as HTTP allows. */
  readonly mayUpgrade: (request: IncomingMessage) => boolean;
  /** Requests that ask for another protocol (exec, attach, port-forward) and may have it. */
  readonly onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

const headersBytesMax = 64 << 10;

/** Serves connections that are handed to it by emitting `connection`; it never listens itself. */
export function createFullParser(
  { onExchange, mayUpgrade, onUpgrade }: FullParserOptions,
  { headersMs, idleMs }: { readonly headersMs: number; readonly idleMs: number },
): Server {
  const http = nodeHttp().createServer({
    keepAliveTimeout: idleMs,
    headersTimeout: headersMs,
    connectionsCheckingInterval: Math.min(30_000, headersMs),
    requestTimeout: 0, // bodies are bounded; watches and uploads of slow clients are not cut
    maxHeaderSize: headersBytesMax,
    noDelay: true,
    insecureHTTPParser: false,
    shouldUpgradeCallback: mayUpgrade,
  });
  const answers = new WeakMap<Duplex, ServerResponse>();
  const serve = (request: IncomingMessage, response: ServerResponse, waits: boolean): void => {
    answers.set(request.socket, response);
    // Two names for this server are a mistake or a trick (RFC 9112 §3.2).
    if ((request.headersDistinct['host']?.length ?? 1) > 1) refuse(request.socket, 400);
    else onExchange(new Http1Exchange(request, response, waits));
  };
  http.on('request', (request, response) => serve(request, response, false));
  http.on('checkContinue', (request, response) => serve(request, response, true));
  http.on('upgrade', onUpgrade);
  http.on('connect', (_request, socket) => refuse(socket, 405));
  http.on('clientError', (error, socket) => {
    const answer = answers.get(socket);
    // Into an answer that is under way nothing else may be written.
    if (answer?.headersSent === true && !answer.writableFinished) socket.destroy();
    else refuse(socket, faults[codeOf(error) ?? ''] ?? 400);
  });
  // The event starts what enforces its time-outs and knows its idle connections.
  http.emit('listening');
  return http;
}

/** What the parser gives up on, other than as a bad request. */
const faults: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};
const lingerMs = 500;

/** What the client still sends is read for a while, and told of here again: a reset would take the answer away. */
function refuse(socket: Duplex, status: number): void {
  if (!socket.writable) return;
  socket.on('error', () => undefined);
  setTimeout(() => socket.destroy(), lingerMs).unref();
  socket.end(`HTTP/1.1 ${status} ${statusText(status)}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  socket.resume();
}
