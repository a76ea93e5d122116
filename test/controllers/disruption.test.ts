// Disruption budgets in tables, and quotas that must not give back what was just charged.

import t from 'tap';
import {
  type Pod,
  type PodDisruptionBudget,
  parseQuantity,
  type ResourceQuota,
  type Stored,
} from '../../src/api/index.ts';
import type { View } from '../../src/controllers/controller.ts';
import { reconcileBudget } from '../../src/controllers/disruption.ts';
import { demandOf } from '../../src/controllers/disruption-scale.ts';
import { reconcileQuota } from '../../src/controllers/resourcequota.ts';
import { isMarked, takeBackMark } from '../../src/controllers/stale-disruption.ts';
import { ago, now, pod } from './objects.ts';

function budget(spec: object, status: object = {}): Stored<PodDisruptionBudget> {
  return {
    metadata: { name: 'b', namespace: 'default', uid: 'b', resourceVersion: '1', generation: 2 },
    spec,
    status,
  } as unknown as Stored<PodDisruptionBudget>;
}

function owned(name: string, kind: string, owner: string): Stored<Pod> {
  const made = pod({ name, ready: true });
  const apiVersion = kind === 'Job' ? 'batch/v1' : 'apps/v1';
  const reference = { apiVersion, kind, name: owner, uid: owner, controller: true };
  return { ...made, metadata: { ...made.metadata, ownerReferences: [reference] } };
}

/** A ReplicaSet `rs` of Deployment `web` that wants 10, and a StatefulSet `db` that wants 4. */
const view = {
  get(kind: { readonly kind: string }, key: string) {
    const name = key.slice('default/'.length);
    const reference = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'web', controller: true };
    const found: Readonly<Record<string, object>> = {
      'ReplicaSet rs': {
        metadata: { uid: 'rs', namespace: 'default', ownerReferences: [reference] },
        spec: { replicas: 3 },
      },
      'Deployment web': { metadata: { uid: 'web', namespace: 'default' }, spec: { replicas: 10 } },
      'StatefulSet db': { metadata: { uid: 'db', namespace: 'default' }, spec: { replicas: 4 } },
    };
    return found[`${kind.kind} ${name}`];
  },
} as unknown as View;

const demands: readonly {
  readonly name: string;
  readonly spec: object;
  readonly pods: readonly Stored<Pod>[];
  readonly want: object;
}[] = [
  {
    name: 'a number of pods',
    spec: { minAvailable: 2 },
    pods: [pod({ name: 'a' })],
    want: { expectedPods: 1, desiredHealthy: 2 },
  },
  {
    name: 'a share of what a Deployment wants',
    spec: { minAvailable: '25%' },
    pods: [owned('a', 'ReplicaSet', 'rs')],
    want: { expectedPods: 10, desiredHealthy: 3 },
  },
  {
    name: 'all but a number',
    spec: { maxUnavailable: 1 },
    pods: [owned('a', 'StatefulSet', 'db'), owned('b', 'StatefulSet', 'db')],
    want: { expectedPods: 4, desiredHealthy: 3 },
  },
  {
    name: 'several controllers',
    spec: { maxUnavailable: '50%' },
    pods: [owned('a', 'StatefulSet', 'db'), owned('b', 'ReplicaSet', 'rs')],
    want: { expectedPods: 14, desiredHealthy: 7 },
  },
  {
    name: 'a controller without scale',
    spec: { maxUnavailable: 1 },
    pods: [owned('a', 'Job', 'j')],
    want: { unknown: /Job "j" has no scale/ },
  },
];
for (const { name, spec, pods, want } of demands) {
  t.test(`demand: ${name}`, async (t) => {
    t.match(demandOf(budget(spec), pods, view), want);
  });
}

t.test('a pod whose eviction was granted counts as gone, for two minutes', async (t) => {
  const pods = [pod({ name: 'a', ready: true }), pod({ name: 'b', ready: true })];
  const demand = { expectedPods: 2, desiredHealthy: 1 };
  const statusWith = (seconds: number) =>
    reconcileBudget({ budget: budget({}, { disruptedPods: { a: ago(seconds) } }), pods, demand, now });
  t.match(statusWith(60), [
    { do: 'later', ms: 60_000 },
    { do: 'update', object: { status: { currentHealthy: 1, disruptionsAllowed: 0, disruptedPods: { a: ago(60) } } } },
  ]);
  t.match(statusWith(121), [
    { do: 'event', reason: 'NotDeleted' },
    { do: 'update', object: { status: { currentHealthy: 2, disruptionsAllowed: 1, disruptedPods: undefined } } },
  ]);
});

t.test('a budget that cannot be computed allows nothing and says why', async (t) => {
  const [action] = reconcileBudget({
    budget: budget({}, { disruptionsAllowed: 3 }),
    pods: [pod()],
    demand: { unknown: 'why' },
    now,
  });
  t.match(action, {
    object: {
      status: {
        disruptionsAllowed: 0,
        conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message: 'why' }],
      },
    },
  });
});

t.test('numbers of a quota go up at once, and down only when no charge can be on its way', async (t) => {
  const quota = {
    metadata: { name: 'q', namespace: 'default', uid: 'q', resourceVersion: '1' },
    spec: { hard: { pods: '9', secrets: '9' } },
    status: { hard: { pods: '9', secrets: '9' }, used: { pods: '3', secrets: '1' } },
  } as unknown as Stored<ResourceQuota>;
  const usage = { pods: parseQuantity('2'), secrets: parseQuantity('4') };
  t.match(reconcileQuota(quota, usage, false), [
    { do: 'later', ms: 250 },
    { do: 'update', object: { status: { used: { pods: '3', secrets: '4' } } } },
  ]);
  t.match(reconcileQuota(quota, usage, true)[1], { object: { status: { used: { pods: '2', secrets: '4' } } } });
});

t.test('a mark of disruption that came to nothing is taken back', async (t) => {
  const marked = (seconds: number, reason = 'EvictionByEvictionAPI', more: object = {}): Stored<Pod> => {
    const made = pod(more);
    const condition = { type: 'DisruptionTarget', status: 'True', reason, lastTransitionTime: ago(seconds) };
    return { ...made, status: { ...made.status, conditions: [condition] } } as unknown as Stored<Pod>;
  };
  t.match(takeBackMark(marked(60), now), [{ do: 'later', ms: 60_000 }]);
  t.match(takeBackMark(marked(120), now), [
    {
      do: 'patch',
      subresource: 'status',
      body: { status: { conditions: [{ type: 'DisruptionTarget', status: 'False' }] } },
    },
  ]);
  t.equal(isMarked(marked(1)), true);
  t.equal(isMarked(marked(1, 'TerminationByKubelet')), false);
  t.equal(isMarked(marked(1, 'X', { deleting: true })), false);
  t.equal(isMarked(marked(1, 'X', { phase: 'Failed' })), false);
});
