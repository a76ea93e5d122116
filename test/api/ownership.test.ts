// Who owns which fields after creates and updates: cases of KEP-555 and of the documentation of server-side apply.

import t from 'tap';
import { entriesOf, type KubeObject, kinds, trackUpdate } from '../../src/api/index.ts';
import { config, containers, inContainers, owners, updated, writeBy } from './ownership.ts';

t.test('what a create gives its manager', async (t) => {
  const cases = [
    {
      name: 'objects that are values have no dot, optional ones and items have',
      given: config({
        replicas: 1,
        strategy: { rollingUpdate: { maxSurge: 1 } },
        ...containers({ name: 'c', image: 'i' }),
      }),
      want: {
        'f:spec': {
          'f:replicas': {},
          'f:strategy': { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {} } },
          'f:template': {
            'f:spec': { 'f:containers': { 'k:{"name":"c"}': { '.': {}, 'f:image': {}, 'f:name': {} } } },
          },
        },
      },
    },
    {
      name: 'maps, sets, atomic lists and empty objects; never what the server sets',
      given: config(
        {
          selector: { matchLabels: { a: 'b' } },
          template: { spec: { containers: [], securityContext: {}, tolerations: [{ key: 'k' }] } },
        },
        {
          uid: 'u',
          resourceVersion: '1',
          generation: 1,
          namespace: 'x',
          labels: { b: '1', a: '2' },
          finalizers: ['f/x'],
        },
      ),
      want: {
        'f:metadata': { 'f:finalizers': { '.': {}, 'v:"f/x"': {} }, 'f:labels': { '.': {}, 'f:a': {}, 'f:b': {} } },
        'f:spec': {
          'f:selector': {},
          'f:template': { 'f:spec': { 'f:containers': {}, 'f:securityContext': {}, 'f:tolerations': {} } },
        },
      },
    },
    {
      name: 'keys with a default, in numeric order',
      given: config(
        containers({
          name: 'c',
          ports: [{ containerPort: 443 }, { containerPort: 80, protocol: 'UDP' }, { containerPort: 80 }],
        }),
      ),
      want: inContainers({
        'k:{"name":"c"}': {
          '.': {},
          'f:name': {},
          'f:ports': {
            '.': {},
            'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} },
            'k:{"containerPort":80,"protocol":"UDP"}': { '.': {}, 'f:containerPort': {}, 'f:protocol': {} },
            'k:{"containerPort":443,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} },
          },
        },
      }),
    },
    {
      name: 'status is not a part of a write of the object',
      given: { ...config({ paused: true }), status: { replicas: 3 } },
      want: { 'f:spec': { 'f:paused': {} } },
    },
  ];
  for (const { name, given, want } of cases) {
    const set = entriesOf(updated({}, undefined, given))[0]?.fieldsV1;
    t.equal(JSON.stringify(set), JSON.stringify(want), name);
  }
});

t.test('updates', async (t) => {
  const first = updated({ manager: 'a' }, undefined, config({ replicas: 1, paused: true }));

  t.test('take what they change from everybody, and lose what they remove', async (t) => {
    const meta = first.metadata ?? {};
    const second = updated({ manager: 'b' }, first, { ...config({ replicas: 2 }), metadata: meta });
    t.same(owners(second), { 'b Update': { 'f:spec': { 'f:replicas': {} } } });
  });

  t.test('that change nothing leave the entries as they are', async (t) => {
    const entries = trackUpdate(
      writeBy({ manager: 'b', now: 'later' }),
      first,
      config({ replicas: 1, paused: true }) as KubeObject,
    );
    t.equal(entries, entriesOf(first));
  });

  t.test('of a field that one owns already only move the time', async (t) => {
    const [entry] = entriesOf(updated({ manager: 'a', now: 'later' }, first, config({ replicas: 5, paused: true })));
    t.equal(entry?.time, 'later');
    t.equal(entry?.fieldsV1, entriesOf(first)[0]?.fieldsV1, 'the set is shared, not made again');
  });

  t.test('through status own status alone', async (t) => {
    const wanted = {
      ...config({ replicas: 9 }),
      status: { replicas: 1, conditions: [{ type: 'Available', status: 'True' }] },
    };
    t.same(owners(updated({ manager: 'k', subresource: 'status' }, first, wanted)), {
      'a Update': { 'f:spec': { 'f:paused': {}, 'f:replicas': {} } },
      'k Update status': {
        'f:status': {
          'f:conditions': { '.': {}, 'k:{"type":"Available"}': { '.': {}, 'f:status': {}, 'f:type': {} } },
          'f:replicas': {},
        },
      },
    });
  });

  t.test('may set managedFields themselves, begin anew, or send nonsense that is passed over', async (t) => {
    const same = config({ replicas: 1, paused: true });
    const send = (managedFields: unknown) => ({ ...same, metadata: { name: 'web', managedFields } });
    const given = [
      {
        manager: 'z',
        operation: 'Apply',
        apiVersion: 'apps/v1',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:spec': { 'f:paused': {} } },
      },
    ];
    t.same(owners(updated({}, first, send(given))), { 'z Apply': { 'f:spec': { 'f:paused': {} } } });
    t.same(owners(updated({}, first, send([{}]))), {});
    t.same(owners(updated({}, first, send([{ ...given[0], fieldsV1: { 'x:spec': {} } }]))), owners(first));
    t.same(
      owners(updated({}, first, send([]))),
      owners(first),
      'an empty list comes from clients that do not know the field',
    );
  });

  t.test('of an object without owners leave it without', async (t) => {
    t.same(trackUpdate(writeBy({}), config({ replicas: 1 }) as KubeObject, config({ replicas: 2 }) as KubeObject), []);
  });

  t.test('by more than ten managers fold the oldest', async (t) => {
    let object = updated({ manager: 'm0', kind: kinds.configMap, now: '0' }, undefined, { data: { k0: '' } });
    for (let at = 1; at <= 11; at += 1) {
      const data = Object.fromEntries(Array.from({ length: at + 1 }, (_, key) => [`k${key}`, '']));
      object = updated({ manager: `m${at}`, kind: kinds.configMap, now: String(at).padStart(2, '0') }, object, {
        ...object,
        data,
      });
    }
    const entries = entriesOf(object);
    t.equal(entries.length, 10);
    t.match(
      entries.find(({ manager }) => manager === 'ancient-changes'),
      {
        operation: 'Update',
        time: '02',
        fieldsV1: { 'f:data': { 'f:k0': {}, 'f:k1': {}, 'f:k2': {} } },
      },
    );
  });
});
