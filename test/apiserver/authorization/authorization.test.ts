import t from 'tap';
import { type ClusterRole, kinds, type PolicyRule } from '../../../src/api/index.ts';
import { createAuthorization, forbidden, startRoleAggregation } from '../../../src/apiserver/authorization/index.ts';
import { ensureDefaultObjects } from '../../../src/apiserver/bootstrap/index.ts';
import type { RequestAttributes, UserInfo } from '../../../src/apiserver/contracts.ts';
import { silentLogger } from '../../../src/base/index.ts';
import { createFakeObjects } from '../fake-objects.ts';

const jane: UserInfo = { name: 'jane', groups: ['dev', 'system:authenticated'] };
const nodeUser: UserInfo = { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] };

function ask(
  user: UserInfo,
  verb: string,
  resource: string,
  more: Partial<RequestAttributes> & { fieldSelector?: string } = {},
): RequestAttributes {
  const [name = '', subresource = ''] = resource.split('/');
  return {
    user,
    verb,
    isResourceRequest: true,
    apiGroup: '',
    apiVersion: 'v1',
    resource: name,
    subresource,
    namespace: '',
    name: '',
    path: '',
    ...more,
  };
}

function bench(rules: readonly PolicyRule[] = [], binding: 'cluster' | 'default' = 'cluster') {
  const objects = createFakeObjects();
  const subjects = [{ kind: 'User', name: 'jane' }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' };
  objects.put(kinds.clusterRole, { metadata: { name: 'r' }, rules } as never);
  if (binding === 'cluster')
    objects.put(kinds.clusterRoleBinding, { metadata: { name: 'b' }, roleRef, subjects } as never);
  else objects.put(kinds.roleBinding, { metadata: { name: 'b', namespace: 'default' }, roleRef, subjects } as never);
  const authorization = createAuthorization(objects.reader);
  const may = (request: RequestAttributes): boolean => authorization.authorize(request).decision === 'allow';
  return { objects, authorization, may };
}

t.test('rules', async (t) => {
  const core = { apiGroups: [''] };
  const url = { isResourceRequest: false, path: '/healthz/etcd', resource: '' };
  for (const { name, rule, request, want } of [
    {
      name: 'verb, group and resource',
      rule: { ...core, resources: ['pods'], verbs: ['get'] },
      request: ask(jane, 'get', 'pods'),
      want: true,
    },
    {
      name: 'another verb',
      rule: { ...core, resources: ['pods'], verbs: ['get'] },
      request: ask(jane, 'list', 'pods'),
      want: false,
    },
    {
      name: 'another group',
      rule: { ...core, resources: ['pods'], verbs: ['get'] },
      request: ask(jane, 'get', 'pods', { apiGroup: 'x' }),
      want: false,
    },
    {
      name: 'stars',
      rule: { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      request: ask(jane, 'get', 'pods/log'),
      want: true,
    },
    {
      name: 'a subresource is not its parent',
      rule: { ...core, resources: ['pods'], verbs: ['*'] },
      request: ask(jane, 'get', 'pods/log'),
      want: false,
    },
    {
      name: 'a named subresource',
      rule: { ...core, resources: ['pods/log'], verbs: ['*'] },
      request: ask(jane, 'get', 'pods/log'),
      want: true,
    },
    {
      name: 'the subresource of all',
      rule: { apiGroups: ['*'], resources: ['*/scale'], verbs: ['*'] },
      request: ask(jane, 'get', 'deployments/scale'),
      want: true,
    },
    {
      name: 'a name',
      rule: { ...core, resources: ['pods'], verbs: ['*'], resourceNames: ['a'] },
      request: ask(jane, 'get', 'pods', { name: 'a' }),
      want: true,
    },
    {
      name: 'another name',
      rule: { ...core, resources: ['pods'], verbs: ['*'], resourceNames: ['a'] },
      request: ask(jane, 'get', 'pods', { name: 'b' }),
      want: false,
    },
    {
      name: 'a path',
      rule: { nonResourceURLs: ['/healthz/*'], verbs: ['get'] },
      request: ask(jane, 'get', '', url),
      want: true,
    },
    {
      name: 'another path',
      rule: { nonResourceURLs: ['/healthz'], verbs: ['get'] },
      request: ask(jane, 'get', '', url),
      want: false,
    },
    {
      name: 'resource stars are no paths',
      rule: { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
      request: ask(jane, 'get', '', url),
      want: false,
    },
  ]) {
    t.equal(bench([rule]).may(request), want, name);
  }
});

t.test('a RoleBinding counts in its namespace only, and changes count at once', async (t) => {
  const { may, objects } = bench([{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }], 'default');
  t.ok(may(ask(jane, 'get', 'pods', { namespace: 'default' })));
  t.notOk(may(ask(jane, 'get', 'pods', { namespace: 'other' })));
  t.notOk(may(ask(jane, 'get', 'pods')));
  objects.remove(kinds.roleBinding, 'default', 'b');
  t.notOk(may(ask(jane, 'get', 'pods', { namespace: 'default' })));
});

t.test('system:masters may do everything, before any role exists', async (t) => {
  const { authorize } = createAuthorization(createFakeObjects().reader);
  const root = { name: 'root', groups: ['system:masters'] };
  t.equal(authorize(ask(root, 'delete', 'nodes')).decision, 'allow');
});

t.test("the 403 answer in upstream's words", async (t) => {
  for (const { given, want } of [
    {
      given: ask(jane, 'list', 'pods', { namespace: 'default' }),
      want: 'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"',
    },
    {
      given: ask(jane, 'get', 'deployments/scale', { apiGroup: 'apps', name: 'web', namespace: 'x' }),
      want: 'deployments.apps "web" is forbidden: User "jane" cannot get resource "deployments/scale" in API group "apps" in the namespace "x"',
    },
    {
      given: ask(jane, 'list', 'nodes'),
      want: 'nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope',
    },
    {
      given: ask(jane, 'get', '', { isResourceRequest: false, path: '/metrics' }),
      want: 'forbidden: User "jane" cannot get path "/metrics"',
    },
  ]) {
    t.equal(forbidden(given).message, want);
  }
});

async function defaults() {
  const objects = createFakeObjects();
  await ensureDefaultObjects(objects.writer, {
    serviceCidr: '10.96.0.0/12',
    advertiseAddress: '10.0.0.1',
    securePort: 6443,
  });
  const authorization = createAuthorization(objects.reader);
  const may = (request: RequestAttributes): boolean => authorization.authorize(request).decision === 'allow';
  return { objects, authorization, may };
}

t.test('aggregated roles: edit holds what view holds, and a labelled role of an operator joins', async (t) => {
  const { objects, may } = await defaults();
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' };
  objects.put(kinds.roleBinding, {
    metadata: { name: 'b', namespace: 'default' },
    roleRef,
    subjects: [{ kind: 'Group', name: 'dev' }],
  } as never);
  const inDefault = { namespace: 'default' };
  t.ok(may(ask(jane, 'create', 'pods', inDefault)));
  t.notOk(may(ask(jane, 'create', 'roles', { ...inDefault, apiGroup: 'rbac.authorization.k8s.io' })));
  const crontabs = ask(jane, 'get', 'crontabs', { ...inDefault, apiGroup: 'stable.example.com' });
  t.notOk(may(crontabs));
  const labels = { 'rbac.authorization.k8s.io/aggregate-to-edit': 'true' };
  const rules = [{ apiGroups: ['stable.example.com'], resources: ['crontabs'], verbs: ['*'] }];
  objects.put(kinds.clusterRole, { metadata: { name: 'crontabs', labels }, rules } as never);
  t.ok(may(crontabs));
  const aggregation = startRoleAggregation({ ...objects, log: silentLogger });
  await aggregation.settle();
  const edit = objects.reader.get<ClusterRole>(kinds.clusterRole, undefined, 'edit');
  t.ok(
    edit?.rules?.some((rule) => rule.resources?.includes('crontabs')),
    'and is written into the object',
  );
  aggregation.stop();
});

t.test('components may do their work and no more', async (t) => {
  const { may } = await defaults();
  const controllers: UserInfo = { name: 'system:kube-controller-manager', groups: ['system:authenticated'] };
  const scheduler: UserInfo = { name: 'system:kube-scheduler', groups: ['system:authenticated'] };
  const apps = { apiGroup: 'apps', namespace: 'default' };
  t.ok(may(ask(controllers, 'create', 'replicasets', apps)));
  t.ok(may(ask(controllers, 'update', 'deployments/status', apps)));
  t.ok(
    may(
      ask(controllers, 'sign', 'signers', { apiGroup: 'certificates.k8s.io', name: 'kubernetes.io/kubelet-serving' }),
    ),
  );
  t.ok(may(ask(scheduler, 'create', 'pods/binding', { namespace: 'default' })));
  t.notOk(may(ask(scheduler, 'get', 'secrets', { namespace: 'default' })));
  const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
  t.ok(may(ask(anonymous, 'get', '', { isResourceRequest: false, path: '/version' })));
  t.ok(may(ask(anonymous, 'get', 'configmaps', { namespace: 'kube-public', name: 'cluster-info' })));
  t.notOk(may(ask(anonymous, 'list', 'configmaps', { namespace: 'kube-public' })));
  const joining: UserInfo = {
    name: 'system:bootstrap:abcdef',
    groups: ['system:bootstrappers', 'system:bootstrappers:kubeadm:default-node-token', 'system:authenticated'],
  };
  t.ok(may(ask(joining, 'create', 'certificatesigningrequests', { apiGroup: 'certificates.k8s.io' })));
  t.notOk(may(ask(joining, 'list', 'secrets', { namespace: 'kube-system' })));
});

t.test('nodes', async (t) => {
  const { objects, may, authorization } = await defaults();
  const pod = (name: string, nodeName: string, spec: object): void =>
    objects.put(kinds.pod, {
      metadata: { name, namespace: 'default' },
      spec: { nodeName, containers: [], ...spec },
    } as never);
  pod('mine', 'n1', {
    serviceAccountName: 'web',
    imagePullSecrets: [{ name: 'pull' }],
    volumes: [
      { name: 'v', secret: { secretName: 'vol' } },
      { name: 'p', projected: { sources: [{ configMap: { name: 'proj' } }] } },
      { name: 'd', persistentVolumeClaim: { claimName: 'data' } },
    ],
    containers: [
      {
        name: 'c',
        env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 'env', key: 'k' } } }],
        envFrom: [{ configMapRef: { name: 'from' } }],
      },
    ],
  });
  for (const [name, claim] of [
    ['volume', 'data'],
    ['foreign', 'else'],
  ]) {
    const spec = { claimRef: { namespace: 'default', name: claim } };
    objects.put(kinds.persistentVolume, { metadata: { name }, spec } as never);
  }
  pod('other', 'n2', { volumes: [{ name: 'v', secret: { secretName: 'theirs' } }] });
  const here = (name: string): Partial<RequestAttributes> => ({ namespace: 'default', name });
  for (const [verb, resource, more, want] of [
    ['get', 'nodes', { name: 'n1' }, true],
    ['patch', 'nodes/status', { name: 'n1' }, true],
    ['patch', 'nodes/status', { name: 'n2' }, false],
    ['create', 'nodes', {}, true],
    ['delete', 'nodes', { name: 'n1' }, false],
    ['get', 'pods', here('mine'), true],
    ['get', 'pods', here('other'), false],
    ['delete', 'pods', here('mine'), true],
    ['patch', 'pods/status', here('other'), false],
    ['list', 'pods', { fieldSelector: 'spec.nodeName=n1' }, true],
    ['list', 'pods', { fieldSelector: 'spec.nodeName=n2' }, false],
    ['watch', 'pods', { fieldSelector: '' }, false],
    ...['pull', 'vol', 'env'].map((name) => ['get', 'secrets', here(name), true] as const),
    ...['proj', 'from'].map((name) => ['watch', 'configmaps', here(name), true] as const),
    ['get', 'persistentvolumeclaims', here('data'), true],
    ['get', 'persistentvolumes', { name: 'volume' }, true],
    ['get', 'persistentvolumes', { name: 'foreign' }, false],
    ['get', 'persistentvolumes', { name: 'absent' }, false],
    ['list', 'persistentvolumes', {}, false],
    ['get', 'secrets', here('theirs'), false],
    ['list', 'secrets', { namespace: 'default' }, false],
    ['create', 'serviceaccounts/token', here('web'), true],
    ['create', 'serviceaccounts/token', here('default'), false],
    ['update', 'leases', { apiGroup: 'coordination.k8s.io', namespace: 'kube-node-lease', name: 'n1' }, true],
    ['update', 'leases', { apiGroup: 'coordination.k8s.io', namespace: 'kube-node-lease', name: 'n2' }, false],
    ['update', 'leases', { apiGroup: 'coordination.k8s.io', namespace: 'default', name: 'n1' }, false],
    ['list', 'endpointslices', { apiGroup: 'discovery.k8s.io' }, true],
    ['create', 'events', { namespace: 'default' }, true],
    ['create', 'pods/exec', here('mine'), false],
  ] as const) {
    t.equal(may(ask(nodeUser, verb, resource, more)), want, `${verb} ${resource} ${JSON.stringify(more)}`);
  }
  objects.remove(kinds.pod, 'default', 'mine');
  t.notOk(may(ask(nodeUser, 'get', 'secrets', here('vol'))), 'the right goes with the pod');
  const { reason } = authorization.authorize(ask(nodeUser, 'get', 'secrets', here('vol')));
  t.equal(reason, "no relationship found between node 'n1' and this object");
});

