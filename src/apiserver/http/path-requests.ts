// Everything that is not a resource: discovery, OpenAPI, version, health, metrics, token keys.

import type { OutgoingHttpHeaders } from 'node:http';
import { openApiProtobufType, openApiProtobufTypes } from '../../api/index.ts';
import type { Clock } from '../../base/index.ts';
import type { Aggregation } from '../aggregation/index.ts';
import {
  aggregatedDocument,
  apiVersions,
  discoveryDocument,
  etagOf,
  type OpenApi,
  type VirtualResource,
  versionDocument,
} from '../discovery/index.ts';
import { type Gauge, type HealthCheck, healthAnswer, type Metrics } from '../health/index.ts';
import type { InstallationHandler } from '../installation/index.ts';
import type { ResourceTable } from '../registry/resource.ts';
import type { Exchange } from './exchange.ts';
import { acceptOf } from './negotiate.ts';
import { jsonHeaders, sendBytes, sendJson, sendPlainJson } from './respond.ts';
import { methodNotAllowed, unknownResource } from './status-body.ts';

export type PathHandler = (exchange: Exchange, path: string, query: URLSearchParams) => void | Promise<void>;

/** A document that some other part serves under a fixed path. */
export type Documents = Readonly<Record<string, () => object>>;

export interface PathOptions {
  readonly resources: ResourceTable;
  readonly virtual: readonly VirtualResource[];
  readonly aggregation: Pick<Aggregation, 'withRemote'>;
  readonly checks: readonly HealthCheck[];
  readonly metrics: Metrics;
  readonly gauges: readonly Gauge[];
  readonly openApi: OpenApi;
  /** /openid/v1/jwks, /.well-known/openid-configuration. */
  readonly documents: Documents;
  readonly clock: Clock;
  /** host:port that discovery tells clients. */
  readonly address: () => string;
  /** /k8ts/…; absent: nothing is served there. */
  readonly installation?: InstallationHandler | undefined;
}

/** What is named by its hash does not change. Source: kube-openapi pkg/handler3. */
const yearMs = 365 * 86_400_000;

export function createPathHandler(options: PathOptions): PathHandler {
  const versions = () =>
    options.aggregation.withRemote(
      apiVersions(
        options.resources.all().flatMap(({ spec }) => (spec.hidden === true ? [] : [spec])),
        options.virtual,
      ),
    );

  function discovery(exchange: Exchange, path: string): void {
    const { discovery: aggregated } = acceptOf(exchange.headers.accept);
    if (aggregated !== undefined && (path === '/api' || path === '/apis')) {
      const type = `application/json;g=apidiscovery.k8s.io;v=${aggregated};as=APIGroupDiscoveryList`;
      const headers = { 'cache-control': 'public', 'content-type': type, vary: 'Accept' };
      const body = Buffer.from(`${JSON.stringify(aggregatedDocument(path, versions(), aggregated))}\n`);
      sendTagged(exchange, { headers, body, etag: etagOf(body) });
      return;
    }
    const document = discoveryDocument(path, versions(), options.address());
    if (document === undefined) throw unknownResource();
    sendJson(exchange, 200, document);
  }

  function openApi(exchange: Exchange, path: string, query: URLSearchParams): void {
    // kubectl of before 1.24 takes nothing but protobuf here.
    const isProtobuf =
      path === '/openapi/v2' && openApiProtobufTypes.some((type) => exchange.headers.accept?.includes(type));
    const answer = isProtobuf ? options.openApi.readProtobuf() : options.openApi.read(path);
    if (answer === undefined) throw unknownResource();
    const { body, etag } = answer;
    const headers: OutgoingHttpHeaders = { ...jsonHeaders(), vary: 'Accept' };
    if (isProtobuf) headers['content-type'] = openApiProtobufType;
    const hash = path.startsWith('/openapi/v3/') ? query.get('hash') : null;
    if (hash !== null && hash !== '') {
      if (hash !== etag) {
        exchange.send(301, { ...headers, location: `${path}?hash=${etag}` }, Buffer.alloc(0));
        return;
      }
      headers['cache-control'] = 'public, immutable';
      headers['expires'] = new Date(options.clock.now() + yearMs).toUTCString();
    }
    sendTagged(exchange, { headers, body, etag });
  }

  return (exchange, fullPath, query) => {
    const path = fullPath.length > 1 && fullPath.endsWith('/') ? fullPath.slice(0, -1) : fullPath;
    if (exchange.method !== 'GET' && exchange.method !== 'HEAD') throw methodNotAllowed();
    const health = healthAnswer(path, query, options.checks);
    if (health !== undefined) return sendText(exchange, health.status, health.text);
    if (path === '/version') return sendPlainJson(exchange, versionDocument());
    if (path === '/metrics') return sendText(exchange, 200, options.metrics.text(options.gauges));
    if (path.startsWith('/openapi/')) return openApi(exchange, path, query);
    if (path === '/api' || path === '/apis' || path.startsWith('/api/') || path.startsWith('/apis/')) {
      return discovery(exchange, path);
    }
    if (path.startsWith('/k8ts/') && options.installation !== undefined) return options.installation(exchange, path);
    const document = Object.hasOwn(options.documents, path) ? options.documents[path] : undefined;
    if (document !== undefined) return sendPlainJson(exchange, document());
    if (path === '/') return sendPlainJson(exchange, { paths: rootPaths(versions(), Object.keys(options.documents)) });
    throw unknownResource();
  };
}

/** A document for which a client may have a copy: 304 when it is still the same. */
function sendTagged(
  exchange: Exchange,
  { headers, body, etag }: { readonly headers: OutgoingHttpHeaders; readonly body: Buffer; readonly etag: string },
): void {
  headers['etag'] = `"${etag}"`;
  if (exchange.headers['if-none-match']?.includes(etag) === true) exchange.send(304, headers, Buffer.alloc(0));
  else sendBytes(exchange, headers, body);
}

function rootPaths(versions: ReturnType<typeof apiVersions>, documents: readonly string[]): readonly string[] {
  const groups = versions.flatMap(({ group, version }) =>
    group === '' ? ['/api', `/api/${version}`] : ['/apis', `/apis/${group}`, `/apis/${group}/${version}`],
  );
  const own = ['/healthz', '/livez', '/metrics', '/openapi/v2', '/openapi/v3', '/readyz', '/version'];
  return [...new Set([...groups, ...documents, ...own])].sort();
}

function sendText(exchange: Exchange, status: number, text: string): void {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache, private' };
  exchange.send(status, headers, Buffer.from(text));
}
