import t from 'tap';
import type { Deployment, ReplicaSet, Stored } from '../../src/api/index.ts';
import type { Action, Failure } from '../../src/controllers/controller.ts';
import { reconcileDeployment } from '../../src/controllers/deployment.ts';
import { boundsOf, rollingNewSize, rollingOldSizes, scaledSizes } from '../../src/controllers/deployment-scaling.ts';
import { ago, deployment, now, pod, replicaSet, type SetLike } from './objects.ts';

function rolling(maxSurge: number | string, maxUnavailable: number | string): { readonly type: string } {
  return { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } } as { readonly type: string };
}

t.test('maxSurge rounds up, maxUnavailable down, and both at 0 lets one pod be unavailable', async (t) => {
  const cases = [
    { name: 'defaults of 10', given: deployment({ replicas: 10 }), want: { surge: 3, unavailable: 2 } },
    { name: 'defaults of 1', given: deployment({ replicas: 1 }), want: { surge: 1, unavailable: 0 } },
    { name: 'both 0', given: deployment({ strategy: rolling(0, 0) }), want: { surge: 0, unavailable: 1 } },
    {
      name: 'never more unavailable than there are',
      given: deployment({ replicas: 2, strategy: rolling(1, 5) }),
      want: { surge: 1, unavailable: 2 },
    },
    {
      name: 'Recreate has no bounds',
      given: deployment({ strategy: { type: 'Recreate' } }),
      want: { surge: 0, unavailable: 0 },
    },
  ];
  for (const { name, given, want } of cases) t.same(boundsOf(given), want, name);
});

t.test('the new set grows within replicas + maxSurge', async (t) => {
  const cases = [
    { name: 'nothing there yet', current: 0, old: [], want: 10 },
    { name: 'room of the surge only', current: 0, old: [replicaSet({ replicas: 10 })], want: 2 },
    { name: 'no room', current: 2, old: [replicaSet({ replicas: 10 })], want: 2 },
    { name: 'old ones have left', current: 5, old: [replicaSet({ replicas: 3 })], want: 9 },
    { name: 'scaled down', current: 12, old: [], want: 10 },
  ];
  const given = deployment({ replicas: 10, strategy: rolling(2, 2) });
  for (const { name, current, old, want } of cases) t.equal(rollingNewSize(given, current, old), want, name);
});

t.test('old sets shrink while enough pods are available, unhealthy ones first', async (t) => {
  const cases: readonly { name: string; current: SetLike; old: readonly SetLike[]; want: Record<string, number> }[] = [
    {
      name: 'nothing to spare',
      current: { name: 'new', replicas: 2, available: 0 },
      old: [{ name: 'old', replicas: 8, available: 8 }],
      want: {},
    },
    {
      name: 'two new ones are available',
      current: { name: 'new', replicas: 4, available: 4 },
      old: [{ name: 'old', replicas: 8, available: 8 }],
      want: { 'uid-old': 4 },
    },
    {
      name: 'pods that never became available go first, from the oldest set',
      current: { name: 'new', replicas: 2, available: 2 },
      old: [
        { name: 'older', replicas: 2, available: 0, created: ago(500) },
        { name: 'old', replicas: 8, available: 8, created: ago(400) },
      ],
      want: { 'uid-older': 0, 'uid-old': 6 },
    },
  ];
  const given = deployment({ replicas: 10, strategy: rolling(2, 2) });
  for (const { name, current, old, want } of cases) {
    const sizes = rollingOldSizes(given, replicaSet(current), old.map(replicaSet));
    t.same(Object.fromEntries(sizes), want, name);
  }
});

t.test('scaling in the middle of a rollout is proportional', async (t) => {
  const sizedFor = { 'deployment.kubernetes.io/desired-replicas': '10', 'deployment.kubernetes.io/max-replicas': '13' };
  const current = replicaSet({ name: 'new', replicas: 5, available: 5, created: ago(10), annotations: sizedFor });
  const old = replicaSet({ name: 'old', replicas: 8, available: 8, created: ago(100), annotations: sizedFor });
  const cases = [
    { name: 'up', replicas: 20, want: { 'uid-old': 15, 'uid-new': 10 } },
    { name: 'down', replicas: 5, want: { 'uid-old': 4, 'uid-new': 3 } },
    { name: 'to nothing', replicas: 0, want: { 'uid-old': 0, 'uid-new': 0 } },
  ];
  for (const { name, replicas, want } of cases) {
    const given = deployment({ replicas, strategy: rolling('25%', '25%') });
    const total = Object.values(want).reduce((sum, size) => sum + size, 0);
    const sizes = Object.fromEntries(scaledSizes(given, current, [old]));
    t.same(sizes, want, `${name} (${total})`);
  }
  t.same(
    Object.fromEntries(scaledSizes(deployment({ replicas: 7 }), replicaSet({ replicas: 3 }), [])),
    { 'uid-web-1': 7 },
    'a single set takes it all',
  );
});

interface Given {
  readonly deployment: Stored<Deployment>;
  readonly sets?: readonly Stored<ReplicaSet>[];
  readonly failure?: Failure;
  readonly oldPods?: number;
  readonly holder?: Stored<ReplicaSet>;
}

