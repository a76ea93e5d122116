// Server-side apply: cases of KEP-555 and of its documentation.

import t from 'tap';
import { ApplyConflictError, faultsOf, type KubeObject, kinds, readConfig } from '../../src/api/index.ts';
import { applied, config, containers, owners, types, updated } from './ownership.ts';

t.test('apply', async (t) => {
  const mine = config({ replicas: 2, ...containers({ name: 'c', image: 'i', env: [{ name: 'A', value: '1' }] }) });
  const first = applied({ manager: 'a' }, undefined, mine);

  t.test('creates, and owns what it names', async (t) => {
    t.same(owners(first), {
      'a Apply': {
        'f:spec': {
          'f:replicas': {},
          'f:template': {
            'f:spec': {
              'f:containers': {
                'k:{"name":"c"}': {
                  '.': {},
                  'f:env': { 'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
                  'f:image': {},
                  'f:name': {},
                },
              },
            },
          },
        },
      },
    });
  });

  t.test('of the same again changes nothing, not even the time', async (t) => {
    const again = applied({ manager: 'a', now: 'later' }, first, mine);
    t.same(again, first);
  });

  t.test('conflicts with other values of others, in upstream’s words', async (t) => {
    const theirs = config({ replicas: 3, ...containers({ name: 'c', image: 'j' }) });
    const csa = updated({ manager: 'kubectl-client-side-apply' }, undefined, config({ replicas: 2 }));
    const cases = [
      {
        name: 'one conflict with an updater',
        live: csa,
        message:
          'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
        causes: [
          {
            reason: 'FieldManagerConflict',
            message: 'conflict with "kubectl-client-side-apply" using apps/v1',
            field: '.spec.replicas',
          },
        ],
      },
      {
        name: 'several with an applier',
        live: first,
        message:
          'Apply failed with 2 conflicts: conflicts with "a":\n- .spec.replicas\n- .spec.template.spec.containers[name="c"].image',
        causes: [
          { reason: 'FieldManagerConflict', message: 'conflict with "a"', field: '.spec.replicas' },
          {
            reason: 'FieldManagerConflict',
            message: 'conflict with "a"',
            field: '.spec.template.spec.containers[name="c"].image',
          },
        ],
      },
    ];
    for (const { name, live, message, causes } of cases) {
      try {
        applied({ manager: 'b' }, live, theirs);
        t.fail(name);
      } catch (error) {
        t.ok(error instanceof ApplyConflictError, name);
        t.match(error, { message, causes }, name);
      }
    }
  });

  t.test('with the same value shares, with force takes', async (t) => {
    const shared = applied({ manager: 'b' }, first, config({ replicas: 2 }));
    t.same(owners(shared)['b Apply'], { 'f:spec': { 'f:replicas': {} } });
    t.same(owners(shared)['a Apply'], owners(first)['a Apply']);
    const forced = applied({ manager: 'b' }, first, config({ replicas: 7 }), true);
    t.match(forced, { spec: { replicas: 7 } });
    t.notMatch(owners(forced)['a Apply'], { 'f:spec': { 'f:replicas': {} } });
  });

  t.test('removes what it no longer names, unless somebody else owns it or nobody named it', async (t) => {
    const shared = applied({ manager: 'b' }, first, config({ replicas: 2 }));
    const live = { ...shared, spec: { ...(shared as { spec: object }).spec, paused: true } };
    const less = applied({ manager: 'a' }, live, config(containers({ name: 'c', image: 'i' })));
    t.same((less as { spec?: unknown }).spec, {
      replicas: 2,
      paused: true,
      template: { spec: { containers: [{ name: 'c', image: 'i' }] } },
    });
    t.same(Object.keys(owners(less)), ['a Apply', 'b Apply']);
    const bare = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } };
    const gone = applied({ manager: 'a' }, less, bare);
    t.same((gone as { spec?: unknown }).spec, { replicas: 2, paused: true }, 'the whole template was its own');
    t.same(Object.keys(owners(gone)), ['b Apply'], 'an applier that owns nothing is forgotten');
    t.equal(gone.metadata?.name, 'web');
  });

  t.test('keeps the items of others where they stood', async (t) => {
    const item = (name: string): object => ({ name, image: 'i' });
    const names = (object: KubeObject): unknown =>
      (
        object as { spec: { template: { spec: { containers: readonly { name: string }[] } } } }
      ).spec.template.spec.containers.map(({ name }) => name);
    const live = updated({ manager: 'u' }, undefined, config(containers(item('1'), item('a'), item('2'), item('b'))));
    t.same(names(applied({}, live, config(containers(item('a'), item('b'))))), ['1', 'a', '2', 'b']);
    t.same(
      names(applied({}, live, config(containers(item('b'), item('a'))))),
      ['1', '2', 'b', 'a'],
      'its own order counts',
    );
    t.same(names(applied({}, live, config(containers(item('new'), item('b'))))), ['1', 'a', '2', 'new', 'b']);
  });

  t.test('of an object that nobody was tracked for leaves the rest to before-first-apply', async (t) => {
    const object = applied(
      { manager: 'b' },
      config({ replicas: 2, paused: true }) as KubeObject,
      config({ replicas: 2 }),
    );
    t.same(owners(object), {
      'b Apply': { 'f:spec': { 'f:replicas': {} } },
      'before-first-apply Update': { 'f:spec': { 'f:paused': {}, 'f:replicas': {} } },
    });
  });

  t.test('null sets a field to nothing and owns it; an atomic part changes hands as a whole', async (t) => {
    const nulled = applied({ manager: 'a' }, first, config({ replicas: null }));
    t.match(nulled, { spec: { replicas: null } });
    const one = applied({ manager: 'a' }, undefined, config({ selector: { matchLabels: { a: '1' } } }));
    t.throws(() => applied({ manager: 'b' }, one, config({ selector: { matchLabels: { b: '1' } } })), {
      message: /\.spec\.selector$/,
    });
  });

  t.test('by kubectl takes over what its annotation says it set before', async (t) => {
    const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
    const before = config({ replicas: 2, paused: true });
    const live = updated(
      { manager: 'old' },
      undefined,
      config({ replicas: 2, paused: true }, { annotations: { [annotation]: JSON.stringify(before) } }),
    );
    const after = applied({ manager: 'kubectl' }, live, config({ replicas: 4 }));
    t.match(after, { spec: { replicas: 4 } });
    t.equal(
      after.metadata?.annotations?.[annotation],
      '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":{"replicas":4}}\n',
    );
    t.throws(() => applied({ manager: 'other' }, live, config({ replicas: 4 })), { name: 'ApplyConflictError' });
    const scaled = updated({ manager: 'hpa' }, live, { ...live, spec: { replicas: 8, paused: true } });
    t.throws(
      () => applied({ manager: 'kubectl' }, scaled, config({ replicas: 4 })),
      { message: /conflict with "hpa"/ },
      'not what changed since',
    );
  });
});