t.test('nobody grants what they do not hold', async (t) => {
  const { objects, authorization } = bench([
    { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
    { apiGroups: ['rbac.authorization.k8s.io'], resources: ['*'], verbs: ['create', 'update'] },
  ]);
  const check = authorization.escalationCheck.validate;
  const role = (rules: readonly PolicyRule[], user = jane) => ({
    user,
    operation: 'CREATE' as const,
    kind: kinds.role,
    subresource: '',
    namespace: 'default',
    name: 'x',
    dryRun: false,
    object: { metadata: { name: 'x' }, rules } as never,
    oldObject: undefined,
  });
  t.doesNotThrow(() => check?.(role([{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }])));
  t.throws(() => check?.(role([{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }])), {
    code: 403,
    message:
      'roles.rbac.authorization.k8s.io "x" is forbidden: user "jane" (groups=["dev" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}',
  });
  t.throws(() => check?.(role([{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }])), { code: 403 });
  t.doesNotThrow(() =>
    check?.(role([{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }], { name: 'root', groups: ['system:masters'] })),
  );
  objects.put(kinds.clusterRole, {
    metadata: { name: 'all' },
    rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
  } as never);
  const binding = (name: string) => ({
    ...role([]),
    kind: kinds.roleBinding,
    object: { metadata: { name: 'b' }, roleRef: { apiGroup: '', kind: 'ClusterRole', name }, subjects: [] } as never,
  });
  t.doesNotThrow(() => check?.(binding('r')));
  t.throws(() => check?.(binding('all')), { code: 403 });
  t.throws(() => check?.(binding('none')), { code: 404 });
});
