// The way of a request:
//
//   path ── authenticate ── impersonate ── audit ── seat ── authorize ── resource │ subresource │ review │ proxy │ path
//
// All of it is synchronous where nothing has to be waited for: a GET is answered within the event that brought it. Whatever
// is thrown on the way becomes a Status; only bugs reach the log.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { type KindSpec, kindOf, kinds } from '../../api/index.ts';
import type { Logger } from '../../base/index.ts';
import type { Aggregation } from '../aggregation/index.ts';
import type { AuditLog, AuditRecord } from '../audit/index.ts';
import { forbidden } from '../authorization/index.ts';
import {
  ApiError,
  type Authenticator,
  type Authorizer,
  type Credentials,
  type RequestAttributes,
  type UserInfo,
} from '../contracts.ts';
import type { ComponentCheck, Metrics } from '../health/index.ts';
import type { NodeProxy } from '../proxy/index.ts';
import type { Registry } from '../registry/registry.ts';
import { decodeBodyAs } from '../registry/schema.ts';
import type { Review } from '../reviews/index.ts';
import { remoteOf, serveRemote, upgradeRemote } from './aggregated-requests.ts';
import { auditedExchange } from './audited-exchange.ts';
import { serveComponents } from './component-requests.ts';
import { judgeConnect } from './connect-admission.ts';
import { credentialsOf } from './credentials.ts';
import { auditIdOf, type Exchange, warn } from './exchange.ts';
import type { FlowControl, Leave } from './flow-control.ts';
import { acceptFor, acceptStream, acceptWhole, bodyFormatOf } from './negotiate.ts';
import type { PathHandler } from './path-requests.ts';
import { serveProxy, upgradeProxy } from './proxy-requests.ts';
import { attributesOf } from './request-attributes.ts';
import { deadlineOf, timedOut } from './request-deadline.ts';
import {
  originForm,
  parsePath,
  type RequestVerb,
  type ResourceTarget,
  splitTarget,
  type Target,
  verbOf,
} from './request-target.ts';
import { fieldValidationOf, type ResourceRequest, writeRequestOf } from './resource-request.ts';
import { serveResource } from './resource-requests.ts';
import { errorAnswer, sendError, sendJson } from './respond.ts';
import { asApiError, methodNotAllowed, unknownResource } from './status-body.ts';
import { statusText } from './status-text.ts';
import { serveBinding, serveSubresource } from './subresource-requests.ts';

export interface PipelineOptions {
  readonly registry: Registry;
  readonly authenticate: Authenticator;
  readonly impersonate: (user: UserInfo, headers: Credentials['headers']) => UserInfo;
  readonly authorize: Authorizer;
  readonly reviews: readonly Review[];
  readonly paths: PathHandler;
  /** Absent: log, exec and the other streams of nodes answer 503. */
  readonly proxy: NodeProxy | undefined;
  /** Group-versions that other servers answer. */
  readonly aggregation: Aggregation;
  readonly flows: FlowControl;
  /** What ComponentStatus objects tell of. */
  readonly components: readonly ComponentCheck[];
  /** Absent: no audit log is kept. */
  readonly audit?: AuditLog | undefined;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Largest request body, bytes. */
  readonly bodyLimit: number;
  /** How long a request may last that is neither a watch nor a stream, ms. */
  readonly requestTimeoutMs: number;
}