t.test('configurations that are refused', async (t) => {
  const cases = [
    { name: 'an unknown field', given: config({ replcas: 1 }), want: ['.spec.replcas: field not declared in schema'] },
    {
      name: 'an item twice',
      given: config(containers({ name: 'a' }, { name: 'a' })),
      want: ['.spec.template.spec.containers: duplicate entries for key [name="a"]'],
    },
    {
      name: 'the default of a key makes two items one',
      given: config(containers({ name: 'a', ports: [{ containerPort: 1 }, { containerPort: 1, protocol: 'TCP' }] })),
      want: [
        '.spec.template.spec.containers[name="a"].ports: duplicate entries for key [containerPort=1,protocol="TCP"]',
      ],
    },
    {
      name: 'a key that is missing counts as nothing',
      given: config(containers({ image: 'x' }, { image: 'y' })),
      want: ['.spec.template.spec.containers: duplicate entries for key [name=""]'],
    },
    { name: 'a list for an object', given: config({ template: [] }), want: ['.spec.template: expected map, got list'] },
    { name: 'nothing wrong', given: config({ replicas: null }), want: [] },
  ];
  for (const { name, given, want } of cases) t.same(faultsOf(types.ofKind(kinds.deployment), given), want, name);
});

t.test('bodies are YAML, which JSON is as well', async (t) => {
  const want = { kind: 'X', spec: { ready: true } };
  t.same(readConfig(Buffer.from('{"kind":"X","spec":{"ready":true}}')), want);
  t.same(readConfig(Buffer.from('kind: X\nspec: {ready: true}\n')), want);
  t.same(readConfig(Buffer.from('{kind: X, spec: {ready: yes}}')), want);
  for (const body of ['- a', 'text', '{"a":', ''])
    t.throws(() => readConfig(Buffer.from(body)), { name: 'DecodeError' }, body);
});
