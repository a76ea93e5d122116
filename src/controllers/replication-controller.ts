// ReplicationController: the elder of ReplicaSet. Its selector is a plain map; everything else is shared (replicas.ts).

import { kinds, type Pod, type ReplicationController, type Stored } from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { type Controller, type View, watch } from './controller.ts';
import { containsLabels, type Labels } from './labels.ts';
import { controllerOf, orphansOf } from './ownership.ts';
import { needsPodsByController, podsByController } from './pod-state.ts';
import { reconcileReplicas } from './replicas.ts';

export const replicationController: Controller = {
  name: 'replicationcontroller-controller',
  parallel: 5,
  indexes: [needsPodsByController],
  watches: [watch(kinds.replicationController, (owner) => [keyOf(owner)]), watch(kinds.pod, ownersOf)],
  reconcile(key, { view, failure, now }) {
    const owner = view.get(kinds.replicationController, key);
    if (owner === undefined) return [];
    return reconcileReplicas({
      kind: kinds.replicationController,
      owner,
      matches: (pod) => selects(owner, pod.metadata.labels),
      candidates: [
        ...view.byIndex(podsByController, owner.metadata.uid),
        ...view.byIndex(podsByController, orphansOf(owner.metadata.namespace)),
      ],
      related: () => [],
      failure,
      now,
    });
  },
};

/** Without a selector the template's labels select; without those, nothing. */
function selects({ spec }: ReplicationController, labels: Labels | undefined): boolean {
  const selector = spec?.selector ?? spec?.template?.metadata?.labels ?? {};
  return Object.keys(selector).length > 0 && containsLabels(labels, selector);
}

function ownersOf(pod: Stored<Pod>, view: View): readonly string[] {
  const { namespace, labels } = pod.metadata;
  const controller = controllerOf(pod);
  if (controller !== undefined) {
    return controller.kind === 'ReplicationController' ? [`${namespace}/${controller.name}`] : [];
  }
  return view
    .list(kinds.replicationController, namespace)
    .filter((owner) => selects(owner, labels))
    .map(keyOf);
}
