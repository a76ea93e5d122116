// What the agent answers, path by path. Source: pkg/kubelet/server/server.go (paths and parameters), as stock clients use
// them: kubectl through the API server, metrics-server, Prometheus.

import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Pod } from '../../api/index.ts';
import type { Cri } from '../../cri/index.ts';
import type { NodeReport } from '../../probe/index.ts';
import { forwardedUpgradeHeaders, tunnelUpgrade } from '../../streams/index.ts';
import { allContainers } from '../pods/identity.ts';
import { type RuntimeContainer, readySandbox } from '../pods/observe.ts';
import type { PodRecord } from '../pods/record.ts';
import { type LogQuery, readLog } from './log-reader.ts';
import { resourceMetrics, type StatsSource, summary } from './stats.ts';

export class RequestError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = 'RequestError';
    this.status = status;
  }
}

export interface Answer {
  readonly contentType: string;
  readonly body: string | AsyncIterable<Buffer>;
}

export interface UpgradeConnection {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly socket: Duplex;
  readonly head: Buffer;
}

export interface AgentRoutes {
  /** Throws RequestError. */
  handle(method: string, url: URL, signal: AbortSignal): Promise<Answer>;
  /** Resolves when the stream is over. Throws RequestError while nothing was written to the client. */
  upgrade(url: URL, connection: UpgradeConnection): Promise<void>;
}

export interface RoutesOptions {
  readonly cri: Cri;
  readonly pods: {
    list(): readonly PodRecord[];
    find(namespace: string, name: string): PodRecord | undefined;
  };
  readonly stats: StatsSource;
  readonly metrics: () => string;
  /** What this node sees of itself and of the targets that the query names. Throws RequestError. */
  readonly probe: (query: URLSearchParams, signal: AbortSignal) => Promise<NodeReport>;
}

const text = 'text/plain; charset=utf-8';
const json = 'application/json';
const prometheus = 'text/plain; version=0.0.4; charset=utf-8';

export function createRoutes({ cri, pods, stats, metrics, probe }: RoutesOptions): AgentRoutes {
  return {
    async handle(method, url, signal) {
      const [route = '', ...rest] = url.pathname.split('/').slice(1).map(decodeURIComponent);
      if (method === 'POST' && route === 'run') return await run(rest, url.searchParams, signal);
      if (streamRoutes.has(route)) throw new RequestError(400, 'Upgrade request required');
      if (method !== 'GET' && method !== 'HEAD') throw new RequestError(405, `${method} is not allowed here`);
      switch ([route, ...rest].slice(0, 2).join('/')) {
        case 'healthz':
        case 'healthz/ping':
          return { contentType: text, body: 'ok' };
        case 'pods':
        case 'pods/':
          return { contentType: json, body: podList(pods.list().filter(({ inCluster }) => inCluster)) };
        case 'runningpods':
        case 'runningpods/':
          return {
            contentType: json,
            body: podList(pods.list().filter(({ runtime }) => readySandbox(runtime) !== undefined)),
          };
        case 'stats/summary':
          return { contentType: json, body: JSON.stringify(await summary(stats)) };
        case 'metrics':
          return { contentType: prometheus, body: metrics() };
        case 'metrics/resource':
          return { contentType: prometheus, body: await resourceMetrics(stats) };
        case 'k8ts/probe':
          return { contentType: json, body: JSON.stringify(await probe(url.searchParams, signal)) };
        default:
          if (route === 'containerLogs') return logs(rest, url.searchParams, signal);
          throw new RequestError(404, '404 page not found');
      }
    },
    async upgrade(url, connection) {
      const [route = '', namespace = '', name = '', ...rest] = url.pathname.split('/').slice(1).map(decodeURIComponent);
      const record = podAt(namespace, name);
      const target = await streamUrl(route, record, rest, url.searchParams);
      const { method, headers } = connection;
      await tunnelUpgrade(connection, { url: new URL(target), method, headers: forwardedUpgradeHeaders(headers) });
    },
  };

  function podAt(namespace: string, name: string): PodRecord {
    const record = pods.find(namespace, name);
    if (record === undefined) throw new RequestError(404, `pod "${name}" not found`);
    return record;
  }

  /** /exec and /attach: NS/POD/CONTAINER or NS/POD/UID/CONTAINER; /portForward: NS/POD or NS/POD/UID. */
  async function streamUrl(
    route: string,
    record: PodRecord,
    rest: readonly string[],
    query: URLSearchParams,
  ): Promise<string> {
    if (route === 'portForward') {
      const sandbox = readySandbox(record.runtime);
      if (sandbox === undefined) throw new RequestError(404, 'the pod has no running sandbox');
      return await cri.portForward(sandbox.id, query.getAll('port').map(Number));
    }
    const containerId = runningContainer(record, rest.at(-1) ?? '').id;
    const is = (name: string): boolean => ['1', 'true'].includes(query.get(name) ?? '');
    const tty = is('tty');
    const flags = { containerId, tty, stdin: is('input'), stdout: is('output'), stderr: is('error') && !tty };
    if (!flags.stdin && !flags.stdout && !flags.stderr) {
      throw new RequestError(400, 'you must specify at least 1 of stdin, stdout, stderr');
    }
    if (route === 'exec') return await cri.exec({ ...flags, cmd: query.getAll('command') });
    if (route === 'attach') return await cri.attach(flags);
    throw new RequestError(404, '404 page not found');
  }

  async function run(
    [namespace = '', name = '', ...rest]: readonly string[],
    query: URLSearchParams,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { id } = runningContainer(podAt(namespace, name), rest.at(-1) ?? '');
    const { stdout, stderr } = await cri.execSync(id, (query.get('cmd') ?? '').split(' '), 0, signal);
    return { contentType: text, body: Buffer.concat([stdout, stderr]).toString('utf8') };
  }

  function logs(
    [namespace = '', name = '', container = '']: readonly string[],
    query: URLSearchParams,
    signal: AbortSignal,
  ): Answer {
    const record = podAt(namespace, name);
    const { pod } = record;
    if (!allContainers(pod).some((one) => one.name === container)) {
      throw new RequestError(404, `container "${container}" not found in pod "${name}"`);
    }
    const found = loggedContainer(record, container, query.get('previous') === 'true');
    const isOver = (): boolean => {
      const now = record.runtime.containers.find(({ id }) => id === found.id);
      return now === undefined || now.state === 'exited';
    };
    return { contentType: text, body: readLog(found.logPath, logQuery(query, Date.now()), { signal, isOver }) };
  }
}

