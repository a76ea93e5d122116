// Objects of every cluster that are made again when somebody deletes them (`kubectl delete all --all` does): without the
// `kubernetes` Service pods find no API server, without kube-node-lease every node is taken for dead. Upstream looks every
// ten seconds or every minute; here the deletion itself is the reason to look. A change is left alone until the next start:
// two servers would undo each other's for ever.

import { type KindSpec, kinds } from '../../api/index.ts';
import { type Logger, messageOf } from '../../base/index.ts';
import type { ObjectReader, ObjectWriter } from '../contracts.ts';
import {
  type DefaultObjectsOptions,
  ensureExtensionAuthentication,
  ensureNamespaces,
  systemNamespaces,
} from './default-objects.ts';
import { ensureFlowObjects, flowSchemas, priorityLevels } from './flow-objects.ts';
import { ensureKubernetesService } from './kubernetes-service.ts';

interface Kept {
  readonly kinds: readonly KindSpec[];
  /** `namespace/name`, or the name alone. */
  readonly names: readonly string[];
  readonly ensure: (writer: ObjectWriter, options: DefaultObjectsOptions) => Promise<void>;
}

const table: readonly Kept[] = [
  { kinds: [kinds.namespace], names: systemNamespaces, ensure: ensureNamespaces },
  {
    kinds: [kinds.service, kinds.endpoints, kinds.endpointSlice],
    names: ['default/kubernetes'],
    ensure: ensureKubernetesService,
  },
  {
    kinds: [kinds.configMap],
    names: ['kube-system/extension-apiserver-authentication'],
    ensure: ensureExtensionAuthentication,
  },
  {
    kinds: [kinds.flowSchema, kinds.priorityLevelConfiguration],
    names: [...flowSchemas, ...priorityLevels].map(({ metadata }) => metadata.name ?? ''),
    ensure: ensureFlowObjects,
  },
];

/** Long enough for a controller to finish what the deletion of a Service makes it do, ms. */
const pause = 500;

/** From here on, until the answer is called. */
export function keepDefaultObjects(
  { reader, writer, log }: { readonly reader: ObjectReader; readonly writer: ObjectWriter; readonly log: Logger },
  options: DefaultObjectsOptions,
): () => void {
  const timers = new Map<Kept, NodeJS.Timeout>();
  let isStopped = false;
  const lookSoon = (kept: Kept): void => {
    if (!isStopped && !timers.has(kept)) timers.set(kept, setTimeout(look, pause, kept).unref());
  };
  const look = (kept: Kept): void => {
    timers.delete(kept);
    kept.ensure(writer, options).catch((error: unknown) => {
      if (isStopped) return;
      const [what] = kept.names;
      log.warn('an object of every cluster could not be made again, trying again', { what, error: messageOf(error) });
      lookSoon(kept);
    });
  };
  for (const kept of table) {
    const names = new Set(kept.names);
    for (const kind of kept.kinds) {
      reader.onChange(kind, ({ type, namespace, name }) => {
        if (type === 'delete' && names.has(namespace === undefined ? name : `${namespace}/${name}`)) lookSoon(kept);
      });
    }
  }
  return () => {
    isStopped = true;
    for (const timer of timers.values()) clearTimeout(timer);
  };
}