function reconcile({ deployment, sets = [], failure, oldPods = 0, holder }: Given): readonly Action[] {
  return reconcileDeployment({
    deployment,
    candidates: sets,
    holderOfNewName: holder,
    podsOf: () => Array.from({ length: oldPods }, (_, at) => pod({ name: `p${at}` })),
    failure,
    now,
  });
}

/** The actions in a line each: what, kind, and the fields that cases speak about. */
function brief(actions: readonly Action[]): readonly string[] {
  return actions.flatMap((action) => {
    if (action.do === 'later') return [];
    if (action.do === 'event') return [`event ${action.reason}`];
    if (!('kind' in action)) return [action.do];
    const object = ('object' in action ? action.object : undefined) as ReplicaSet | undefined;
    if ('subresource' in action && action.subresource === 'status') return [`${action.kind.kind} status`];
    const size = action.kind.kind === 'ReplicaSet' && action.do !== 'delete' ? ` ${object?.spec?.replicas}` : '';
    const name = object?.metadata?.name ?? ('at' in action ? action.at.name : '');
    return [`${action.do} ${action.kind.kind} ${name.replace(/web-[a-z0-9]{8,}/, 'web-HASH')}${size}`];
  });
}

function statusIn(actions: readonly Action[]): NonNullable<Deployment['status']> {
  const action = actions.find((one) => one.do === 'update' && one.subresource === 'status');
  if (action === undefined || !('object' in action)) throw new Error('no status was written');
  return (action.object as Deployment).status ?? {};
}

function progressing(actions: readonly Action[]): string | undefined {
  return statusIn(actions).conditions?.find(({ type }) => type === 'Progressing')?.reason;
}

const revision1 = { 'deployment.kubernetes.io/revision': '1' };
const sized = {
  'deployment.kubernetes.io/desired-replicas': '3',
  'deployment.kubernetes.io/max-replicas': '4',
};

t.test('what a look at a Deployment does', async (t) => {
  const recreate = { type: 'Recreate' };
  const running = replicaSet({ replicas: 3, available: 3, annotations: { ...revision1, ...sized } });
  const cases: readonly { readonly name: string; readonly given: Given; readonly want: readonly string[] }[] = [
    {
      name: 'the first set is created at full size',
      given: { deployment: deployment() },
      want: ['create ReplicaSet web-HASH 3', 'Deployment status', 'patch Deployment web'],
    },
    {
      name: 'a new template starts a set within the surge',
      given: { deployment: deployment({ image: '2', annotations: revision1 }), sets: [running] },
      want: ['create ReplicaSet web-HASH 1', 'Deployment status', 'patch Deployment web'],
    },
    {
      name: 'paused: no new set',
      given: {
        deployment: deployment({ image: '2', annotations: revision1, spec: { paused: true } }),
        sets: [running],
      },
      want: ['Deployment status'],
    },
    {
      name: 'Recreate empties the old set first',
      given: { deployment: deployment({ image: '2', annotations: revision1, strategy: recreate }), sets: [running] },
      want: ['update ReplicaSet web-1 0', 'Deployment status'],
    },
    {
      name: 'Recreate waits for old pods to be gone',
      given: {
        deployment: deployment({ image: '2', annotations: revision1, strategy: recreate }),
        sets: [replicaSet({ replicas: 0, annotations: revision1 })],
        oldPods: 1,
      },
      want: ['Deployment status'],
    },
    {
      name: 'Recreate goes on when they are',
      given: {
        deployment: deployment({ image: '2', annotations: revision1, strategy: recreate }),
        sets: [replicaSet({ replicas: 0, annotations: revision1 })],
      },
      want: ['create ReplicaSet web-HASH 3', 'Deployment status', 'patch Deployment web'],
    },
    {
      name: 'scaled: the only set follows',
      given: { deployment: deployment({ replicas: 5, annotations: revision1 }), sets: [running] },
      want: ['update ReplicaSet web-1 5', 'Deployment status'],
    },
    {
      name: 'a name that another set has counts as a collision',
      given: { deployment: deployment(), holder: replicaSet({ ownerUid: 'somebody-else' }) },
      want: ['Deployment status'],
    },
    {
      name: 'rolled back: the old set becomes the newest revision',
      given: {
        deployment: deployment({ image: '1', annotations: { 'deployment.kubernetes.io/revision': '2' } }),
        sets: [
          replicaSet({ name: 'web-1', replicas: 0, image: '1', annotations: revision1 }),
          replicaSet({
            name: 'web-2',
            replicas: 3,
            available: 3,
            image: '2',
            annotations: { 'deployment.kubernetes.io/revision': '2' },
          }),
        ],
      },
      want: ['update ReplicaSet web-1 1', 'Deployment status', 'patch Deployment web'],
    },
    {
      name: 'a selector of everything is refused',
      given: { deployment: deployment({ spec: { selector: {} } }) },
      want: ['event SelectingAll', 'Deployment status'],
    },
    {
      name: 'after a refused creation the status comes first',
      given: { deployment: deployment(), failure: { action: 'create', reason: 'Forbidden', message: 'quota' } },
      want: ['Deployment status', 'patch Deployment web', 'create ReplicaSet web-HASH 3'],
    },
  ];
  for (const { name, given, want } of cases) t.same(brief(reconcile(given)), want, name);
});

