// Writes by several managers, and who owns what after them.

import {
  applyConfiguration,
  createApplyTypes,
  entriesOf,
  type FieldWrite,
  type KindSpec,
  type KubeObject,
  kinds,
  type ObjectVersion,
  resetFieldsOf,
  trackUpdate,
} from '../../src/api/index.ts';

export const types = createApplyTypes();

export function versionOf(kind: KindSpec, subresource: string): ObjectVersion {
  return {
    apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`,
    type: types.ofKind(kind),
    ignored: resetFieldsOf(kind, subresource),
    fromStored: (object) => object,
    toStored: (object) => object,
  };
}

export interface By {
  readonly manager?: string;
  readonly kind?: KindSpec;
  readonly subresource?: string;
  readonly now?: string;
}

export function writeBy({
  manager = 'a',
  kind = kinds.deployment,
  subresource = '',
  now = '2026-01-01T00:00:00Z',
}: By): FieldWrite {
  return { manager, subresource, now, version: versionOf(kind, subresource), versionOf: () => undefined };
}

/** The object as a write by Update leaves it. */
export function updated(by: By, old: KubeObject | undefined, wanted: object): KubeObject {
  return withEntries(wanted as KubeObject, trackUpdate(writeBy(by), old, wanted as KubeObject));
}

export function applied(by: By, live: KubeObject | undefined, config: object, force = false): KubeObject {
  const result = applyConfiguration(writeBy(by), { live, config: config as KubeObject, force });
  return withEntries(result.object, result.managedFields);
}

export function withEntries(object: KubeObject, managedFields: object): KubeObject {
  return { ...object, metadata: { ...object.metadata, managedFields } } as unknown as KubeObject;
}

/** `manager operation[ subresource]` → set. */
export function owners(object: KubeObject): Record<string, unknown> {
  return Object.fromEntries(
    entriesOf(object).map(({ manager, operation, subresource, fieldsV1 }) => [
      [manager, operation, ...(subresource === undefined ? [] : [subresource])].join(' '),
      fieldsV1,
    ]),
  );
}

export const config = (spec: object, meta: object = {}): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', ...meta },
  spec,
});

export const containers = (...list: readonly object[]): object => ({ template: { spec: { containers: list } } });
export const inContainers = (set: object): object => ({
  'f:spec': { 'f:template': { 'f:spec': { 'f:containers': set } } },
});
