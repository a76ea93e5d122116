import { execFileSync } from 'node:child_process';
import t from 'tap';
import { type KindSpec, type KubeObject, kinds, type Pod } from '../../../src/api/index.ts';
import { organizationsOf } from '../../../src/apiserver/admission/csr-subject.ts';
import { createAdmission } from '../../../src/apiserver/admission/index.ts';
import { createAuthorization } from '../../../src/apiserver/authorization/index.ts';
import type { AdmissionRequest, UserInfo } from '../../../src/apiserver/contracts.ts';
import { createFakeObjects } from '../fake-objects.ts';

const admin: UserInfo = { name: 'admin', groups: ['system:masters'] };
const jane: UserInfo = { name: 'jane', uid: '7', groups: ['dev'], extra: { a: ['b'] } };
const node: UserInfo = { name: 'system:node:n1', groups: ['system:nodes'] };

function bench() {
  const objects = createFakeObjects();
  objects.put(kinds.namespace, { metadata: { name: 'default' } });
  objects.put(kinds.serviceAccount, { metadata: { namespace: 'default', name: 'default', uid: 'u' } });
  const { authorize, escalationCheck } = createAuthorization(objects.reader);
  const { plugins } = createAdmission({
    reader: objects.reader,
    writer: objects.writer,
    authorize,
    escalationCheck,
  });
  const admit = async (kind: KindSpec, object: KubeObject | undefined, more: Partial<AdmissionRequest> = {}) => {
    let request: AdmissionRequest = {
      user: admin,
      operation: 'CREATE',
      kind,
      subresource: '',
      namespace: kind.namespaced ? 'default' : undefined,
      name: object?.metadata?.name ?? '',
      dryRun: false,
      object,
      oldObject: undefined,
      ...more,
    };
    if (object !== undefined) {
      for (const plugin of plugins) if (plugin.mutate) request = { ...request, object: await plugin.mutate(request) };
    }
    for (const plugin of plugins) await plugin.validate?.(request);
    return request.object;
  };
  return { objects, admit };
}

const pod = (spec: object = {}, metadata: object = {}): Pod =>
  ({
    metadata: { name: 'p', namespace: 'default', ...metadata },
    spec: { containers: [{ name: 'c' }], ...spec },
  }) as Pod;

