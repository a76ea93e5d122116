// Server-side apply and managedFields as clients see them: bodies, codes, words, and what is written and what is not.

import t from 'tap';
import { at, configMap, configMaps, startTestServer } from './harness.ts';

const api = await startTestServer();
t.teardown(() => api.stop());

const deployments = '/apis/apps/v1/namespaces/default/deployments';
const type = { 'content-type': 'application/apply-patch+yaml' };

function apply(path: string, config: object, query = 'fieldManager=tester') {
  return api.call('PATCH', `${path}?${query}`, config, type);
}

function deployment(name: string, spec: object): object {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec };
}

function complete(replicas: number): object {
  const labels = { app: 'x' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  return { replicas, selector: { matchLabels: labels }, template };
}

/** `manager operation[ subresource]` of each entry. */
function managers(body: unknown): readonly string[] {
  const entries = (at(body, 'metadata.managedFields') ?? []) as readonly Record<string, string>[];
  return entries.map(({ manager, operation, subresource }) =>
    [manager, operation, subresource].filter(Boolean).join(' '),
  );
}

t.test('apply creates, changes, and is no write when it changes nothing', async (t) => {
  const created = await apply(`${deployments}/one`, deployment('one', complete(1)));
  t.equal(created.status, 201);
  t.equal(at(created.body, 'spec.strategy.type'), 'RollingUpdate', 'defaulted');
  t.match(at(created.body, 'metadata.managedFields.0'), {
    manager: 'tester',
    operation: 'Apply',
    apiVersion: 'apps/v1',
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:spec': { 'f:replicas': {} } },
  });
  const again = await apply(`${deployments}/one`, deployment('one', complete(1)));
  t.equal(again.status, 200);
  t.equal(again.text, created.text);
  const changed = await apply(`${deployments}/one`, deployment('one', complete(4)));
  t.match(changed.body, { spec: { replicas: 4 }, metadata: { generation: 2 } });
  const dry = await apply(`${deployments}/one`, deployment('one', complete(5)), 'fieldManager=tester&dryRun=All');
  t.equal(at(dry.body, 'spec.replicas'), 5);
  t.equal(at((await api.call('GET', `${deployments}/one`)).body, 'spec.replicas'), 4);
});

t.test('a body may be YAML', async (t) => {
  const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yaml}\ndata: {a: "1"}\n';
  const created = await api.call('PATCH', `${configMaps}/yaml?fieldManager=y`, text, type);
  t.match(created, { status: 201, body: { data: { a: '1' } } });
});

t.test('fields of others conflict, unless forced', async (t) => {
  await api.call('POST', `${deployments}?fieldManager=kubectl-client-side-apply`, deployment('two', complete(1)));
  const refused = await apply(`${deployments}/two`, deployment('two', { replicas: 2 }));
  t.match(refused.body, {
    kind: 'Status',
    code: 409,
    reason: 'Conflict',
    message: 'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
    details: {
      causes: [
        {
          reason: 'FieldManagerConflict',
          message: 'conflict with "kubectl-client-side-apply" using apps/v1',
          field: '.spec.replicas',
        },
      ],
    },
  });
  const forced = await apply(
    `${deployments}/two`,
    deployment('two', { replicas: 2 }),
    'fieldManager=tester&force=true',
  );
  t.match(forced, { status: 200, body: { spec: { replicas: 2 } } });
  t.same(managers(forced.body), ['tester Apply', 'kubectl-client-side-apply Update']);
});

