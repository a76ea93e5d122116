// Whether another node's agent can be reached at an address: its own one, or that of its end of the overlay. A TCP
// connection shows that small packets pass; then a request with a long header makes several packets of full size, which TCP
// sends with "don't fragment", so a path that loses large packets shows. The agent refuses the request, as nobody says who
// he is: any answer will do. `ping -M do` was refused: it is not installed everywhere and needs a right of its own.

import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { codeOf, messageOf } from '../base/index.ts';

/**
 * no-answer   nothing came back: packets are dropped on the way, or the machine is off
 * refused     the machine answers, but nobody listens there
 * unroutable  this machine does not know a way
 * large-lost  the connection was made, and then no large packet came through
 */
export type ReachOutcome = 'ok' | 'no-answer' | 'refused' | 'unroutable' | 'large-lost' | 'failed';

export interface Reach {
  /** address:port */
  readonly target: string;
  readonly outcome: ReachOutcome;
  /** What was seen, for those who look deeper. */
  readonly detail?: string;
  /** When the serving certificate ends, ISO 8601. */
  readonly certificateEnds?: string;
}

export interface ReachOptions {
  readonly address: string;
  readonly port: number;
  /** ms for the connection, and again for the answer. Default 4000. */
  readonly timeout?: number;
  readonly signal: AbortSignal;
}

/** More than three full packets of Ethernet, and less than what an HTTP server takes as headers. */
const padding = 'x'.repeat(6000);

/** Rejects only when `signal` aborts. */
export async function reach({ address, port, timeout = 4000, signal }: ReachOptions): Promise<Reach> {
  signal.throwIfAborted();
  const target = `${address}:${port}`;
  const socket = connect({ host: address, port });
  try {
    await happens(socket, 'connect', timeout, signal);
  } catch (error) {
    socket.destroy();
    signal.throwIfAborted();
    return { target, ...failure(error) };
  }
  const tls = connectTls({ socket, rejectUnauthorized: false });
  try {
    await happens(tls, 'secureConnect', timeout, signal);
    tls.write(`GET /healthz HTTP/1.1\r\nHost: ${target}\r\nX-Padding: ${padding}\r\nConnection: close\r\n\r\n`);
    await happens(tls, 'data', timeout, signal);
    return { target, outcome: 'ok', ...certificateOf(tls) };
  } catch (error) {
    signal.throwIfAborted();
    const found = failure(error);
    return { target, ...found, ...(found.outcome === 'no-answer' ? { outcome: 'large-lost' as const } : {}) };
  } finally {
    tls.destroy();
    socket.destroy();
  }
}

class NoAnswer extends Error {}

function happens(socket: Socket, event: string, timeout: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(() => reject(new NoAnswer(`nothing for ${timeout} ms`))), timeout);
    const onAbort = (): void => settle(() => reject(signal.reason));
    const onError = (error: Error): void => settle(() => reject(error));
    const onClose = (): void => settle(() => reject(new Error('the connection was closed')));
    const onEvent = (): void => settle(resolve);
    const settle = (then: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off(event, onEvent).off('close', onClose).off('error', onError);
      socket.on('error', () => undefined); // whatever comes after this is over already
      then();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once(event, onEvent).once('close', onClose).once('error', onError);
  });
}

function failure(error: unknown): { readonly outcome: ReachOutcome; readonly detail: string } {
  const detail = messageOf(error);
  if (error instanceof NoAnswer || codeOf(error) === 'ETIMEDOUT') return { outcome: 'no-answer', detail };
  if (codeOf(error) === 'ECONNREFUSED') return { outcome: 'refused', detail };
  const isUnroutable = /^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/.test(codeOf(error) ?? '');
  return { outcome: isUnroutable ? 'unroutable' : 'failed', detail };
}

function certificateOf(tls: TLSSocket): { readonly certificateEnds?: string } {
  const { valid_to: end } = tls.getPeerCertificate();
  return end === undefined ? {} : { certificateEnds: new Date(end).toISOString() };
}