t.test('a plain pod gets its ServiceAccount, token volume, tolerations and priority', async (t) => {
  const { admit } = bench();
  const { spec } = (await admit(kinds.pod, pod({ initContainers: [{ name: 'i' }] }))) as Pod;
  const volume = spec?.volumes?.[0];
  t.match(volume?.name, /^kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  t.strictSame(volume?.projected, {
    defaultMode: 420,
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { items: [{ key: 'ca.crt', path: 'ca.crt' }], name: 'kube-root-ca.crt' } },
      {
        downwardAPI: {
          items: [{ fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' }, path: 'namespace' }],
        },
      },
    ],
  });
  const mount = { mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', name: volume?.name, readOnly: true };
  t.strictSame(spec?.containers[0]?.volumeMounts, [mount]);
  t.strictSame(spec?.initContainers?.[0]?.volumeMounts, [mount]);
  t.match(spec, {
    serviceAccountName: 'default',
    serviceAccount: 'default',
    priority: 0,
    preemptionPolicy: 'PreemptLowerPriority',
  });
  t.strictSame(
    spec?.tolerations?.map(({ key, tolerationSeconds }) => [key, tolerationSeconds]),
    [
      ['node.kubernetes.io/not-ready', 300],
      ['node.kubernetes.io/unreachable', 300],
    ],
  );
  const again = (await admit(kinds.pod, { ...pod(), spec } as Pod)) as Pod;
  t.strictSame(again.spec, spec, 'what is there is not added twice');
});

t.test('no token where it is switched off; pull secrets of the account', async (t) => {
  const { admit, objects } = bench();
  t.equal(((await admit(kinds.pod, pod({ automountServiceAccountToken: false }))) as Pod).spec?.volumes, undefined);
  const account = {
    metadata: { namespace: 'default', name: 'quiet' },
    automountServiceAccountToken: false,
    imagePullSecrets: [{ name: 'pull' }],
  };
  objects.put(kinds.serviceAccount, account as KubeObject);
  const { spec } = (await admit(kinds.pod, pod({ serviceAccountName: 'quiet' }))) as Pod;
  t.equal(spec?.volumes, undefined);
  t.strictSame(spec?.imagePullSecrets, [{ name: 'pull' }]);
});

t.test('a pod waits for the default account of a namespace that was just made, and for no other', async (t) => {
  const { admit, objects } = bench();
  objects.put(kinds.namespace, { metadata: { name: 'new' } });
  const inNew = (name: string) => admit(kinds.pod, pod({}, { name, namespace: 'new' }), { namespace: 'new' });
  const both = Promise.all([inNew('a'), inNew('b')]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  objects.put(kinds.serviceAccount, { metadata: { namespace: 'new', name: 'other' } });
  objects.put(kinds.serviceAccount, { metadata: { namespace: 'new', name: 'default' } });
  t.match(await both, [{ spec: { serviceAccountName: 'default' } }, { spec: { serviceAccountName: 'default' } }]);
  objects.put(kinds.namespace, { metadata: { name: 'bare' } });
  await t.rejects(admit(kinds.pod, pod({}, { namespace: 'bare' }), { namespace: 'bare' }), {
    code: 403,
    message: 'pods "p" is forbidden: error looking up service account bare/default: serviceaccount "default" not found',
  });
});

t.test('refusals', async (t) => {
  const { admit, objects } = bench();
  objects.put(kinds.namespace, { metadata: { name: 'going', deletionTimestamp: '2026-01-01T00:00:00Z' } });
  const going = { namespace: 'going' };
  for (const { name, run, want } of [
    {
      name: 'no namespace',
      run: () => admit(kinds.configMap, { metadata: { name: 'x' } }, { namespace: 'nowhere' }),
      want: { code: 404, message: 'namespaces "nowhere" not found' },
    },
    {
      name: 'a namespace that goes',
      run: () => admit(kinds.configMap, { metadata: { name: 'x' } }, going),
      want: {
        code: 403,
        message:
          'configmaps "x" is forbidden: unable to create new content in namespace going because it is being terminated',
        details: { causes: [{ reason: 'NamespaceTerminating' }] },
      },
    },
    {
      name: 'a namespace that stays',
      run: () => admit(kinds.namespace, undefined, { operation: 'DELETE', name: 'kube-system' }),
      want: { code: 403, message: 'namespaces "kube-system" is forbidden: this namespace may not be deleted' },
    },
    {
      name: 'no ServiceAccount',
      run: () => admit(kinds.pod, pod({ serviceAccountName: 'no' })),
      want: {
        code: 403,
        message: 'pods "p" is forbidden: error looking up service account default/no: serviceaccount "no" not found',
      },
    },
    {
      name: 'no priority class',
      run: () => admit(kinds.pod, pod({ priorityClassName: 'no' })),
      want: { code: 403, message: 'pods "p" is forbidden: no PriorityClass with name no was found' },
    },
    { name: "a priority of one's own", run: () => admit(kinds.pod, pod({ priority: 5 })), want: { code: 403 } },
  ]) {
    await t.rejects(run(), want, name);
  }
  await t.resolves(
    admit(kinds.configMap, { metadata: { name: 'x' } }, { ...going, operation: 'UPDATE' }),
    'finalizers can go on',
  );
});

t.test('priority classes', async (t) => {
  const { admit } = bench();
  const { spec } = (await admit(kinds.pod, pod({ priorityClassName: 'system-node-critical' }))) as Pod;
  t.equal(spec?.priority, 2_000_001_000);
});

t.test('a new node has the not-ready taint', async (t) => {
  const { admit } = bench();
  const made = await admit(kinds.node, { metadata: { name: 'n1' } });
  t.match(made, { spec: { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] } });
});

t.test('what a node may write', async (t) => {
  const { admit, objects } = bench();
  const bound = (name: string, nodeName: string): Pod => pod({ nodeName }, { name });
  objects.put(kinds.pod, bound('mine', 'n1'));
  objects.put(kinds.pod, bound('theirs', 'n2'));
  const lease = (name: string, namespace: string) =>
    admit(kinds.lease, { metadata: { name, namespace } }, { user: node, namespace });
  objects.put(kinds.namespace, { metadata: { name: 'kube-node-lease' } });
  const labelled = (labels: Record<string, string>, name = 'n1') =>
    admit(kinds.node, { metadata: { name, labels } }, { user: node });
  const update = (object: object, oldObject: object) =>
    admit(
      kinds.node,
      { metadata: { name: 'n1' }, ...object },
      { user: node, operation: 'UPDATE', oldObject: { metadata: { name: 'n1' }, ...oldObject } },
    );
  const status = (name: string, nodeName: string) =>
    admit(kinds.pod, bound(name, nodeName), {
      user: node,
      operation: 'UPDATE',
      subresource: 'status',
      oldObject: bound(name, nodeName),
    });
  for (const [name, allowed, run] of [
    ['its own Node', true, () => labelled({ 'kubernetes.io/hostname': 'n1', 'node.kubernetes.io/x': 'y', mine: 'z' })],
    ['another Node', false, () => labelled({}, 'n2')],
    ['a role label', false, () => labelled({ 'node-role.kubernetes.io/control-plane': '' })],
    ['a restricted label', false, () => labelled({ 'a.node-restriction.kubernetes.io/b': '' })],
    ['taints away', false, () => update({ spec: {} }, { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } })],
    ['taints untouched', true, () => update({ spec: { unschedulable: true } }, {})],
    ['its lease', true, () => lease('n1', 'kube-node-lease')],
    ['another lease', false, () => lease('n2', 'kube-node-lease')],
    ['a lease elsewhere', false, () => lease('n1', 'default')],
    ['status of its pod', true, () => status('mine', 'n1')],
    ['status of another pod', false, () => status('theirs', 'n2')],
    ['a pod', false, () => admit(kinds.pod, pod(), { user: node })],
    [
      'a mirror pod',
      true,
      () =>
        admit(kinds.pod, pod({ nodeName: 'n1' }, { annotations: { 'kubernetes.io/config.mirror': 'h' } }), {
          user: node,
        }),
    ],
    [
      'a mirror pod with a secret',
      false,
      () =>
        admit(
          kinds.pod,
          pod(
            { nodeName: 'n1', volumes: [{ name: 'v', secret: {} }] },
            { annotations: { 'kubernetes.io/config.mirror': 'h' } },
          ),
          { user: node },
        ),
    ],
  ] as const) {
    if (allowed) await t.resolves(run(), name);
    else await t.rejects(run(), { code: 403 }, name);
  }
});

t.test('certificate requests', async (t) => {
  const { admit, objects } = bench();
  const request = Buffer.from('x').toString('base64');
  const spec = {
    request,
    signerName: 'example.com/client',
    usages: ['client auth'],
    username: 'root',
    groups: ['system:masters'],
  };
  const csr = { metadata: { name: 'c' }, spec };
  const kind = kinds.certificateSigningRequest;
  const made = await admit(kind, csr as KubeObject, { user: jane });
  t.match(
    made,
    { spec: { username: 'jane', uid: '7', groups: ['dev'], extra: { a: ['b'] } } },
    'the server says who asked',
  );
  const approve = (user: UserInfo) =>
    admit(kind, { ...csr, spec: { ...spec, request: 'changed' } } as KubeObject, {
      user,
      operation: 'UPDATE',
      subresource: 'approval',
      oldObject: csr as KubeObject,
    });
  await t.rejects(approve(jane), {
    code: 403,
    message: /user not permitted to approve requests with signerName "example.com\/client"/,
  });
  t.match(await approve(admin), { spec: { request } }, 'and what is asked never changes');
  const rules = [
    {
      apiGroups: ['certificates.k8s.io'],
      resources: ['signers'],
      verbs: ['approve'],
      resourceNames: ['example.com/*'],
    },
  ];
  objects.put(kinds.clusterRole, { metadata: { name: 'r' }, rules } as KubeObject);
  objects.put(kinds.clusterRoleBinding, {
    metadata: { name: 'b' },
    roleRef: { kind: 'ClusterRole', name: 'r' },
    subjects: [{ kind: 'User', name: 'jane' }],
  } as KubeObject);
  await t.resolves(approve(jane), 'a right for the whole domain');
  const signed = { ...csr, status: { certificate: 'PEM' } } as KubeObject;
  const sign = (user: UserInfo) =>
    admit(kind, signed, { user, operation: 'UPDATE', subresource: 'status', oldObject: csr as KubeObject });
  await t.rejects(sign(jane), { code: 403, message: /not permitted to sign/ });
  await t.resolves(sign(admin));
});

t.test('no client certificate of system:masters by request', async (t) => {
  const { admit } = bench();
  const make = (subject: string): string =>
    execFileSync(
      'openssl',
      [
        'req',
        '-new',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-keyout',
        '/dev/null',
        '-subj',
        subject,
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    ).toString();
  const ask = (subject: string) =>
    admit(kinds.certificateSigningRequest, {
      metadata: { name: 'c' },
      spec: {
        request: Buffer.from(make(subject)).toString('base64'),
        signerName: 'kubernetes.io/kube-apiserver-client',
        usages: [],
      },
    } as KubeObject);
  t.strictSame(organizationsOf(make('/O=a/O=b/CN=x')), ['a', 'b']);
  t.strictSame(organizationsOf('junk'), []);
  await t.rejects(ask('/O=dev/O=system:masters/CN=x'), { code: 403, message: /system:masters group is not allowed/ });
  await t.resolves(ask('/O=dev/CN=system:masters'));
});
