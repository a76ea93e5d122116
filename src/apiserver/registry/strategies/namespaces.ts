// Namespaces: `kubernetes` in spec.finalizers holds a namespace until its content is gone; the namespace controller removes
// it through /finalize. Source: pkg/registry/core/namespace/strategy.go and storage.go.

import type { KubeObject } from '../../../api/index.ts';
import type { Strategy } from '../strategy.ts';
import { section, withField } from './fields.ts';

export const namespaces: Strategy = {
  answersDeleted: true,
  create(object) {
    const finalizers = finalizersOf(object);
    const spec = { ...section(object, 'spec'), finalizers: [...new Set([...finalizers, 'kubernetes'])] };
    return withField(withField(named(object), 'spec', spec), 'status', { phase: 'Active' });
  },
  // Only /finalize changes them.
  update: (object, old) =>
    withField(object, 'spec', { ...section(object, 'spec'), finalizers: section(old, 'spec')['finalizers'] }),
  terminating: (object) => withField(object, 'status', { ...section(object, 'status'), phase: 'Terminating' }),
  isHeld: (object) => finalizersOf(object).length > 0,
};

/** The label that names the namespace; defaults cannot set it before a name is generated. */
function named(object: KubeObject): KubeObject {
  const { metadata } = object;
  const labels = { ...metadata?.labels, 'kubernetes.io/metadata.name': metadata?.name ?? '' };
  return { ...object, metadata: { ...metadata, labels } };
}

function finalizersOf(object: KubeObject): readonly string[] {
  const finalizers = section(object, 'spec')['finalizers'];
  return Array.isArray(finalizers) ? finalizers.filter((one) => typeof one === 'string') : [];
}
