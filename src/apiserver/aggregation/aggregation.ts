// APIServices at work. Those that name a Service send the requests of their group-version to another server (remotes.ts);
// for each group-version that this server answers itself there is one without, kept here (automanaged.ts). As upstream, what
// is stored decides: a remote APIService takes over a group-version even when this server has it too. The exception is
// apiregistration.k8s.io, so that what was registered can always be taken back.

import { type APIService, kinds } from '../../api/index.ts';
import { type Clock, type Logger, messageOf } from '../../base/index.ts';
import { ApiError, type ObjectReader, type ObjectWriter, type UserInfo } from '../contracts.ts';
import type { ApiVersion, OpenApiPart, VirtualResource } from '../discovery/index.ts';
import type { ResourceTable } from '../registry/resource.ts';
import type { Writer } from '../registry/writing.ts';
import { asWanted, type LocalVersion, nameOf, planLocal } from './automanaged.ts';
import type { FrontProxyCertificate } from './dial.ts';
import type { RemoteDocument } from './remote-openapi.ts';
import { type Remote, startRemotes } from './remotes.ts';

export interface Aggregation {
  /** The other server that answers for a group-version; undefined: this one does. */
  find(group: string, version: string): Remote | undefined;
  /** `own` with what other servers serve: in the place of the same group-version, or behind. */
  withRemote(own: readonly ApiVersion[]): readonly ApiVersion[];
  /** OpenAPI version 3 documents of other servers by `apis/<group>/<version>`. */
  openApi(): ReadonlyMap<string, RemoteDocument>;
  /** What they add to the version 2 document; the same values as long as nothing changed. */
  openApiParts(): readonly OpenApiPart[];
  /** What other servers know this one by from now on; requests under way end as they began. */
  useFrontProxy(certificate: FrontProxyCertificate): void;
  /** Registers the groups of this server, and from then on keeps those of custom kinds. */
  register(): Promise<void>;
  stop(): void;
}

export interface AggregationOptions {
  readonly reader: ObjectReader;
  readonly objects: ObjectWriter;
  readonly resources: ResourceTable;
  readonly virtual: readonly VirtualResource[];
  /** Without admission. */
  readonly writer: Writer;
  readonly frontProxy: FrontProxyCertificate | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

const retryMs = 1000;
const ownGroup = 'apiregistration.k8s.io';
const system: UserInfo = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };

export function startAggregation(options: AggregationOptions): Aggregation {
  const { reader, objects, resources, virtual, writer, logger } = options;
  // A server of a smaller table has no APIServices to follow.
  const table = resources.ofKind(kinds.apiService);
  if (table === undefined)
    return {
      find: () => undefined,
      withRemote: (own) => own,
      openApi: () => new Map(),
      openApiParts: () => [],
      useFrontProxy: () => undefined,
      register: async () => undefined,
      stop: () => undefined,
    };
  const remotes = startRemotes(options);
  let registered = false;
  let stopped = false;
  let retry: NodeJS.Timeout | undefined;
  let work: Promise<void> = Promise.resolve();
  let waiting = false;

  /** One look after the other; those that come while one waits are the same one. */
  function schedule(): void {
    if (!registered || stopped || waiting) return;
    waiting = true;
    work = work.then(async () => {
      waiting = false;
      try {
        await reconcile(false);
      } catch (error) {
        logger.error('APIServices wait', { error: messageOf(error) });
        clearTimeout(retry);
        retry = setTimeout(schedule, retryMs).unref();
      }
    });
  }

  async function reconcile(atStart: boolean): Promise<void> {
    if (stopped) return;
    const plan = planLocal(localVersions(), reader.list<APIService>(kinds.apiService), atStart);
    await Promise.all([
      ...plan.create.map((one) => objects.ensure(kinds.apiService, { ...one, metadata: one.metadata ?? {} })),
      ...plan.update.map((one) =>
        objects.update<APIService>(kinds.apiService, undefined, one.metadata?.name ?? '', (held) =>
          asWanted(held, one),
        ),
      ),
      ...plan.remove.map(removeOne),
    ]);
  }

  async function removeOne(name: string): Promise<void> {
    if (table === undefined) return;
    const request = { user: system, namespace: undefined, name, subresource: '', dryRun: false };
    try {
      await writer.remove(table, request, {});
    } catch (error) {
      if (!(error instanceof ApiError && error.reason === 'NotFound')) throw error;
    }
  }

  function localVersions(): readonly LocalVersion[] {
    const own = resources
      .all()
      .filter(({ spec }) => spec.hidden !== true)
      .map(({ spec: { group, version, custom } }) => ({ group, version, isCustom: custom !== undefined }));
    const made = virtual.map(({ servedUnder: { group, version } }) => ({ group, version, isCustom: false }));
    return [...own, ...made];
  }

  reader.onChange(kinds.apiService, ({ name }) => {
    remotes.follow(name);
    schedule();
  });
  reader.onChange(kinds.customResourceDefinition, schedule);

  return {
    find: (group, version) => (group === ownGroup ? undefined : remotes.find(nameOf({ group, version }))),
    withRemote(own) {
      const others = remotes.versions().filter(({ group }) => group !== ownGroup);
      if (others.length === 0) return own;
      const taken = new Map(others.map((one) => [nameOf(one), one]));
      const merged = own.map((one) => taken.get(nameOf(one)) ?? one);
      return [...merged, ...others.filter((one) => !merged.includes(one))];
    },
    useFrontProxy: (certificate) => remotes.useFrontProxy(certificate),
    openApi: () => remotes.openApi(),
    openApiParts: () => remotes.openApiParts(),
    async register() {
      await reconcile(true);
      registered = true;
      schedule();
    },
    stop() {
      stopped = true;
      clearTimeout(retry);
      remotes.stop();
    },
  };
}