t.test('status and scale have owners of their own', async (t) => {
  await apply(`${deployments}/three`, deployment('three', complete(1)));
  const status = await apply(`${deployments}/three/status`, {
    ...deployment('three', complete(9)),
    status: { conditions: [{ type: 'Available', status: 'True' }] },
  });
  t.match(status, { status: 200, body: { spec: { replicas: 1 }, status: { conditions: [{ type: 'Available' }] } } });
  t.same(managers(status.body).toSorted(), ['tester Apply', 'tester Apply status']);

  const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'three' }, spec: { replicas: 3 } };
  const refused = await apply(`${deployments}/three/scale`, scale, 'fieldManager=hpa');
  t.match(refused, {
    status: 409,
    body: { message: 'Apply failed with 1 conflict: conflict with "tester": .spec.replicas' },
  });
  const scaled = await apply(`${deployments}/three/scale`, scale, 'fieldManager=hpa&force=true');
  t.match(scaled, { status: 200, body: { kind: 'Scale', spec: { replicas: 3 } } });
  await api.patch(`${deployments}/three/scale?fieldManager=kubectl`, { spec: { replicas: 4 } });
  const now = (await api.call('GET', `${deployments}/three`)).body;
  t.same(managers(now).toSorted(), ['kubectl Update scale', 'tester Apply', 'tester Apply status']);
  t.equal((await apply(`${deployments}/nobody/status`, deployment('nobody', {}))).status, 404);
});

t.test('every write is somebody’s', async (t) => {
  const posted = await api.call('POST', configMaps, configMap('mine', { a: 'b' }, { k: '1' }), {
    'user-agent': 'operator/v1.2 (linux)',
  });
  t.same(managers(posted.body), ['operator Update']);
  const patched = await api.patch(`${configMaps}/mine?fieldManager=label`, { metadata: { labels: { a: 'c' } } });
  t.same(managers(patched.body).toSorted(), ['label Update', 'operator Update']);
  const same = await api.patch(`${configMaps}/mine?fieldManager=third`, { metadata: { labels: { a: 'c' } } });
  t.equal(same.text, patched.text, 'what changes nothing is nobody’s and no write');
  const { metadata, ...rest } = patched.body as { metadata: Record<string, unknown> };
  const { managedFields: _entries, ...meta } = metadata;
  const put = await api.call('PUT', `${configMaps}/mine?fieldManager=fourth`, { ...rest, metadata: meta });
  t.equal(put.text, patched.text, 'a client that does not send managedFields takes none away');
  const reset = await api.patch(`${configMaps}/mine`, { metadata: { managedFields: [{}] } });
  t.same(managers(reset.body), []);
  const applied = await apply(`${configMaps}/mine`, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'mine' },
    data: { k: '1' },
  });
  t.same(managers(applied.body).toSorted(), ['before-first-apply Update', 'tester Apply']);
});

t.test('two versions of one kind share owners', async (t) => {
  const path = (version: string) => `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`;
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' };
  const hpa = (version: string, spec: object) => ({
    apiVersion: `autoscaling/${version}`,
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'h' },
    spec: { scaleTargetRef, ...spec },
  });
  await apply(`${path('v1')}/h`, hpa('v1', { maxReplicas: 3, minReplicas: 2 }));
  const other = await apply(`${path('v2')}/h`, hpa('v2', { maxReplicas: 5 }), 'fieldManager=other');
  t.match(other.body, { message: 'Apply failed with 1 conflict: conflict with "tester": .spec.maxReplicas' });
  const moved = await apply(`${path('v2')}/h`, hpa('v2', { maxReplicas: 4 }));
  t.match(
    moved,
    { status: 200, body: { spec: { maxReplicas: 4, minReplicas: 1 } } },
    'named in v1, not in v2: defaulted again',
  );
  t.match(at(moved.body, 'metadata.managedFields'), [{ manager: 'tester', apiVersion: 'autoscaling/v2' }]);
});

