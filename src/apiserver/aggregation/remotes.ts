// The APIServices that name a Service: who is asked for which group-version, whether it can be asked, and what it serves.
// Looked at again when the APIService, its Service or its endpoints change, and every 30 s while there is one, since a
// server that stopped answering tells nobody. Requests are judged by the stored condition, so every client sees one truth.

import { type APIService, type EndpointSlice, kinds, sameJson } from '../../api/index.ts';
import { type Clock, type Logger, messageOf } from '../../base/index.ts';
import { ApiError, type ObjectReader, type ObjectWriter, type UserInfo } from '../contracts.ts';
import type { ApiVersion, OpenApiPart } from '../discovery/index.ts';
import { readText } from '../proxy/backend.ts';
import { timestampOf } from '../registry/deletion.ts';
import {
  type ApiServiceSpec,
  isAvailable,
  locate,
  passed,
  refused,
  type ServiceReference,
  type Verdict,
  withAvailability,
} from './availability.ts';
import { createDialer, type Dialer, type FrontProxyCertificate } from './dial.ts';
import { readResourceList } from './remote-discovery.ts';
import { fetchOpenApi, fetchPart, type RemoteDocument, type RemotePart } from './remote-openapi.ts';

export interface Remote {
  /** The host:port to ask and how. Throws ApiError 503 while the server is not available. */
  reach(): { readonly host: string; readonly dialer: Dialer };
}

export interface Remotes {
  find(name: string): Remote | undefined;
  /** What they serve, by group priority, within a group by version priority. */
  versions(): readonly ApiVersion[];
  /** OpenAPI version 3 documents by `apis/<group>/<version>`, of those that have one. */
  openApi(): ReadonlyMap<string, RemoteDocument>;
  /** Of their version 2 documents, what is about their group-versions. */
  openApiParts(): readonly OpenApiPart[];
  /** Called with each change of an APIService. */
  follow(name: string): void;
  /** Requests from now on show this certificate. */
  useFrontProxy(certificate: FrontProxyCertificate): void;
  stop(): void;
}

