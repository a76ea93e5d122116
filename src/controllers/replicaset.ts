// ReplicaSet: keeps `spec.replicas` pods of its template alive. See replicas.ts for the how.

import { kinds, type Pod, type ReplicaSet, type Stored } from '../api/index.ts';
import { keyOf } from '../client/index.ts';
import { type Controller, needs, type View, watch } from './controller.ts';
import { selectorOf } from './labels.ts';
import { byController, controllerOf, orphansOf } from './ownership.ts';
import { needsPodsByController, podsByController } from './pod-state.ts';
import { reconcileReplicas } from './replicas.ts';

export const replicaSetsByController = byController(kinds.replicaSet);
export const needsReplicaSetsByController = needs(replicaSetsByController);

export const replicaSetController: Controller = {
  name: 'replicaset-controller',
  parallel: 10,
  indexes: [needsPodsByController, needsReplicaSetsByController],
  watches: [watch(kinds.replicaSet, (set) => [keyOf(set)]), watch(kinds.pod, setsOf)],
  reconcile(key, { view, failure, now }) {
    const set = view.get(kinds.replicaSet, key);
    if (set === undefined) return [];
    const selector = selectorOf(set.spec?.selector);
    return reconcileReplicas({
      kind: kinds.replicaSet,
      owner: set,
      matches: (pod) => selector.matches(pod.metadata.labels),
      candidates: [
        ...view.byIndex(podsByController, set.metadata.uid),
        ...view.byIndex(podsByController, orphansOf(set.metadata.namespace)),
      ],
      related: () => podsOfSiblings(set, view),
      failure,
      now,
    });
  },
};

function setsOf(pod: Stored<Pod>, view: View): readonly string[] {
  const { namespace, labels } = pod.metadata;
  const controller = controllerOf(pod);
  if (controller !== undefined) return controller.kind === 'ReplicaSet' ? [`${namespace}/${controller.name}`] : [];
  return view
    .list(kinds.replicaSet, namespace)
    .filter((set) => selectorOf(set.spec?.selector).matches(labels))
    .map(keyOf);
}

/** Pods of all ReplicaSets of the same Deployment: scaling down spreads over nodes by the whole application. */
function podsOfSiblings(set: Stored<ReplicaSet>, view: View): readonly Pod[] {
  const owner = controllerOf(set);
  if (owner === undefined) return [];
  return view
    .byIndex(replicaSetsByController, owner.uid)
    .flatMap((sibling) => view.byIndex(podsByController, sibling.metadata.uid));
}
