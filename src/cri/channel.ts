// gRPC over a unix socket, client side, on node:http2: unary calls and server streams, which is all that CRI has.
//
// One HTTP/2 session, opened at the first call and again after it broke. A message is framed as one byte (compressed, 0),
// four bytes of length, then the bytes; the answer's status is in the trailers. Source: github.com/grpc/grpc
// PROTOCOL-HTTP2.md. @grpc/grpc-js was measured and refused for this socket: 55 ms and 6 MB more in every agent, for name
// resolution, load balancing and retries that one local socket has no use for.

import http2 from 'node:http2';
import net from 'node:net';
import { decode, type Encodable, encode, type Message } from './wire.ts';

export interface Method<Request, Response> {
  /** `/package.Service/Method` */
  readonly path: string;
  readonly request: Message<Request>;
  readonly response: Message<Response>;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** ms without an answer before the call is given up with status DEADLINE_EXCEEDED; none by default. */
  readonly timeout?: number | undefined;
}

/** The status codes that are told apart here. Source: grpc statuscodes. */
export const grpcStatus = {
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  unimplemented: 12,
  unavailable: 14,
} as const;

export class GrpcError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = 'GrpcError';
    this.status = status;
  }
}

export interface Channel {
  /** Rejects with GrpcError, with the socket's own error (ENOENT, EACCES, …) or with the signal's reason. */
  call<Request, Response>(
    method: Method<Request, Response>,
    request: Encodable<Request>,
    options?: CallOptions,
  ): Promise<Response>;
  stream<Request, Response>(
    method: Method<Request, Response>,
    request: Encodable<Request>,
    signal: AbortSignal,
  ): AsyncGenerator<Response, void>;
  close(): void;
}

/** @param path of the unix socket, without `unix://`. */
export function createChannel(path: string): Channel {
  let session: http2.ClientHttp2Session | undefined;
  let lost: unknown;

  const connected = (): http2.ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    lost = undefined;
    const opened = http2.connect('http://localhost', {
      createConnection: () => net.connect(path),
      settings: { initialWindowSize: 1 << 20, enablePush: false },
    });
    opened.on('error', (error) => {
      lost = error;
    });
    opened.on('goaway', () => opened.close());
    session = opened;
    return opened;
  };

  const open = <Request>(method: Method<Request, unknown>, request: Encodable<Request>): http2.ClientHttp2Stream => {
    const stream = connected().request({
      ':method': 'POST',
      ':path': method.path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.end(frame(encode(method.request, request)));
    return stream;
  };

  return {
    async call(method, request, options = {}) {
      for await (const message of messages(open(method, request), () => lost, options)) {
        return decode(method.response, message);
      }
      throw new GrpcError(grpcStatus.unknown, `${method.path} answered nothing`);
    },
    async *stream(method, request, signal) {
      for await (const message of messages(open(method, request), () => lost, { signal })) {
        yield decode(method.response, message);
      }
    },
    close() {
      session?.destroy();
    },
  };
}

function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

async function* messages(
  stream: http2.ClientHttp2Stream,
  lost: () => unknown,
  options: CallOptions,
): AsyncGenerator<Buffer, void> {
  const { signal, timeout } = options;
  let late = false;
  let head: http2.IncomingHttpHeaders = {};
  const cancel = (): void => stream.close(http2.constants.NGHTTP2_CANCEL);
  stream.on('response', (headers) => {
    head = headers;
  });
  stream.on('trailers', (headers) => {
    head = headers;
  });
  stream.on('error', () => undefined); // the loop below rejects with it
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted === true) cancel();
  if (timeout !== undefined) {
    stream.setTimeout(timeout, () => {
      late = true;
      cancel();
    });
  }
  try {
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of stream) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
        const end = 5 + rest.readUInt32BE(1);
        yield rest.subarray(5, end);
        rest = rest.subarray(end);
      }
    }
  } catch (error) {
    throw whyEnded(error);
  } finally {
    signal?.removeEventListener('abort', cancel);
    cancel();
  }
  const problem = whyEnded(undefined);
  if (problem !== undefined) throw problem;

  function whyEnded(error: unknown): unknown {
    if (signal?.aborted === true) return signal.reason;
    if (late) return new GrpcError(grpcStatus.deadlineExceeded, `no answer within ${timeout} ms`);
    if (lost() !== undefined) return lost();
    if (error !== undefined) return error;
    const status = head['grpc-status'];
    if (status === undefined) return new GrpcError(grpcStatus.unavailable, 'the connection ended before the answer');
    if (status === '0') return undefined;
    return new GrpcError(Number(status), decodeURIComponent(String(head['grpc-message'] ?? '')));
  }
}
