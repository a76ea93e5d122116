// One look at a container: command, HTTP request, TCP connection or gRPC health call. Answers with a reason when it is
// not well. Source: kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes,
// pkg/probe; gRPC: github.com/grpc/grpc doc/health-checking.md.

import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import type { Container, Probe } from '../../api/index.ts';
import { codeOf, messageOf, nodeHttp } from '../../base/index.ts';
import type { Cri } from '../../cri/index.ts';

export interface ProbeTarget {
  readonly cri: Cri;
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
}

/** Where a hook or probe sends its request. */
export type HttpGet = NonNullable<Probe['httpGet']>;

/** @returns why the container is not well; undefined when it is. */
export async function runProbe(probe: Probe, target: ProbeTarget): Promise<string | undefined> {
  const seconds = probe.timeoutSeconds ?? 1;
  try {
    if (probe.exec !== undefined) return await runExec(probe.exec.command ?? [], seconds, target);
    if (probe.httpGet !== undefined) return await httpGet(probe.httpGet, seconds, target);
    if (probe.tcpSocket !== undefined) {
      const { host, port } = probe.tcpSocket;
      return await connect(host ?? target.podIp, portOf(port, target.container), seconds);
    }
    if (probe.grpc !== undefined) return await grpcHealth(probe.grpc, seconds, target.podIp);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

async function runExec(cmd: readonly string[], seconds: number, { cri, containerId }: ProbeTarget) {
  try {
    const { exitCode, stdout, stderr } = await cri.execSync(containerId, cmd, seconds);
    if (exitCode === 0) return undefined;
    return Buffer.concat([stdout, stderr]).toString('utf8').slice(0, 10_240) || `command exited with ${exitCode}`;
  } catch (error) {
    if (codeOf(error) === 'CRI_TIMEOUT') return `command timed out after ${seconds}s`;
    throw error;
  }
}

/** A named port is looked up among the container's own. */
export function portOf(port: number | string | object, { ports = [] }: Container): number {
  const number =
    typeof port === 'number' ? port : (ports.find(({ name }) => name === port)?.containerPort ?? Number(port));
  if (!Number.isInteger(number) || number < 1 || number > 65_535) throw new Error(`invalid port ${String(port)}`);
  return number;
}

/** 200 to 399 is well. A redirect to another host is taken as success, one to the same host is not followed further. */
export async function httpGet(
  { host, path = '/', port, scheme = 'HTTP', httpHeaders = [] }: HttpGet,
  seconds: number,
  { container, podIp }: Pick<ProbeTarget, 'container' | 'podIp'>,
): Promise<string | undefined> {
  const headers = Object.fromEntries(httpHeaders.map(({ name, value }) => [name, value]));
  const request = (scheme === 'HTTPS' ? https : nodeHttp()).request({
    host: host ?? podIp,
    port: portOf(port, container),
    path: path.startsWith('/') ? path : `/${path}`,
    headers: { 'user-agent': 'kube-probe/1.35', accept: '*/*', connection: 'close', ...headers },
    // Probes do not check certificates: they ask about a process, not about an identity.
    rejectUnauthorized: false,
    agent: false,
  });
  return await new Promise((resolve) => {
    const timer = setTimeout(() => {
      request.destroy();
      resolve(
        `Get "${scheme.toLowerCase()}://${host ?? podIp}:${String(port)}${path}": timeout of ${seconds}s exceeded`,
      );
    }, seconds * 1000);
    request.on('response', (response) => {
      clearTimeout(timer);
      const { statusCode = 0 } = response;
      response.destroy();
      resolve(statusCode >= 200 && statusCode < 400 ? undefined : `HTTP probe failed with statuscode: ${statusCode}`);
    });
    request.on('error', (error) => {
      clearTimeout(timer);
      resolve(`Get "${scheme.toLowerCase()}://${host ?? podIp}:${String(port)}${path}": ${error.message}`);
    });
    request.end();
  });
}

async function connect(host: string, port: number, seconds: number): Promise<string | undefined> {
  return await new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: seconds * 1000 });
    const done = (why: string | undefined): void => {
      socket.destroy();
      resolve(why);
    };
    socket.on('connect', () => done(undefined));
    socket.on('timeout', () => done(`dial tcp ${host}:${port}: timeout of ${seconds}s exceeded`));
    socket.on('error', (error) => done(`dial tcp ${host}:${port}: ${error.message}`));
  });
}

/** grpc.health.v1.Health/Check: request {1: service}, answer {1: status}, 1 is SERVING. */
async function grpcHealth(
  { port, service = '' }: NonNullable<Probe['grpc']>,
  seconds: number,
  podIp: string,
): Promise<string | undefined> {
  const name = Buffer.from(service ?? '');
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const session = http2.connect(`http://${podIp}:${port}`);
  try {
    return await new Promise<string | undefined>((resolve) => {
      const timer = setTimeout(
        () => resolve(`timeout: health rpc did not complete within ${seconds}s`),
        seconds * 1000,
      );
      const done = (why: string | undefined): void => {
        clearTimeout(timer);
        resolve(why);
      };
      session.on('error', (error) => done(`failed to connect to service: ${error.message}`));
      const stream = session.request({
        ':method': 'POST',
        ':path': '/grpc.health.v1.Health/Check',
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      const chunks: Buffer[] = [];
      let status: unknown;
      // A stream dies of its session's error and has it as its cause.
      stream.on('error', (error) => done(`failed to connect to service: ${messageOf(error.cause ?? error)}`));
      stream.on('response', (headers) => {
        status = headers['grpc-status'];
      });
      stream.on('trailers', (headers) => {
        status = headers['grpc-status'];
      });
      stream.on('data', (chunk) => chunks.push(chunk));
      stream.on('close', () => {
        const body = Buffer.concat(chunks).subarray(5);
        if (status !== '0') done(`health rpc failed with status ${String(status ?? 'unknown')}`);
        else
          done(
            body[0] === 0x08 && body[1] === 1 ? undefined : `service unhealthy (responded with status ${body[1] ?? 0})`,
          );
      });
      const head = Buffer.alloc(5);
      head.writeUInt32BE(message.length, 1);
      stream.end(Buffer.concat([head, message]));
    });
  } finally {
    session.destroy();
  }
}
