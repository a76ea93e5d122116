// The composition of the API server: store → watch cache → registry → security → HTTP. Everything here is wiring; each part
// is a value that a test can make by itself. Stopping goes the other way round.

import { hiddenKinds, type KindSpec, kinds as kindsTable } from '../api/index.ts';
import { type Clock, type Logger, messageOf, silentLogger, systemClock } from '../base/index.ts';
import type { Store } from '../store/index.ts';
import { type FrontProxyCertificate, startAggregation } from './aggregation/index.ts';
import { type AuditPolicy, type AuditSink, createAuditLog } from './audit/index.ts';
import { ensureDefaultObjects, keepDefaultObjects } from './bootstrap/index.ts';
import { startWatchCache, type WatchCache } from './cache/index.ts';
import { createOpenApi } from './discovery/index.ts';
import { startExtensions } from './extensions/index.ts';
import {
  type ComponentCheck,
  checkOfStore,
  checkOnLoopback,
  componentPorts,
  createMetrics,
  type Gauge,
  type HealthCheck,
} from './health/index.ts';
import { createFlowControl, type FlowControl, type FlowLimits, type LevelState } from './http/flow-control.ts';
import { followFlowObjects } from './http/flow-objects.ts';
import { createBufferPool } from './http/list-body.ts';
import { listen, type TlsMaterial } from './http/listener.ts';
import { createPathHandler } from './http/path-requests.ts';
import { createPipeline } from './http/pipeline.ts';
import { createInstallation, type InstallationSource } from './installation/index.ts';
import { boundPatterns } from './patterns.ts';
import type { NodeProxy } from './proxy/index.ts';
import { createAdmissionChain } from './registry/admission-chain.ts';
import { startExpiry } from './registry/expiry.ts';
import { createFieldManagement } from './registry/field-management.ts';
import { createObjectReader, createObjectWriter } from './registry/object-access.ts';
import { createResourceTable } from './registry/resource.ts';
import { createServiceAllocator } from './registry/service-allocation.ts';
import { createWriter } from './registry/writing.ts';
import { type Security, type SecurityOptions, secure } from './security.ts';
import { createWatchHub, type WatchHub } from './watch/index.ts';

export interface ApiServerOptions {
  /** Open and empty or filled; the server does not close it. */
  readonly store: Store;
  /** Address to listen on. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tls: TlsMaterial;
  /** What clients and the `kubernetes` Service are told; default: `host`. */
  readonly advertiseAddress?: string;
  /** 10.96.0.0/12 */
  readonly serviceCidr: string;
  /** Inclusive; default 30000 to 32767. */
  readonly nodePorts?: readonly [number, number];
  /** How requests are authenticated, authorized and admitted. */
  readonly security: SecurityOptions;
  /** Makes the part that talks to nodes; absent: logs, exec and proxies answer 503. */
  readonly nodeProxy?: (access: Pick<Security, 'reader'>) => NodeProxy;
  /** What other API servers (APIServices) know this one by; absent: they are asked without a certificate. */
  readonly frontProxy?: FrontProxyCertificate;
  /** Namespaces, default RBAC and the `kubernetes` Service are made at start; default true. */
  readonly defaultObjects?: boolean;
  /** Default: the kinds table. */
  readonly kinds?: readonly KindSpec[];
  readonly limits?: FlowLimits;
  /** Shown on /metrics besides the server's own. */
  readonly gauges?: readonly Gauge[];
  /** How the controller manager and the scheduler are asked whether they work; default: /healthz on this machine. */
  readonly components?: readonly ComponentCheck[];
  /** Absent: no audit log is kept. */
  readonly audit?: {
    readonly policy: AuditPolicy;
    readonly sink: AuditSink;
  };
  /** What new machines install k8ts from; absent: nothing is served for them. */
  readonly installation?: InstallationSource;
  /** Largest request body, bytes; default 3 MiB as upstream. */
  readonly bodyLimit?: number;
  /** How long a request may last that is neither a watch nor a stream, ms; default 60 s as upstream. */
  readonly requestTimeoutMs?: number;
  /** How long Events are kept after they were last written, ms; default 1 h as upstream. */
  readonly eventTtlMs?: number;
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** How often history older than that is given up, ms; default 5 minutes as upstream. */
  readonly compactEveryMs?: number;
}

export interface ApiServer {
  /** https://host:port, reachable from this machine. */
  readonly url: string;
  readonly port: number;
  /** Resolves when the default objects are there and /readyz says ok. */
  readonly ready: Promise<void>;
  /** Resolves with the reason when the server can't go on (its datastore failed); never in order. */
  readonly failed: Promise<Error>;
  /** New connections use this certificate. */
  replaceTls(tls: TlsMaterial): void;
  /** Other API servers are asked with this certificate from now on. */
  replaceFrontProxy(certificate: FrontProxyCertificate): void;
  /** Ends watches, lets requests finish (2 s by default), closes connections. */
  stop(graceMs?: number): Promise<void>;
}