const streamRoutes: ReadonlySet<string> = new Set(['exec', 'attach', 'portForward']);

function runningContainer({ runtime, pod }: PodRecord, name: string): RuntimeContainer {
  const found = runtime.containers.find((one) => one.name === name && one.state === 'running');
  if (found === undefined) {
    throw new RequestError(404, `container not found ("${name}" of pod "${pod.metadata?.name ?? ''}" is not running)`);
  }
  return found;
}

function loggedContainer({ runtime, pod }: PodRecord, name: string, previous: boolean): RuntimeContainer {
  const all = runtime.containers.filter((one) => one.name === name && one.state !== 'created');
  const podName = pod.metadata?.name ?? '';
  if (previous) {
    const ended = all.filter(({ state }) => state === 'exited');
    const before = all[0]?.state === 'exited' && ended.length > 1 ? ended[1] : ended[0];
    if (before === undefined) {
      throw new RequestError(400, `previous terminated container "${name}" in pod "${podName}" not found`);
    }
    return before;
  }
  const [newest] = all;
  if (newest !== undefined) return newest;
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const { reason = 'ContainerCreating', message } = statuses.find((one) => one.name === name)?.state?.waiting ?? {};
  const why = message === undefined ? reason : `${reason}: ${message}`;
  throw new RequestError(400, `container "${name}" in pod "${podName}" is waiting to start: ${why}`);
}

/** Reads kubelet's log parameters. Throws RequestError 400 for what is no number or time. */
function logQuery(query: URLSearchParams, now: number): LogQuery {
  const whole = (name: string): number | undefined => {
    const value = query.get(name);
    if (value === null || value === '') return undefined;
    if (!/^\d+$/.test(value)) throw new RequestError(400, `invalid ${name} "${value}": it must be a whole number`);
    return Number(value);
  };
  const sinceSeconds = whole('sinceSeconds');
  const sinceTime = query.get('sinceTime') ?? '';
  if (sinceTime !== '' && Number.isNaN(Date.parse(sinceTime)))
    throw new RequestError(400, `invalid sinceTime "${sinceTime}"`);
  const stream = query.get('stream')?.toLowerCase();
  return {
    follow: query.get('follow') === 'true',
    tailLines: whole('tailLines'),
    since:
      sinceTime !== '' ? Date.parse(sinceTime) : sinceSeconds === undefined ? undefined : now - sinceSeconds * 1000,
    timestamps: query.get('timestamps') === 'true',
    limitBytes: whole('limitBytes'),
    stream: stream === 'stdout' || stream === 'stderr' ? stream : undefined,
  };
}

function podList(records: readonly PodRecord[]): string {
  const items: readonly Pod[] = records.map(({ pod }) => pod);
  return JSON.stringify({ apiVersion: 'v1', kind: 'PodList', metadata: {}, items });
}
