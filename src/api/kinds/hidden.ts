// Versions that are served for old clients and told nobody: they are not in discovery, so that kubectl and others go on
// using the present one. They can only be read. Upstream's scheduler of release 1.20 waits for policy/v1beta1 before it does
// anything. Source: k8s.io/kubernetes pkg/apis/policy/v1beta1/conversion.go.

import type { KindSpec } from '../kind.ts';
import type { KubeObject, PodDisruptionBudget } from '../types.ts';
import { otherKinds } from './other.ts';

/** In v1 an empty selector means every pod, in v1beta1 none. */
const everyPod = {
  matchExpressions: [{ key: 'pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match', operator: 'DoesNotExist' }],
};

const { subresources: _none, validate: _never, generation: _unseen, ...budget } = otherKinds.podDisruptionBudget;

export const hiddenKinds: readonly KindSpec[] = [
  {
    ...budget,
    version: 'v1beta1',
    verbs: ['get', 'list', 'watch'],
    hidden: true,
    storedAs: {
      kind: otherKinds.podDisruptionBudget,
      toStored: (object) => ({ ...object, apiVersion: 'policy/v1' }),
      fromStored(object: KubeObject): KubeObject {
        const { spec = {}, ...same } = object as PodDisruptionBudget;
        const { selector } = spec;
        const isEmpty =
          selector !== undefined && selector.matchLabels === undefined && selector.matchExpressions === undefined;
        const seen: PodDisruptionBudget = {
          ...same,
          apiVersion: 'policy/v1beta1',
          spec: isEmpty ? { ...spec, selector: everyPod } : spec,
        };
        return seen;
      },
    },
  },
];