export interface RemotesOptions {
  readonly reader: ObjectReader;
  readonly objects: ObjectWriter;
  /** Absent: other servers are asked without a certificate, and will refuse. */
  readonly frontProxy: FrontProxyCertificate | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Known {
  readonly spec: ApiServiceSpec;
  readonly specText: string;
  readonly dialer: Dialer;
  served: ApiVersion | undefined;
  openApi: RemoteDocument | undefined;
  part: RemotePart | undefined;
}

/** Who asks for discovery: somebody who may always. */
const checker: UserInfo = { name: 'system:kube-aggregator', groups: ['system:masters'] };
const recheckMs = 30_000;
const checkMs = 5000;
const discoveryMax = 4 << 20;
const openApiMax = 16 << 20;
const serviceLabel = 'kubernetes.io/service-name';

export function startRemotes({ reader, objects, clock, logger, ...options }: RemotesOptions): Remotes {
  let { frontProxy } = options;
  const known = new Map<string, Known>();
  /** Under way; true: look again afterwards. */
  const checking = new Map<string, boolean>();
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;

  const get = (name: string): APIService | undefined => reader.get(kinds.apiService, undefined, name);

  function follow(name: string): void {
    const spec = get(name)?.spec;
    const before = known.get(name);
    const specText = JSON.stringify(spec);
    if (before?.specText === specText || stopping.signal.aborted) return;
    known.delete(name);
    before?.dialer.close().catch(() => undefined);
    if (spec?.service !== undefined) {
      known.set(name, {
        spec,
        specText,
        dialer: createDialer(spec, frontProxy),
        served: undefined,
        openApi: undefined,
        part: undefined,
      });
      check(name);
    }
    if (known.size === 0) {
      clearInterval(timer);
      timer = undefined;
    } else timer ??= setInterval(() => checkAll(() => true), recheckMs).unref();
  }

  function checkAll(isMeant: (service: ServiceReference) => boolean): void {
    for (const [name, { spec }] of known) if (spec.service !== undefined && isMeant(spec.service)) check(name);
  }

  function check(name: string): void {
    const busy = checking.has(name);
    checking.set(name, busy);
    if (!busy) void work(name);
  }

  async function work(name: string): Promise<void> {
    do {
      checking.set(name, false);
      try {
        const remote = known.get(name);
        if (remote !== undefined) await settle(name, remote);
      } catch (error) {
        logger.error('the state of an APIService was not written', { name, error: messageOf(error) });
      }
    } while (checking.get(name) === true && !stopping.signal.aborted);
    checking.delete(name);
  }

  async function settle(name: string, remote: Known): Promise<void> {
    const verdict = await judge(remote);
    if (known.get(name) !== remote || stopping.signal.aborted) return;
    const statusOf = ({ status }: APIService) => withAvailability(status, verdict, timestampOf(clock.now()));
    const stored = get(name);
    if (stored === undefined || sameJson(statusOf(stored), stored.status)) return;
    await objects.updateStatus(kinds.apiService, undefined, name, (now: APIService) =>
      JSON.stringify(now.spec) === remote.specText ? ({ ...now, status: statusOf(now) } as APIService) : undefined,
    );
  }

  async function judge(remote: Known): Promise<Verdict> {
    const { spec, dialer } = remote;
    if (spec.service === undefined) return passed;
    const host = locate(reader, spec.service);
    if (typeof host !== 'string') return host;
    const { group = '', version = '' } = spec;
    const target = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    const failing = (why: string): Verdict =>
      refused('FailedDiscoveryCheck', `failing or missing response from https://${host}${target}: ${why}`);
    const ask = async (path: string, maxBytes: number, more: Readonly<Record<string, string>> = {}) => {
      const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(checkMs)]);
      const headers = { accept: 'application/json', ...more };
      const answer = await dialer.request(host, {
        ...{ method: 'GET', target: path, headers, user: checker, signal, bodyLimit: 0 },
      });
      const { etag } = answer.headers;
      return { status: answer.status, etag, text: await readText(answer.body, maxBytes) };
    };
    try {
      const { status, text } = await ask(target, discoveryMax);
      if (status < 200 || status > 299) return failing(`bad status from the server: ${status}`);
      remote.served = readResourceList(text, { group, version }) ?? remote.served;
    } catch (error) {
      return failing(messageOf(error));
    }
    const textAt = async (path: string): Promise<string | undefined> => {
      const { status, text } = await ask(path, openApiMax);
      return status === 200 ? text : undefined;
    };
    // A server without documents can be used all the same.
    const root = target.slice(1);
    remote.openApi = await fetchOpenApi(textAt, root, remote.openApi).catch(() => remote.openApi);
    const ask2 = (headers: Readonly<Record<string, string>>) => ask('/openapi/v2', openApiMax, headers);
    remote.part = await fetchPart(ask2, root, remote.part).catch(() => remote.part);
    return passed;
  }

  reader.onChange(kinds.service, ({ namespace, name }) =>
    checkAll((service) => service.namespace === namespace && service.name === name),
  );
  // A slice that is gone does not say any more whose it was.
  reader.onChange(kinds.endpointSlice, ({ namespace, name }) => {
    if (known.size === 0) return;
    const slice = reader.get<EndpointSlice>(kinds.endpointSlice, namespace, name);
    const of = slice?.metadata?.labels?.[serviceLabel];
    checkAll((service) => service.namespace === namespace && (slice === undefined || service.name === of));
  });
  for (const { metadata } of reader.list<APIService>(kinds.apiService)) follow(metadata?.name ?? '');

  return {
    follow,
    useFrontProxy(certificate) {
      frontProxy = certificate;
      for (const [name, remote] of known) {
        // The old dialer is left to its requests; connections that are idle end by themselves.
        known.set(name, { ...remote, dialer: createDialer(remote.spec, frontProxy) });
        check(name);
      }
    },
    find(name) {
      const remote = known.get(name);
      if (remote === undefined) return undefined;
      return {
        reach() {
          const service = get(name);
          const host =
            service?.spec?.service === undefined || !isAvailable(service)
              ? undefined
              : locate(reader, service.spec.service);
          if (typeof host === 'string') return { host, dialer: remote.dialer };
          throw new ApiError('ServiceUnavailable', 'service unavailable');
        },
      };
    },
    openApi: () =>
      new Map(
        [...known.values()].flatMap(({ spec, openApi }) =>
          openApi === undefined ? [] : [[`apis/${spec.group}/${spec.version}`, openApi] as const],
        ),
      ),
    openApiParts: () => [...known.values()].flatMap(({ part }) => (part === undefined ? [] : [part.part])),
    versions() {
      if (known.size === 0) return [];
      const byPriority = [...known].sort(
        ([, { spec: a }], [, { spec: b }]) =>
          b.groupPriorityMinimum - a.groupPriorityMinimum || b.versionPriority - a.versionPriority,
      );
      return byPriority.map(([name, { spec, served }]): ApiVersion => {
        const service = get(name);
        const rows = served ?? { group: spec.group ?? '', version: spec.version ?? '', resources: [] };
        return service !== undefined && isAvailable(service) ? rows : { ...rows, isStale: true };
      });
    },
    stop() {
      stopping.abort(new Error('the API server stops'));
      clearInterval(timer);
      for (const { dialer } of known.values()) dialer.close().catch(() => undefined);
      known.clear();
    },
  };
}
