import t from 'tap';
import type { Pod, Stored, Taint, Toleration } from '../../src/api/index.ts';
import type { Action } from '../../src/controllers/controller.ts';
import { collectFinished, collectOrphans, collectStuck } from '../../src/controllers/pod-gc.ts';
import { deletionOrder } from '../../src/controllers/pod-ranking.ts';
import { reconcileTaintedPod } from '../../src/controllers/taint-eviction.ts';
import { ago, node, now, type PodLike, pod } from './objects.ts';

t.test('which of two pods is deleted first', async (t) => {
  const ready = { node: 'n1', ready: true };
  const cost = (value: string): Pick<PodLike, 'annotations'> => ({
    annotations: { 'controller.kubernetes.io/pod-deletion-cost': value },
  });
  const cases: readonly { readonly name: string; readonly first: PodLike; readonly second: PodLike }[] = [
    { name: 'without a node', first: { phase: 'Pending' }, second: ready },
    { name: 'pending', first: { node: 'n1', phase: 'Pending' }, second: { node: 'n1' } },
    { name: 'not ready', first: { node: 'n1' }, second: ready },
    { name: 'cheaper', first: { ...ready, ...cost('-5') }, second: { ...ready, ...cost('3') } },
    { name: 'an unreadable cost is 0', first: { ...ready, ...cost('-1') }, second: { ...ready, ...cost('1e3') } },
    {
      name: 'ready for less time',
      first: { ...ready, readySince: ago(10) },
      second: { ...ready, readySince: ago(500) },
    },
    { name: 'more restarts', first: { ...ready, restarts: 3 }, second: ready },
    { name: 'younger', first: { ...ready, created: ago(10) }, second: ready },
  ];
  for (const { name, first, second } of cases) {
    const pods = [pod({ ...second, name: 'second' }), pod({ ...first, name: 'first' })];
    const order = deletionOrder({ pods, related: pods, now });
    t.same(
      order.map(({ metadata }) => metadata.name),
      ['first', 'second'],
      name,
    );
  }
});

t.test('a node with more pods of the application loses one first', async (t) => {
  const pods = [pod({ name: 'a', node: 'n1', ready: true }), pod({ name: 'b', node: 'n2', ready: true })];
  const related = [...pods, pod({ name: 'c', node: 'n2', ready: true })];
  t.equal(deletionOrder({ pods, related, now })[0]?.metadata.name, 'b');
});

const unreachable: Taint = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded: ago(100) as never };

function evicted(tolerations: readonly Toleration[], taints: readonly Taint[] = [unreachable]): readonly Action[] {
  return reconcileTaintedPod(
    pod({ node: 'n1', spec: { tolerations } as Partial<NonNullable<Pod['spec']>> }),
    taints,
    () => now - 100_000,
    now,
  );
}

t.test('when a pod leaves a tainted node', async (t) => {
  const key = 'node.kubernetes.io/unreachable';
  const cases: readonly { readonly name: string; readonly given: readonly Toleration[]; readonly want: string }[] = [
    { name: 'no toleration: now', given: [], want: 'delete' },
    { name: 'for ever', given: [{ key, operator: 'Exists' }], want: 'stays' },
    { name: 'everything is tolerated', given: [{ operator: 'Exists' }], want: 'stays' },
    { name: 'for 300 s', given: [{ key, operator: 'Exists', tolerationSeconds: 300 }], want: 'in 200000' },
    { name: 'its time is over', given: [{ key, operator: 'Exists', tolerationSeconds: 60 }], want: 'delete' },
    { name: 'less than nothing is now', given: [{ key, operator: 'Exists', tolerationSeconds: -1 }], want: 'delete' },
    { name: 'another effect', given: [{ key, operator: 'Exists', effect: 'NoSchedule' }], want: 'delete' },
    { name: 'another value', given: [{ key, operator: 'Equal', value: 'x' }], want: 'delete' },
  ];
  for (const { name, given, want } of cases) {
    const actions = evicted(given);
    const [wait] = actions.filter((action) => action.do === 'later');
    const isDeleted = actions.some((action) => action.do === 'delete');
    t.equal(isDeleted ? 'delete' : wait === undefined ? 'stays' : `in ${wait.ms}`, want, name);
  }
  t.match(evicted([])[0], { do: 'patch', subresource: 'status' }, 'it is marked as disrupted first');
});

t.test('pods of a node that is gone are failed and deleted without grace', async (t) => {
  t.match(collectOrphans([pod({ node: 'n9' })], now), [
    {
      do: 'patch',
      body: {
        status: {
          phase: 'Failed',
          conditions: [{ type: 'Ready' }, { type: 'DisruptionTarget', reason: 'DeletionByPodGC' }],
        },
      },
    },
    { do: 'delete', options: { gracePeriodSeconds: 0 } },
  ]);
});

t.test('which pods that are being deleted are stuck', async (t) => {
  const outOfService = [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }];
  const cases: readonly { readonly name: string; readonly actions: readonly Action[]; readonly want: boolean }[] = [
    { name: 'never had a node', actions: collectStuck(pod({ deleting: true }), undefined, now), want: true },
    { name: 'not being deleted', actions: collectStuck(pod(), undefined, now), want: false },
    {
      name: 'its node is out of service',
      actions: collectStuck(pod({ deleting: true, node: 'n1' }), node({ ready: 'Unknown', taints: outOfService }), now),
      want: true,
    },
    {
      name: 'its node still works',
      actions: collectStuck(pod({ deleting: true, node: 'n1' }), node({ taints: outOfService }), now),
      want: false,
    },
  ];
  for (const { name, actions, want } of cases)
    t.equal(
      actions.some((action) => action.do === 'delete'),
      want,
      name,
    );
});

t.test('finished pods past the threshold go, oldest first', async (t) => {
  const finished: readonly Stored<Pod>[] = [10, 30, 20].map((seconds) =>
    pod({ name: `p${seconds}`, phase: 'Succeeded', created: ago(seconds) }),
  );
  t.match(collectFinished(finished, 1), [
    { do: 'batch', actions: [{ object: { metadata: { name: 'p30' } } }, { object: { metadata: { name: 'p20' } } }] },
  ]);
  t.same(collectFinished(finished, 0), [], '0 keeps all');
});
