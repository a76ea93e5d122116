// A node agent as small as can be: serves the kubelet's paths for logs, exec, attach and port-forward over mutual TLS, and
// runs the commands on this machine. It speaks SPDY with the project's own framer; the other end is stock kubectl.

import { spawn } from 'node:child_process';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { createSpdyConnection, type SpdyStream } from '../../../src/streams/index.ts';

export interface TestAgent {
  readonly port: number;
  /** Path and query of each request. */
  readonly requests: string[];
  /** Resize messages that arrived. */
  readonly resizes: string[];
  close(): Promise<void>;
}

export async function startTestAgent(tls: { cert: string; key: string; ca: string }): Promise<TestAgent> {
  const requests: string[] = [];
  const resizes: string[] = [];
  const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: true }, (request, response) => {
    requests.push(request.url ?? '');
    const url = new URL(request.url ?? '/', 'https://agent');
    if (url.pathname === '/containerLogs/default/web/main') {
      response.write('first\n');
      if (url.searchParams.get('follow') === 'true') setTimeout(() => response.end('followed\n'), 50);
      else response.end('second\n');
    } else if (url.pathname === '/containerLogs/default/waiting/main') {
      response.writeHead(400).end('container "main" in pod "waiting" is waiting to start: ContainerCreating');
    } else if (url.pathname === '/metrics') response.end(`up 1 ${url.search}\n`);
    else response.writeHead(404).end('404 page not found');
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    requests.push(request.url ?? '');
    const url = new URL(request.url ?? '/', 'https://agent');
    const [, verb, , pod] = url.pathname.split('/');
    if (pod === 'broken') {
      socket.end(
        'HTTP/1.1 404 Not Found\r\nContent-Length: 28\r\nConnection: close\r\n\r\npod broken_default not found',
      );
      return;
    }
    const protocols = String(request.headers['x-stream-protocol-version'] ?? '').split(/,\s*/);
    const chosen = verb === 'portForward' ? 'portforward.k8s.io' : 'v4.channel.k8s.io';
    if (!protocols.includes(chosen)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${chosen}\r\n\r\n`,
    );
    if (verb === 'portForward') forward(socket, head);
    else command(url, resizes, socket, head);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    resizes,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function command(url: URL, resizes: string[], socket: Duplex, head: Buffer): void {
  const flag = (name: string): boolean => url.searchParams.get(name) === '1';
  const wanted = [
    'error',
    ...(['input', 'output', 'error'] as const)
      .filter(flag)
      .map((name) => `std${{ input: 'in', output: 'out', error: 'err' }[name]}`),
  ];
  if (flag('tty')) wanted.push('resize');
  const streams = new Map<string, SpdyStream>();
  const connection = createSpdyConnection(socket, {
    role: 'server',
    head,
    onStream(stream) {
      stream.on('error', () => undefined);
      streams.set(stream.headers['streamtype'] ?? '', stream);
      if (streams.size === wanted.length) run();
    },
  });
  const run = (): void => {
    // attach has no command: it stands for a container whose process repeats its input.
    const [program = 'cat', ...args] = url.searchParams.getAll('command');
    const child = spawn(program, args);
    streams.get('resize')?.on('data', (size: Buffer) => resizes.push(size.toString()));
    streams.get('stdin')?.pipe(child.stdin);
    child.stdin.on('error', () => undefined);
    const outputs = (['stdout', 'stderr'] as const).map(
      (name) =>
        new Promise<void>((resolve) => {
          const stream = streams.get(name);
          if (stream === undefined) return resolve();
          child[name].pipe(stream);
          stream.once('close', resolve);
          stream.once('finish', resolve);
        }),
    );
    child.on('close', (code) => {
      void Promise.all(outputs).then(() => {
        streams.get('error')?.end(statusOf(code ?? 1), () => setTimeout(() => connection.close(), 20));
      });
    });
  };
}

function statusOf(code: number): string {
  if (code === 0) return JSON.stringify({ metadata: {}, status: 'Success' });
  const causes = [{ reason: 'ExitCode', message: String(code) }];
  const message = `command terminated with non-zero exit code: exit status ${code}`;
  return JSON.stringify({ metadata: {}, status: 'Failure', reason: 'NonZeroExitCode', message, details: { causes } });
}

/** Each pair of `error` and `data` streams is one connection to the port that their headers name. */
function forward(socket: Duplex, head: Buffer): void {
  createSpdyConnection(socket, {
    role: 'server',
    head,
    onStream(stream) {
      stream.on('error', () => undefined);
      if (stream.headers['streamtype'] === 'error') {
        stream.resume();
        stream.end();
        return;
      }
      const target = connect(Number(stream.headers['port']), '127.0.0.1');
      target.on('error', () => stream.destroy());
      stream.pipe(target).pipe(stream);
    },
  });
}
