// Kinds of CustomResourceDefinitions, for the controllers that look at every kind. An informer of the definitions says which
// there are; each established one is read in one of its served versions, the stored one if that is served.

import { type CustomResourceDefinition, type KindSpec, kinds } from '../api/index.ts';
import type { InformerFactory } from '../client/index.ts';
import type { AssumingView } from './view.ts';

/** What routes need of a definition's kind; undefined while it is not served. */
export function kindOfDefinition({ spec, status }: CustomResourceDefinition): KindSpec | undefined {
  const isEstablished = status?.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True');
  const served = spec.versions.filter((version) => version.served);
  const version = served.find(({ storage }) => storage) ?? served[0];
  if (isEstablished !== true || version === undefined) return undefined;
  const { group, scope, names } = spec;
  const { kind, plural, singular = kind.toLowerCase() } = names;
  return { group, version: version.name, kind, plural, singular, namespaced: scope === 'Namespaced' };
}

/** Call before the informers start. */
export function followDefinitions(informers: InformerFactory, view: AssumingView): void {
  const followed = new Map<string, KindSpec>();

  function look(name: string, definition: CustomResourceDefinition | undefined): void {
    const before = followed.get(name);
    const now = definition === undefined ? undefined : kindOfDefinition(definition);
    if (before?.version === now?.version) return;
    if (now !== undefined) {
      followed.set(name, now);
      view.addCustomKind(now);
    } else if (before !== undefined) {
      followed.delete(name);
      view.removeCustomKind(before, definition === undefined ? 'gone' : 'unserved');
    }
  }

  informers.informer(kinds.customResourceDefinition).addHandler({
    added: (definition) => look(definition.metadata.name, definition),
    updated: (definition) => look(definition.metadata.name, definition),
    deleted: (definition) => look(definition.metadata.name, undefined),
  });
}
