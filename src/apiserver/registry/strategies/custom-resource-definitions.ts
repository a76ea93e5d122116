// CustomResourceDefinitions: status is the server's alone, the storage version is remembered for ever, and a deletion waits
// until every instance is gone. Source: apiextensions-apiserver pkg/registry/customresourcedefinition.

import type { CustomResourceDefinition, KubeObject } from '../../../api/index.ts';
import type { Strategy } from '../strategy.ts';
import { withField } from './fields.ts';

export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

export const customResourceDefinitions: Strategy = {
  answersDeleted: true,
  needsResourceVersion: true,
  keepsStatus: true,
  create: (object) => withField(object, 'status', { ...emptyStatus, storedVersions: storedVersions(object, []) }),
  update(object, old) {
    const status = (old as CustomResourceDefinition).status ?? emptyStatus;
    return withField(object, 'status', {
      ...status,
      storedVersions: storedVersions(object, status.storedVersions ?? []),
    });
  },
  terminating(object) {
    const finalizers = new Set([...(object.metadata?.finalizers ?? []), cleanupFinalizer]);
    return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers] } };
  },
  isHeld: ({ metadata }) =>
    metadata?.deletionTimestamp === undefined || metadata.finalizers?.includes(cleanupFinalizer) === true,
};

const emptyStatus = {
  conditions: [],
  acceptedNames: { plural: '', kind: '' },
  storedVersions: [] as readonly string[],
};

function storedVersions(object: KubeObject, known: readonly string[]): readonly string[] {
  const { versions = [] } = (object as CustomResourceDefinition).spec ?? {};
  return [...new Set([...known, ...versions.filter(({ storage }) => storage).map(({ name }) => name)])];
}