t.test('a set that becomes current again keeps its numbers', async (t) => {
  const old = replicaSet({
    name: 'web-2',
    replicas: 3,
    image: '2',
    annotations: { 'deployment.kubernetes.io/revision': '2' },
  });
  const actions = reconcile({
    deployment: deployment({ image: '1', annotations: { note: 'x', 'deployment.kubernetes.io/revision': '2' } }),
    sets: [replicaSet({ replicas: 0, image: '1', annotations: revision1 }), old],
  });
  const update = actions.find((action) => action.do === 'update' && action.kind.kind === 'ReplicaSet');
  t.match(update, {
    object: {
      metadata: {
        annotations: {
          note: 'x',
          'deployment.kubernetes.io/revision': '3',
          'deployment.kubernetes.io/revision-history': '1',
        },
      },
    },
  });
});

t.test('the Progressing condition tells the story of the rollout', async (t) => {
  const set = replicaSet({ replicas: 3, available: 1, annotations: { ...revision1, ...sized } });
  const condition = (reason: string, seconds: number, status = 'True') => ({
    type: 'Progressing',
    status,
    reason,
    lastUpdateTime: ago(seconds),
    lastTransitionTime: ago(seconds),
  });
  const before = { replicas: 3, updatedReplicas: 3, readyReplicas: 1, availableReplicas: 1, observedGeneration: 1 };
  const given = (status: object): Given => ({
    deployment: deployment({ annotations: revision1, status: status as NonNullable<Deployment['status']> }),
    sets: [set],
  });
  const cases: readonly { readonly name: string; readonly given: Given; readonly want: string }[] = [
    { name: 'created', given: { deployment: deployment() }, want: 'NewReplicaSetCreated' },
    {
      name: 'creation refused',
      given: { deployment: deployment(), failure: { action: 'create', reason: 'Forbidden', message: 'quota' } },
      want: 'ReplicaSetCreateError',
    },
    {
      name: 'one more is available',
      given: given({
        ...before,
        availableReplicas: 0,
        readyReplicas: 0,
        conditions: [condition('NewReplicaSetCreated', 5)],
      }),
      want: 'ReplicaSetUpdated',
    },
    {
      name: 'late',
      given: given({ ...before, conditions: [condition('ReplicaSetUpdated', 601)] }),
      want: 'ProgressDeadlineExceeded',
    },
    {
      name: 'complete',
      given: {
        ...given({ ...before, conditions: [condition('ReplicaSetUpdated', 5)] }),
        sets: [replicaSet({ replicas: 3, available: 3, annotations: { ...revision1, ...sized } })],
      },
      want: 'NewReplicaSetAvailable',
    },
    {
      name: 'paused',
      given: {
        deployment: deployment({ annotations: revision1, spec: { paused: true } }),
        sets: [set],
      },
      want: 'DeploymentPaused',
    },
    {
      name: 'resumed',
      given: given({ ...before, conditions: [condition('DeploymentPaused', 5, 'Unknown')] }),
      want: 'DeploymentResumed',
    },
  ];
  for (const { name, given, want } of cases) t.equal(progressing(reconcile(given)), want, name);
});

t.test('a rollout that stands still is looked at again when its deadline is over', async (t) => {
  const status = {
    replicas: 3,
    updatedReplicas: 3,
    readyReplicas: 1,
    availableReplicas: 1,
    observedGeneration: 1,
    conditions: [{ type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', lastUpdateTime: ago(100) }],
  };
  const actions = reconcile({
    deployment: deployment({ annotations: revision1, status: status as NonNullable<Deployment['status']> }),
    sets: [replicaSet({ replicas: 3, available: 1, annotations: { ...revision1, ...sized } })],
  });
  t.match(
    actions.filter((action) => action.do === 'later'),
    [{ ms: 501_000 }],
  );
});

t.test('history past the limit goes when a rollout is complete, oldest revision first, never with pods', async (t) => {
  const olds = [1, 2, 3].map((revision) =>
    replicaSet({
      name: `old-${revision}`,
      replicas: revision === 2 ? 1 : 0,
      image: `old-${revision}`,
      annotations: { 'deployment.kubernetes.io/revision': String(revision) },
    }),
  );
  const current = replicaSet({
    name: 'new',
    replicas: 3,
    available: 3,
    annotations: { 'deployment.kubernetes.io/revision': '4', ...sized },
  });
  const status = { replicas: 3, updatedReplicas: 3, availableReplicas: 3, observedGeneration: 1 };
  const given = deployment({
    annotations: { 'deployment.kubernetes.io/revision': '4' },
    status: status as NonNullable<Deployment['status']>,
    spec: { revisionHistoryLimit: 1 },
  });
  const deleted = brief(reconcile({ deployment: given, sets: [...olds, current] })).filter((one) =>
    one.startsWith('delete'),
  );
  t.same(deleted, ['delete ReplicaSet old-1']);
});