t.test('refusals', async (t) => {
  await api.call('POST', configMaps, configMap('there'));
  const plain = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'there' } };
  const cases = [
    {
      name: 'an apply without a manager',
      answer: await apply(`${configMaps}/there`, plain, ''),
      want: {
        code: 422,
        message: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      },
    },
    {
      name: 'force on another patch',
      answer: await api.patch(`${configMaps}/there?force=true`, {}),
      want: {
        code: 422,
        message: 'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
      },
    },
    {
      name: 'a manager that cannot be printed',
      answer: await api.call('POST', `${configMaps}?fieldManager=a%0Ab`, configMap('x')),
      want: {
        code: 422,
        message:
          /CreateOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: .*invalid character U\+000A \(at position 1\)/,
      },
    },
    {
      name: 'a manager that is too long',
      answer: await api.call('POST', `${configMaps}?fieldManager=${'a'.repeat(129)}`, configMap('x')),
      want: { code: 422, message: /fieldManager: Too long: may not be more than 128 bytes/ },
    },
    {
      name: 'owners in the configuration',
      answer: await apply(`${configMaps}/there`, { ...plain, metadata: { name: 'there', managedFields: [] } }),
      want: { code: 400, message: 'metadata.managedFields must be nil' },
    },
    {
      name: 'another kind',
      answer: await apply(`${configMaps}/there`, { ...plain, kind: 'Secret' }),
      want: { code: 400, message: 'invalid object type: v1, Kind=Secret' },
    },
    {
      name: 'a field that the kind does not have',
      answer: await apply(`${configMaps}/there`, { ...plain, dta: {} }),
      want: {
        code: 400,
        message: /failed to create typed patch object \(there; v1, Kind=ConfigMap\): \.dta: field not declared/,
      },
    },
    {
      name: 'text for a number, before anybody is asked whose it is',
      answer: await apply(`${deployments}/one`, deployment('one', { replicas: '5' }), 'fieldManager=other'),
      want: {
        code: 400,
        message:
          'failed to create typed patch object (one; apps/v1, Kind=Deployment): .spec.replicas: expected numeric (int or float), got *value.valueUnstructured',
      },
    },
    {
      name: 'values of other types, all of them told',
      answer: await apply(
        `${deployments}/one`,
        deployment('one', {
          paused: 'yes',
          selector: { matchLabels: { app: 5 } },
          template: {
            metadata: { finalizers: [true] },
            spec: {
              hostNetwork: null,
              volumes: 'none',
              nodeSelector: { a: { b: [1] } },
              containers: [
                { name: 'c', ports: [{ containerPort: '80' }], command: [1], resources: { limits: { cpu: 1 } } },
              ],
            },
          },
          strategy: { rollingUpdate: { maxSurge: { of: 1 } } },
        }),
        'fieldManager=other',
      ),
      want: {
        code: 400,
        message: [
          'failed to create typed patch object (one; apps/v1, Kind=Deployment): errors:',
          '.spec.paused: expected boolean, got &{yes}',
          '.spec.selector.matchLabels.app: expected string, got &value.valueUnstructured{Value:5}',
          '.spec.template.metadata.finalizers[=true]: expected string, got &value.valueUnstructured{Value:true}',
          '.spec.template.spec.volumes: expected list, got &{none}',
          '.spec.template.spec.nodeSelector.a: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"b":[]interface {}{1}}}',
          '.spec.template.spec.containers[name="c"].ports[containerPort="80",protocol="TCP"].containerPort: expected numeric (int or float), got *value.valueUnstructured',
          '.spec.template.spec.containers[name="c"].command[0]: expected string, got &value.valueUnstructured{Value:1}',
          '.spec.strategy.rollingUpdate.maxSurge: expected any scalar, got &{map[of:1]}',
        ].join('\n  '),
      },
    },
    {
      name: 'what is no YAML',
      answer: await api.call('PATCH', `${configMaps}/there?fieldManager=x`, '{', type),
      want: { code: 400, message: /YAML/ },
    },
    {
      name: 'another revision than the stored one',
      answer: await apply(`${configMaps}/there`, { ...plain, metadata: { name: 'there', resourceVersion: '1' } }),
      want: { code: 409, message: /the object has been modified/ },
    },
    {
      name: 'CBOR',
      answer: await api.call('PATCH', `${configMaps}/there?fieldManager=x`, 'x', {
        'content-type': 'application/apply-patch+cbor',
      }),
      want: { code: 415, message: /accepted media types include: .*application\/apply-patch\+yaml/ },
    },
  ];
  for (const { name, answer, want } of cases) t.match(answer.body, want, name);
});