export interface Pipeline {
  serve(exchange: Exchange): void;
  /** Whether the request is one that upgrade() serves. */
  mayUpgrade(request: IncomingMessage): boolean;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

interface Routed {
  readonly target: Target;
  readonly verb: RequestVerb;
  readonly query: URLSearchParams;
  readonly user: UserInfo;
  readonly record?: AuditRecord | undefined;
}

interface Arrived extends Pick<Routed, 'target' | 'verb' | 'query'> {
  /** Takes what gives the request's seat back. */
  readonly hold: (leave: Leave) => void;
}

/** How long the client of a request that has expired may take to read that. */
const lingerMs = 1000;

/** Of a request that was not authenticated. */
const nobody: UserInfo = { name: '', groups: [] };

export function createPipeline(options: PipelineOptions): Pipeline {
  const { registry, flows, audit, metrics, logger } = options;
  const records = new WeakMap<Exchange, AuditRecord>();
  const reviews = new Map(options.reviews.map((review) => [reviewKey(review.servedUnder, review.resource), review]));

  function serve(exchange: Exchange): void {
    const started = performance.now();
    let limitMs: number | undefined;
    let deadline: NodeJS.Timeout | undefined;
    let leave: Leave | undefined;
    let closed = false;
    let expired = false;
    try {
      const { path, query } = splitTarget(exchange.target);
      const target = parsePath(path);
      const verb = target.isResource ? verbOf(exchange.method, target, query) : 'get';
      if (!isLong(target, verb)) limitMs = deadlineOf(query, options.requestTimeoutMs);
      exchange.onClose(() => {
        closed = true;
        clearTimeout(deadline);
        leave?.();
        measure(exchange, { target, verb }, started);
      });
      // The seat is given back when the exchange is over, and at once when it is over already.
      const hold = (given: Leave): void => {
        leave = given;
        if (closed) given();
      };
      const user = options.authenticate(credentialsOf(exchange));
      const done =
        user instanceof Promise
          ? user.then((one) => proceed(exchange, { target, verb, query, hold }, one))
          : proceed(exchange, { target, verb, query, hold }, user);
      // What the handler of a request that has expired still comes to interests nobody.
      if (done instanceof Promise) done.catch((error: unknown) => expired || fail(exchange, error));
    } catch (error) {
      fail(exchange, error);
    }
    if (closed || limitMs === undefined) return;
    deadline = setTimeout(() => {
      expired = true;
      leave?.();
      if (exchange.answered) return exchange.cut();
      refuse(exchange, timedOut());
      setTimeout(() => exchange.cut(), lingerMs).unref();
    }, limitMs);
  }

  /** Opens the audit record of a request, if one is kept; it is closed with the exchange. */
  function recordOf(exchange: Exchange, attributes: RequestAttributes, sender: UserInfo): AuditRecord | undefined {
    const record = audit?.begin({
      auditId: exchange.auditId,
      uri: exchange.target,
      attributes,
      impersonator: sender === attributes.user ? undefined : sender,
      headers: exchange.headers,
      remoteAddress: exchange.socket.remoteAddress,
    });
    if (record === undefined) return undefined;
    records.set(exchange, record);
    if (attributes.verb === 'watch') setImmediate(() => exchange.status > 0 && record.started(exchange.status));
    exchange.onClose(() => record.complete(exchange.status));
    return record;
  }

  function proceed(exchange: Exchange, at: Arrived, sender: UserInfo | undefined): void | Promise<void> {
    if (sender === undefined) throw new ApiError('Unauthorized', 'Unauthorized');
    const user = options.impersonate(sender, exchange.headers);
    const attributes = attributesOf({ ...at, user }, exchange.method);
    const record = audit === undefined ? undefined : recordOf(exchange, attributes, sender);
    const routed = { ...at, user, record };
    if (isLong(at.target, at.verb)) return judged(exchange, routed, attributes);
    const mutates = exchange.method !== 'GET' && exchange.method !== 'HEAD';
    const seat = flows.enter({ attributes, mutates, onGone: (handler) => exchange.onClose(handler) });
    if (!(seat instanceof Promise)) {
      at.hold(seat);
      return judged(exchange, routed, attributes);
    }
    return seat.then((leave) => {
      at.hold(leave);
      return judged(exchange, routed, attributes);
    });
  }

  function judged(exchange: Exchange, routed: Routed, attributes: RequestAttributes): void | Promise<void> {
    const { record } = routed;
    allow(attributes, record);
    return dispatch(record === undefined ? exchange : auditedExchange(exchange, record), routed);
  }

  function allow(attributes: RequestAttributes, record?: AuditRecord): void {
    const { decision, reason } = options.authorize(attributes);
    record?.annotate('authorization.k8s.io/decision', decision === 'allow' ? 'allow' : 'forbid');
    record?.annotate('authorization.k8s.io/reason', reason);
    if (decision !== 'allow') throw forbidden(attributes, reason);
  }

  function dispatch(exchange: Exchange, { target, verb, query, user, record }: Routed): void | Promise<void> {
    const remote = remoteOf(options.aggregation, target);
    if (remote !== undefined) return serveRemote(remote, exchange, { user, bodyLimit: options.bodyLimit });
    if (!target.isResource) return options.paths(exchange, target.path, query);
    const { group, version, resource: plural, subresource } = target;
    const review = reviews.get(reviewKey(target, subresource === '' ? plural : `${plural}/${subresource}`));
    if (review !== undefined) return serveReview(exchange, review, { target, verb, query, user });
    const binding = plural === 'bindings' && group === '';
    const resource = registry.resources.find(group, version, binding ? 'pods' : plural);
    if (resource === undefined) throw unknownResource();
    const { deprecation } = resource.spec;
    if (deprecation !== undefined) warn(exchange, deprecation);
    const connected = connectOf(resource.spec.subresources, subresource);
    if (connected !== undefined) {
      if (!connected.verbs.some((one) => one === verb)) throw methodNotAllowed();
      const verdict = judgeConnect(registry.admission, { resource, target, query, user, annotate: record?.annotate });
      const serve = () => serveProxy(options.proxy, exchange, { target, query, user });
      return verdict instanceof Promise ? verdict.then(serve) : serve();
    }
    // As upstream: only what is no resource has a HEAD.
    if (exchange.method === 'HEAD') throw methodNotAllowed();
    const { bodyLimit } = options;
    const accepted = (verb === 'watch' ? acceptStream : acceptFor)(resource.spec, exchange.headers.accept);
    const request: ResourceRequest = {
      exchange,
      resource,
      target,
      verb,
      query,
      user,
      accepted,
      bodyLimit,
      annotate: record?.annotate,
    };
    if (binding) {
      if (verb !== 'create') throw methodNotAllowed();
      return serveBinding(registry, request, '');
    }
    if (subresource !== '') return serveSubresource(registry, request);
    if (resource.spec === kinds.componentStatus) return serveComponents(registry, request, options.components);
    return serveResource(registry, request);
  }

  async function serveReview(
    exchange: Exchange,
    review: Review,
    { target, verb, query, user }: Routed & { readonly target: ResourceTarget },
  ): Promise<void> {
    if (verb !== 'create') throw methodNotAllowed();
    const kind = kindOf(review);
    if (kind === undefined) throw new Error(`${review.kind} is not in the kinds table`);
    acceptWhole(kind, exchange.headers.accept);
    const body = await exchange.readBody(options.bodyLimit);
    const format = bodyFormatOf(exchange.headers['content-type']);
    // As any object: typed clients send null for what they leave out.
    const { object, warnings } = decodeBodyAs(kind, body, { format, mode: fieldValidationOf(query) });
    for (const message of warnings) warn(exchange, message);
    const { dryRun } = writeRequestOf({ exchange, target, query, user });
    const { namespace, name } = target;
    sendJson(exchange, 201, await review.create({ user, namespace, name, body: object, dryRun }));
  }

  function fail(exchange: Exchange, error: unknown): void {
    const told = asApiError(error);
    if (told.code >= 500)
      logger.error('request failed', { method: exchange.method, target: exchange.target, error: told.cause ?? told });
    refuse(exchange, told);
  }

  function refuse(exchange: Exchange, told: ApiError): void {
    if (audit !== undefined) auditFailure(exchange, told);
    if (!exchange.answered) sendError(exchange, told);
  }

  function auditFailure(exchange: Exchange, told: ApiError): void {
    const known = records.get(exchange);
    known?.failed(told);
    if (known !== undefined || told.code !== 401) return;
    const { path, query } = splitTarget(exchange.target);
    const target = parsePath(path);
    const verb = target.isResource ? verbOf(exchange.method, target, query) : 'get';
    recordOf(exchange, attributesOf({ target, verb, query, user: nobody }, exchange.method), nobody)?.failed(told);
  }

  function measure(exchange: Exchange, { target, verb }: Pick<Routed, 'target' | 'verb'>, started: number): void {
    const long = isLong(target, verb);
    const seconds = (performance.now() - started) / 1000;
    if (target.isResource) {
      const { group, version, resource, subresource, namespace, name } = target;
      const scope = name !== '' ? 'resource' : namespace !== '' ? 'namespace' : 'cluster';
      const labels = { verb: verb.toUpperCase(), group, version, resource, subresource, scope } as const;
      metrics.observe(labels, exchange.status, long ? undefined : seconds);
    }
    logger.debug('request', { method: exchange.method, target: exchange.target, status: exchange.status, seconds });
  }

  /** Streams of nodes and workloads, and all that other servers answer. */
  function mayUpgrade(request: IncomingMessage): boolean {
    try {
      const target = parsePath(splitTarget(originForm(request.url ?? '/')).path);
      if (!target.isResource) return false;
      if (remoteOf(options.aggregation, target) !== undefined) return true;
      const resource = registry.resources.find(target.group, target.version, target.resource);
      return connectOf(resource?.spec.subresources, target.subresource) !== undefined;
    } catch (error) {
      // No path of this server: served as a plain request, which fails in the same way and answers with this error.
      if (error instanceof ApiError) return false;
      throw error;
    }
  }

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const exchange = { socket: request.socket as TLSSocket, headers: request.headers };
    const run = async (): Promise<void> => {
      const { path, query } = splitTarget(originForm(request.url ?? '/'));
      const target = parsePath(path);
      if (!target.isResource) throw unknownResource();
      const method = request.method ?? 'GET';
      const verb = verbOf(method, target, query);
      const sender = await options.authenticate(credentialsOf(exchange));
      if (sender === undefined) throw new ApiError('Unauthorized', 'Unauthorized');
      const user = options.impersonate(sender, request.headers);
      const attributes = attributesOf({ target, verb, query, user }, method);
      const record = audit?.begin({
        auditId: auditIdOf(request.headers),
        uri: request.url ?? '/',
        attributes,
        impersonator: sender === user ? undefined : sender,
        headers: request.headers,
        remoteAddress: request.socket.remoteAddress,
      });
      try {
        allow(attributes, record);
        const remote = remoteOf(options.aggregation, target);
        if (remote !== undefined) {
          record?.started(101);
          await upgradeRemote(remote, { request, socket, head, user });
          record?.complete(101);
          return;
        }
        const resource = registry.resources.find(target.group, target.version, target.resource);
        if (resource === undefined) throw unknownResource();
        await judgeConnect(registry.admission, { resource, target, query, user, annotate: record?.annotate });
        record?.started(101);
        await upgradeProxy(options.proxy, { request, socket, head, target, query, user });
        record?.complete(101);
      } catch (error) {
        const told = asApiError(error);
        record?.failed(told);
        record?.complete(told.code);
        throw error;
      }
    };
    run().catch((error: unknown) => refuseUpgrade(socket, asApiError(error), request.headers.accept));
  }

  return { serve, mayUpgrade, upgrade };
}

function reviewKey({ group, version }: { readonly group: string; readonly version: string }, resource: string): string {
  return `${group}/${version}/${resource}`;
}

/** The subresource that a node or a workload answers. */
function connectOf(subresources: KindSpec['subresources'], name: string) {
  return name === '' ? undefined : subresources?.find((one) => one.name === name && one.connect === true);
}

/** Requests that last as long as their client wants, or as a large download takes. */
function isLong(target: Target, verb: RequestVerb): boolean {
  if (!target.isResource) return target.path.startsWith('/k8ts/bundle/');
  return verb === 'watch' || longSubresources.has(target.subresource);
}

const longSubresources = new Set(['log', 'exec', 'attach', 'portforward', 'proxy']);

function refuseUpgrade(socket: Duplex, error: ApiError, accept: string | undefined): void {
  if (socket.destroyed) return;
  const { headers, body } = errorAnswer(error, accept);
  const lines = Object.entries({ ...headers, 'content-length': body.length, connection: 'close' });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 ${error.code} ${statusText(error.code)}\r\n${head}\r\n`), body]));
}
