// The resize subresource of pods: what it may change, what it may not, in whose words; LimitRange and kubectl with it.

import t from 'tap';
import { at, type Json, startTestServer } from './harness.ts';
import { kubectlFor } from './kubectl.ts';
import { noKubectl } from './proxy/cluster.ts';

const api = await startTestServer();
t.teardown(() => api.stop());
const pods = '/api/v1/namespaces/default/pods';
const small = { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } };

async function makePod(name: string, spec: Json = {}, metadata: Json = {}): Promise<void> {
  const containers = [{ name: 'c', image: 'i', resources: small }];
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name, ...metadata }, spec: { containers, ...spec } };
  t.equal((await api.call('POST', pods, pod)).status, 201);
}

const resize = (name: string, change: Json) => api.patch(`${pods}/${name}/resize`, change, 'strategic-merge');

const resizing = (resources: Json, container: Json = {}): Json => ({
  spec: { containers: [{ name: 'c', resources, ...container }] },
});

t.test('cpu and memory change, generation with them; nothing else does', async (t) => {
  await makePod('web');
  const change = resizing({ requests: { cpu: '200m' }, limits: { memory: '96Mi' } }, { image: 'other' });
  const answer = await resize('web', { ...change, metadata: { labels: { a: 'b' } } });
  t.equal(answer.status, 200);
  t.match(answer.body, {
    metadata: { generation: 2, labels: undefined },
    spec: {
      containers: [
        { image: 'i', resources: { requests: { cpu: '200m', memory: '64Mi' }, limits: { memory: '96Mi' } } },
      ],
    },
  });
  const whole = (await api.call('GET', `${pods}/web/resize`)).body as Json;
  t.match(whole, { kind: 'Pod', metadata: { name: 'web' } });
  const bigger = [{ name: 'c', image: 'i', resources: { ...small, requests: { cpu: '300m', memory: '64Mi' } } }];
  const put = await api.call('PUT', `${pods}/web/resize`, {
    ...whole,
    spec: { ...(whole['spec'] as Json), containers: bigger },
  });
  t.match(put.body, { spec: { containers: [{ resources: { requests: { cpu: '300m' } } }] } });
  t.match((await api.patch(`${pods}/web`, resizing({ requests: { cpu: '1' } }), 'strategic-merge')).body, {
    code: 422,
    message: /pod updates may not change fields other than/,
  });
});

t.test('the agent tells of a resize, and takes that back', async (t) => {
  await makePod('told');
  const tell = (condition: Json) =>
    api.patch(`${pods}/told/status`, { status: { conditions: [condition] } }, 'strategic-merge');
  const type = 'PodResizePending';
  t.match((await tell({ type, status: 'True', reason: 'Deferred' })).body, { status: { conditions: [{ type }] } });
  t.notMatch((await tell({ type, $patch: 'delete' })).body, { status: { conditions: [{ type }] } });
});

t.test('a sidecar is resized as a container is', async (t) => {
  const side = { name: 's', image: 'i', restartPolicy: 'Always', resources: { requests: { cpu: '10m' } } };
  await makePod('side', { initContainers: [side] });
  const change = { spec: { initContainers: [{ name: 's', resources: { requests: { cpu: '20m' } } }] } };
  t.match((await resize('side', change)).body, {
    spec: { initContainers: [{ resources: { requests: { cpu: '20m' } } }] },
  });
});

t.test('refusals', async (t) => {
  const init = { name: 'first', image: 'i', resources: { requests: { cpu: '10m' } } };
  await makePod('init', { initContainers: [init] });
  await makePod('static', { nodeName: 'n' }, { annotations: { 'kubernetes.io/config.mirror': 'x' } });
  await makePod('whole', { resources: { requests: { cpu: '1', memory: '1Gi' } } });
  await makePod('web2');
  const removed = 'cannot be removed';
  const cases: readonly (readonly [pod: string, change: Json, why: string])[] = [
    [
      'web2',
      resizing({ requests: { cpu: '1', memory: '128Mi' }, limits: { cpu: '1' } }),
      'spec: Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing',
    ],
    [
      'web2',
      resizing({ limits: { memory: null } }),
      `spec.containers[0].resources.limits: Forbidden: resource limits ${removed}`,
    ],
    [
      'web2',
      resizing({ requests: { cpu: null } }),
      `spec.containers[0].resources.requests: Forbidden: resource requests ${removed}`,
    ],
    [
      'web2',
      resizing({ requests: { 'ephemeral-storage': '1Gi' } }),
      'spec: Forbidden: only cpu and memory resources are mutable',
    ],
    [
      'web2',
      { spec: { containers: [{ name: 'more', image: 'i' }] } },
      'spec.containers: Forbidden: containers may not be added or removed on resize',
    ],
    ['web2', resizing({ requests: { memory: '1Gi' } }), 'must be less than or equal to memory limit of 128Mi'],
    [
      'init',
      { spec: { initContainers: [{ name: 'first', resources: { requests: { cpu: '20m' } } }] } },
      'spec: Forbidden: resources for non-sidecar init containers are immutable',
    ],
    ['static', resizing({ requests: { cpu: '1' } }), 'static pods cannot be resized'],
    ['whole', resizing({ requests: { cpu: '1' } }), 'pods with pod-level resources cannot be resized'],
  ];
  for (const [pod, change, why] of cases) {
    const { status, body } = await resize(pod, change);
    t.equal(status, 422, why);
    t.ok(String(at(body, 'message')).includes(why), String(at(body, 'message')));
  }
  t.equal((await resize('gone', resizing({}))).status, 404);
});

t.test('stock kubectl resizes', { skip: noKubectl }, async (t) => {
  const kubectl = await kubectlFor(api);
  t.teardown(() => kubectl.close());
  await makePod('tool');
  const patch = JSON.stringify(resizing({ requests: { cpu: '250m' } }));
  t.match(await kubectl.run(['patch', 'pod', 'tool', '--subresource', 'resize', '--patch', patch]), {
    code: 0,
    out: 'pod/tool patched\n',
  });
  t.match((await api.call('GET', `${pods}/tool`)).body, {
    spec: { containers: [{ resources: { requests: { cpu: '250m' } } }] },
  });
});