const bodyLimitDefault = 3 << 20;
const requestTimeoutDefault = 60_000;
const eventTtlDefault = 3_600_000;
const compactEvery = 5 * 60_000;
const listPieceSize = 256 << 10;

/** Listens and serves. Throws CodedError for an address, certificate or Service range that can't be used. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  boundPatterns();
  const { store, logger = silentLogger, clock = systemClock, nodePorts = [30_000, 32_767] } = options;
  const cache = await startWatchCache({ store });
  const resources = createResourceTable(cache, options.kinds ?? [...Object.values(kindsTable), ...hiddenKinds]);
  const reader = createObjectReader(resources);
  const { serviceCidr } = options;
  const services = createServiceAllocator(cache.resource('/registry/core/services/'), { serviceCidr, nodePorts });
  const fields = createFieldManagement(resources);
  const unjudged = createWriter({ store, cache, admission: createAdmissionChain([]), services, fields, clock });
  const objects = createObjectWriter(resources, unjudged);
  const metrics = createMetrics();
  const security = secure({
    ...options.security,
    reader,
    writer: objects,
    clock,
    logger,
    clientCa: options.tls.clientCa,
    certificateUsed: (expires) => metrics.observeCertificate((expires - clock.now()) / 1000),
  });
  const admission = createAdmissionChain(security.admission);
  const watches = createWatchHub({ cache, store });
  const writer = createWriter({ store, cache, admission, services, fields, clock });
  const extensions = startExtensions({ reader, objects, resources, cache, writer: unjudged, watches, clock, logger });
  const aggregation = startAggregation({
    ...{ reader, objects, resources, virtual: security.reviews, writer: unjudged, clock, logger },
    frontProxy: options.frontProxy,
  });
  const nodeProxy = options.nodeProxy?.({ reader });
  const flows = createFlowControl(options.limits);
  const state = {
    bootstrapped: options.defaultObjects === false,
    stopping: false,
    broken: undefined as string | undefined,
  };

  const { host } = options;
  const address = options.advertiseAddress ?? host;
  const pipeline = createPipeline({
    registry: {
      cache,
      store,
      resources,
      watches,
      writer,
      fields,
      unjudged,
      admission,
      clock,
      pool: createBufferPool(listPieceSize),
    },
    ...security,
    paths: createPathHandler({
      resources,
      virtual: security.reviews,
      aggregation,
      checks: healthChecks(state),
      metrics,
      gauges: [...gaugesOf({ cache, flows, watches, resources: () => resources.all() }), ...(options.gauges ?? [])],
      openApi: createOpenApi(extensions, aggregation),
      clock,
      documents: security.documents(() => `https://${address}:${listener.port}`),
      address: () => `${address}:${listener.port}`,
      installation: options.installation && createInstallation(options.installation),
    }),
    proxy: nodeProxy,
    aggregation,
    flows,
    components: [...(options.components ?? loopbackChecks()), checkOfStore(store, () => state.broken)],
    audit: options.audit && createAuditLog({ ...options.audit, clock }),
    metrics,
    logger,
    bodyLimit: options.bodyLimit ?? bodyLimitDefault,
    requestTimeoutMs: options.requestTimeoutMs ?? requestTimeoutDefault,
  });
  const listener = await listen({
    host,
    port: options.port,
    tls: options.tls,
    logger,
    onExchange: pipeline.serve,
    mayUpgrade: pipeline.mayUpgrade,
    onUpgrade: pipeline.upgrade,
  });
  const atStop = [compactPeriodically({ store, cache, logger }, options.compactEveryMs ?? compactEvery)];
  cache.failed.then(
    (error) => {
      state.broken = messageOf(error);
    },
    () => undefined,
  );

  return {
    url: `https://${host.includes(':') ? `[${host}]` : host}:${listener.port}`,
    port: listener.port,
    ready: bootstrap(),
    failed: cache.failed,
    replaceTls: (tls) => listener.replaceTls(tls),
    replaceFrontProxy: (certificate) => aggregation.useFrontProxy(certificate),
    async stop(graceMs = 2000) {
      state.stopping = true;
      for (const stop of atStop) stop();
      extensions.stop();
      aggregation.stop();
      security.stop();
      watches.stop();
      await nodeProxy?.close();
      await listener.close(graceMs);
      await options.audit?.sink.close();
      cache.stop();
    },
  };

  async function bootstrap(): Promise<void> {
    const events = resources.ofKind(kindsTable.event)?.cache;
    const ttlMs = options.eventTtlMs ?? eventTtlDefault;
    if (events !== undefined) atStop.push(startExpiry(events, { store, clock, ttlMs, logger }));
    if (options.defaultObjects === false) return;
    const { clientCa, frontProxyCa } = options.tls;
    const defaults = {
      ...{ serviceCidr, advertiseAddress: address, securePort: listener.port },
      ...(clientCa === undefined ? {} : { clientCa }),
      ...(frontProxyCa === undefined ? {} : { requestHeaderCa: frontProxyCa }),
    };
    await ensureDefaultObjects(objects, defaults);
    if (state.stopping) return;
    atStop.push(
      followFlowObjects(flows, { reader, objects, clock, logger }),
      keepDefaultObjects({ reader, writer: objects, log: logger }, defaults),
    );
    await aggregation.register();
    state.bootstrapped = true;
  }
}

function healthChecks(state: {
  readonly bootstrapped: boolean;
  readonly stopping: boolean;
  readonly broken: string | undefined;
}): readonly HealthCheck[] {
  return [
    // Upstream's name for the datastore, by which probes leave it out.
    { name: 'etcd', live: true, whyNot: () => state.broken },
    { name: 'watch-cache', live: true, whyNot: () => state.broken },
    {
      name: 'poststarthook/default-objects',
      live: false,
      whyNot: () => (state.bootstrapped ? undefined : 'not finished'),
    },
    { name: 'shutdown', live: false, whyNot: () => (state.stopping ? 'process is shutting down' : undefined) },
  ];
}

function loopbackChecks(): readonly ComponentCheck[] {
  return Object.entries(componentPorts).map(([name, port]) => checkOnLoopback(name, port));
}

function gaugesOf(parts: {
  readonly cache: WatchCache;
  readonly flows: FlowControl;
  readonly watches: WatchHub;
  readonly resources: () => readonly { readonly spec: KindSpec; readonly cache: { readonly size: number } }[];
}): readonly Gauge[] {
  const { cache, flows, watches, resources } = parts;
  const levelGauge = (name: string, help: string, of: (level: LevelState) => number): Gauge => ({
    name,
    help,
    samples: () => flows.levels().map((level) => ({ labels: { priority_level: level.name }, value: of(level) })),
  });
  return [
    {
      name: 'apiserver_current_inflight_requests',
      help: 'Requests that are worked on now.',
      samples: () => [
        { labels: { request_kind: 'mutating' }, value: flows.mutating },
        { labels: { request_kind: 'readOnly' }, value: flows.reading },
      ],
    },
    levelGauge(
      'apiserver_flowcontrol_current_executing_requests',
      'Requests that have a seat.',
      ({ executing }) => executing,
    ),
    levelGauge(
      'apiserver_flowcontrol_current_inqueue_requests',
      'Requests that wait for a seat.',
      ({ waiting }) => waiting,
    ),
    levelGauge('apiserver_flowcontrol_rejected_requests_total', 'Requests that got 429.', ({ rejected }) => rejected),
    {
      name: 'apiserver_longrunning_requests',
      help: 'Open watches.',
      samples: () => [{ labels: {}, value: watches.size }],
    },
    {
      name: 'apiserver_resource_objects',
      help: 'Stored objects by resource.',
      samples: () => resources().map(countOf),
    },
    {
      name: 'k8ts_store_revision',
      help: 'The newest revision.',
      samples: () => [{ labels: {}, value: cache.revision }],
    },
    {
      name: 'process_resident_memory_bytes',
      help: 'Resident memory.',
      samples: () => [{ labels: {}, value: process.memoryUsage.rss() }],
    },
  ];
}

function countOf({ spec, cache }: { readonly spec: KindSpec; readonly cache: { readonly size: number } }): {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
} {
  return { labels: { group: spec.group, resource: spec.plural }, value: cache.size };
}

/** Gives up history older than one interval: watches that resume from further back get 410 and list again. */
/** Gives up history that is older than `everyMs`, on disk and in memory. */
function compactPeriodically(
  { store, cache, logger }: { readonly store: Store; readonly cache: WatchCache; readonly logger: Logger },
  everyMs: number,
): () => void {
  let before = store.revision;
  const compact = async (): Promise<void> => {
    const upTo = before;
    before = store.revision;
    try {
      await store.compact(upTo);
      cache.trim(upTo);
    } catch (error) {
      logger.warn('compaction failed', { error: messageOf(error) });
    }
  };
  const timer = setInterval(compact, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
