// CustomResourceDefinitions at work: each one that is stored becomes entries of the resource table, and its status says so.
//
//   definition stored ──► names judged ──► resources served ──► status: NamesAccepted, Established
//   definition marked as deleted ──► creates refused, instances deleted ──► the last one gone: finalizer removed ──► unserved
//
// Driven by the watch cache within the process: a definition is served a few milliseconds after it was stored, and after a
// restart before the server listens. A controller over HTTPS was refused: it would be a round trip late each time.

import { type CustomResourceDefinition, type KindSpec, kinds, sameJson } from '../../api/index.ts';
import { type Clock, type Logger, messageOf } from '../../base/index.ts';
import { createWebhookClient } from '../admission/dynamic/webhook-call.ts';
import type { ResourceCache, WatchCache } from '../cache/index.ts';
import type { ObjectReader, ObjectWriter } from '../contracts.ts';
import { timestampOf } from '../registry/deletion.ts';
import type { ResourceTable } from '../registry/resource.ts';
import { cleanupFinalizer } from '../registry/strategies/custom-resource-definitions.ts';
import type { Writer } from '../registry/writing.ts';
import type { WatchHub } from '../watch/index.ts';
import { endingStatus, isEstablished, statusOf } from './conditions.ts';
import { createConverter } from './conversion.ts';
import { removeInstances } from './instances.ts';
import { type ServedDefinition, serveDefinition, withdraw } from './serving.ts';

export interface Extensions {
  /** The kinds that definitions made. */
  served(): readonly KindSpec[];
  /** Grows with each change of what is served. */
  readonly generation: number;
  stop(): void;
}

export interface ExtensionsOptions {
  readonly reader: ObjectReader;
  readonly objects: ObjectWriter;
  readonly resources: ResourceTable;
  readonly cache: WatchCache;
  /** Without admission. */
  readonly writer: Writer;
  readonly watches: Pick<WatchHub, 'end'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const definitionKind = kinds.customResourceDefinition;
const retryMs = 1000;

/** Serves what is stored already before it returns. */
export function startExtensions(options: ExtensionsOptions): Extensions {
  const { reader, objects, resources, cache, writer, watches, clock, logger } = options;
  const serving = new Map<string, ServedDefinition>();
  const listening = new Map<string, () => void>();
  /** Definitions that are worked on; true: look again afterwards. */
  const working = new Map<string, boolean>();
  const timers = new Set<NodeJS.Timeout>();
  const client = createWebhookClient(reader);
  const converter = createConverter(client);
  let generation = 0;
  let stopped = false;

  const get = (name: string): CustomResourceDefinition | undefined => reader.get(definitionKind, undefined, name);
  const definitions = (): readonly CustomResourceDefinition[] => reader.list(definitionKind);
  const cacheOf = ({ group, plural }: Pick<KindSpec, 'group' | 'plural'>): ResourceCache =>
    cache.resource(`/registry/${group}/${plural}/`);

  /** Called with each change, before any client hears of it. */
  function look(name: string): void {
    const definition = get(name);
    if (definition === undefined) unserve(name);
    else {
      if (isEstablished(definition)) serve(name, definition);
      schedule(name);
    }
  }

  function serve(name: string, definition: CustomResourceDefinition): void {
    const before = serving.get(name);
    const served = serveDefinition(resources, definition, { before, cacheOf, converter });
    if (served === before) return;
    serving.set(name, served);
    generation += 1;
  }

  function unserve(name: string): void {
    listening.get(name)?.();
    listening.delete(name);
    const served = serving.get(name);
    if (served === undefined) return;
    serving.delete(name);
    withdraw(resources, served);
    generation += 1;
    for (const spec of served.specs.slice(0, 1)) watches.end(cacheOf(spec));
    // A name that was taken may be free now.
    for (const other of definitions()) if (!hasItsNames(other)) schedule(other.metadata?.name ?? '');
  }

  function schedule(name: string): void {
    if (stopped) return;
    const busy = working.has(name);
    working.set(name, busy);
    if (busy) return;
    void work(name);
  }

  async function work(name: string): Promise<void> {
    do {
      working.set(name, false);
      try {
        await settle(name);
      } catch (error) {
        logger.error('a CustomResourceDefinition waits', { name, error: messageOf(error) });
        const timer = setTimeout(() => {
          timers.delete(timer);
          schedule(name);
        }, retryMs);
        timers.add(timer);
      }
    } while (working.get(name) === true && !stopped);
    working.delete(name);
  }

  async function settle(name: string): Promise<void> {
    const definition = get(name);
    if (definition === undefined || stopped) return;
    if (definition.metadata?.deletionTimestamp !== undefined) return end(name, definition);
    const { group } = definition.spec;
    const others = definitions().filter((one) => one.spec.group === group && one.metadata?.name !== name);
    const status = statusOf(definition, others, timestampOf(clock.now()));
    // Served first, so that whoever sees it established can use it.
    if (isEstablished({ ...definition, status })) serve(name, { ...definition, status });
    if (sameJson(status, definition.status)) return;
    await objects.updateStatus(definitionKind, undefined, name, (now: CustomResourceDefinition) => ({
      ...now,
      status,
    }));
  }

  async function end(name: string, definition: CustomResourceDefinition): Promise<void> {
    if (definition.metadata?.finalizers?.includes(cleanupFinalizer) !== true) return;
    const { group, names } = definition.spec;
    const instances = cacheOf({ group, plural: names.plural });
    const storage = serving.get(name)?.specs[0];
    if (storage !== undefined && instances.size > 0) {
      const now = timestampOf(clock.now());
      await objects.updateStatus(definitionKind, undefined, name, (one: CustomResourceDefinition) => ({
        ...one,
        status: endingStatus(one, now),
      }));
      if (!listening.has(name))
        listening.set(
          name,
          instances.listen(() => schedule(name)),
        );
      await removeInstances(instances, { storage, resources, writer });
    }
    if (instances.size > 0) return;
    await objects.update(definitionKind, undefined, name, (one: CustomResourceDefinition) => ({
      ...one,
      metadata: {
        ...one.metadata,
        finalizers: (one.metadata?.finalizers ?? []).filter((other) => other !== cleanupFinalizer),
      },
    }));
  }

  reader.onChange(definitionKind, ({ name }) => look(name));
  for (const { metadata } of definitions()) look(metadata?.name ?? '');

  return {
    served: () => [...serving.values()].flatMap(({ specs }) => specs).filter(({ virtual }) => virtual !== true),
    get generation() {
      return generation;
    },
    stop() {
      stopped = true;
      for (const timer of timers) clearTimeout(timer);
      client.close();
    },
  };
}

function hasItsNames({ status }: CustomResourceDefinition): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'NamesAccepted' && is === 'True') === true;
}
