// Which resources a definition is served as. Objects that were stored under an earlier definition may lack defaults, hold
// fields that are unknown by now, or be of another version: only while there are such objects are reads converted one by
// one; otherwise stored bytes go out as they are, as for every built-in kind.

import {
  type ConvertObject,
  type CustomResourceDefinition,
  conversionOf,
  customKinds,
  type KindSpec,
  type KubeObject,
  readingOldObjects,
  readsOtherwise,
} from '../../api/index.ts';
import type { ResourceCache } from '../cache/index.ts';
import type { ResourceTable } from '../registry/resource.ts';
import type { Converter } from './conversion.ts';

/** The entries of one definition. */
export interface ServedDefinition {
  readonly specs: readonly KindSpec[];
  /** Objects with a greater revision were stored under this very spec. */
  readonly since: number;
  /** What the entries were made from; the same text makes the same entries. */
  readonly specText: string;
  readonly madeFrom: string;
}

/** More old objects than this are not looked at one by one. */
const examinedMax = 2000;

/** Puts the definition's versions into the table in place of `before`; answers `before` when nothing changed. */
export function serveDefinition(
  resources: ResourceTable,
  definition: CustomResourceDefinition,
  {
    before,
    cacheOf,
    converter,
  }: {
    readonly before: ServedDefinition | undefined;
    readonly cacheOf: (storage: KindSpec) => ResourceCache;
    readonly converter: Converter;
  },
): ServedDefinition {
  const { metadata, spec, status } = definition;
  const specText = JSON.stringify(spec);
  const isEnding = metadata?.deletionTimestamp !== undefined;
  const madeFrom = JSON.stringify([metadata?.uid, status?.acceptedNames, isEnding]) + specText;
  if (before?.madeFrom === madeFrom) return before;
  const since = before?.specText === specText ? before.since : Number(metadata?.resourceVersion ?? 0);
  const config = spec.conversion?.webhook?.clientConfig;
  const webhook = config && converter.of(config);
  const { specs, storage } = customKinds(definition, webhook);
  const served = [
    hasOldObjects(cacheOf(storage), storage, since)
      ? readingOld(storage, since, conversionOf(definition, webhook))
      : storage,
    ...specs.slice(1),
  ];
  if (before !== undefined) withdraw(resources, before);
  for (const one of served) resources.add(one);
  return { specs: served, since, specText, madeFrom };
}

export function withdraw(resources: ResourceTable, { specs }: ServedDefinition): void {
  for (const spec of specs) resources.remove(spec);
}

function hasOldObjects(cache: ResourceCache, storage: KindSpec, since: number): boolean {
  const old = cache.list().filter(({ revision }) => revision <= since);
  return old.length > examinedMax || old.some((object) => readsOtherwise(storage, object.parsed()));
}

function readingOld(storage: KindSpec, since: number, convert: ConvertObject): KindSpec {
  const isCurrent = ({ metadata }: KubeObject): boolean => Number(metadata?.resourceVersion ?? 0) > since;
  return readingOldObjects(storage, isCurrent, convert);
}
