// HTTP/1.1 upgrades towards another server, and the raw tunnel between a client's upgraded connection and such a server.
// The tunnel does not look at the bytes: SPDY from kubectl passes the API server and the node's agent unread, down to the
// container runtime, so there is one implementation of the protocol less between the two ends.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { CodedError, codeOf, messageOf, nodeHttp } from '../base/index.ts';

export interface UpgradeTarget {
  readonly url: URL;
  readonly method: string;
  /** Connection and Upgrade among them; a list becomes one header line per item. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** For https targets: what the server is verified with, and our own certificate. */
  readonly tls?: { readonly ca: string; readonly cert?: string; readonly key?: string; readonly servername?: string };
  /** Until the answer's head is there. Default 10 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export type UpgradeAnswer =
  | { readonly upgraded: true; readonly message: IncomingMessage; readonly socket: Duplex; readonly head: Buffer }
  | { readonly upgraded: false; readonly message: IncomingMessage; readonly body: Buffer };

/** The client's side of a tunnel: an upgrade request that nobody answered yet. */
export interface UpgradedClient {
  readonly headers: IncomingHttpHeaders;
  readonly socket: Duplex;
  readonly head: Buffer;
}

const defaultTimeoutMs = 10_000;
const maxRefusal = 64 * 1024;
/** How long the other direction may stay silent after one side ended. */
const lingerMs = 10_000;

/**
 * Asks a server to upgrade. A server that answers something else than 101 is an answer too, with its body (64 KiB at most).
 * @throws CodedError STREAM_UNREACHABLE when there is no answer, with the cause in the message.
 */
export function dialUpgrade(target: UpgradeTarget): Promise<UpgradeAnswer> {
  const { url, method, tls, timeoutMs = defaultTimeoutMs, signal } = target;
  const options = {
    method,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port,
    path: `${url.pathname}${url.search}`,
    headers: Object.fromEntries(Object.entries(target.headers).map(([name, value]) => [name, plainValue(value)])),
    agent: false,
    ...(signal === undefined ? {} : { signal }),
  } as const;
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? httpsRequest({ ...options, ...tls }) : nodeHttp().request(options);
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    request.on('error', (cause) => {
      clearTimeout(timer);
      reject(unreachable(url, cause));
    });
    request.on('upgrade', (message, socket, head) => {
      clearTimeout(timer);
      resolve({ upgraded: true, message, socket, head });
    });
    request.on('response', (message) => {
      readBounded(message).then(
        (body) => {
          clearTimeout(timer);
          resolve({ upgraded: false, message, body });
        },
        (cause: unknown) => {
          clearTimeout(timer);
          reject(unreachable(url, cause));
        },
      );
    });
    request.end();
  });
}

/**
 * Passes a client's upgrade on to `target` and then bytes both ways until either end closes. A refusal is passed on as it
 * is. Resolves when the tunnel is over. Throws like dialUpgrade while nothing was written to the client.
 */
export async function tunnelUpgrade(client: UpgradedClient, target: UpgradeTarget): Promise<void> {
  const answer = await dialUpgrade(target);
  const { message } = answer;
  if (!answer.upgraded) {
    client.socket.end(Buffer.concat([refusalHead(message, answer.body.length), answer.body]));
    return;
  }
  const lines = [`HTTP/1.1 101 Switching Protocols`];
  for (let at = 0; at + 1 < message.rawHeaders.length; at += 2) {
    lines.push(`${message.rawHeaders[at]}: ${message.rawHeaders[at + 1]}`);
  }
  client.socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  if (answer.head.length > 0) client.socket.write(answer.head);
  if (client.head.length > 0) answer.socket.write(client.head);
  await joinSockets(client.socket, answer.socket);
}

/** The headers of an upgrade request that the next server needs: how to upgrade, and nothing about who asks. */
export function forwardedUpgradeHeaders(headers: IncomingHttpHeaders): Record<string, string | readonly string[]> {
  const names = Object.keys(headers).filter(
    (name) => name === 'connection' || name === 'upgrade' || name === 'origin' || name.startsWith('sec-websocket-'),
  );
  const streamProtocols = protocolsOf(headers);
  return {
    ...Object.fromEntries(names.map((name) => [name, String(headers[name])])),
    ...(streamProtocols.length === 0 ? {} : { 'x-stream-protocol-version': streamProtocols }),
  };
}

/** Bytes both ways with back-pressure and half-close; resolves when both are closed. */
export function joinSockets(a: Duplex, b: Duplex): Promise<void> {
  return new Promise((resolve) => {
    let open = 2;
    let linger: NodeJS.Timeout | undefined;
    const cut = (): void => {
      a.destroy();
      b.destroy();
    };
    const closed = (): void => {
      open -= 1;
      cut();
      if (open > 0) return;
      clearTimeout(linger);
      resolve();
    };
    const ended = (): void => {
      linger ??= setTimeout(cut, lingerMs).unref();
    };
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      from.on('error', () => undefined);
      from.once('end', ended);
      from.on('data', () => linger?.refresh());
      if (from.destroyed) closed();
      else from.once('close', () => (to.writableLength === 0 ? closed() : to.end(closed)));
      from.pipe(to);
    }
  });
}

function protocolsOf(headers: IncomingHttpHeaders): readonly string[] {
  const value = headers['x-stream-protocol-version'];
  return (typeof value === 'string' ? [value] : (value ?? [])).flatMap((one) => one.split(/,\s*/)).filter(Boolean);
}

async function readBounded(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of message as AsyncIterable<Buffer>) {
    size += part.length;
    parts.push(part);
    if (size > maxRefusal) break;
  }
  return Buffer.concat(parts).subarray(0, maxRefusal);
}

function refusalHead(message: IncomingMessage, length: number): Buffer {
  const type = message.headers['content-type'] ?? 'text/plain; charset=utf-8';
  const status = `${message.statusCode ?? 502} ${message.statusMessage ?? ''}`.trim();
  return Buffer.from(
    `HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n`,
  );
}

function plainValue(value: string | readonly string[]): string | string[] {
  return typeof value === 'string' ? value : [...value];
}

function unreachable(url: URL, cause: unknown): CodedError {
  const code = codeOf(cause);
  const why =
    code === undefined || messageOf(cause).includes(code) ? messageOf(cause) : `${messageOf(cause)} (${code})`;
  return new CodedError('STREAM_UNREACHABLE', `error dialing backend ${url.host}: ${why}`, {
    hint: 'check that the node is up, that its agent listens there, and that no firewall is between',
    cause,
  });
}
