import t from 'tap';
import {
  type EndpointSlice,
  type Endpoints,
  kinds,
  type Node,
  type Pod,
  type Service,
  type Stored,
} from '../../src/api/index.ts';
import type { Action } from '../../src/controllers/controller.ts';
import { reconcileEndpoints } from '../../src/controllers/endpoints.ts';
import { reconcileEndpointSlices } from '../../src/controllers/endpointslice.ts';
import { type Endpoint, planSlices } from '../../src/controllers/slice-plan.ts';
import { node, pod, service } from './objects.ts';

function slices(
  given: Stored<Service>,
  pods: readonly Stored<Pod>[],
  present: readonly Stored<EndpointSlice>[] = [],
  nodes: Readonly<Record<string, Stored<Node>>> = { n1: node({ zone: 'z1' }) },
): readonly Action[] {
  return reconcileEndpointSlices({ service: given, pods, slices: present, nodeOf: (name) => nodes[name] });
}

function made(actions: readonly Action[]): EndpointSlice {
  const action = actions.find((one) => one.do === 'create' || one.do === 'update');
  if (action === undefined || !('object' in action)) throw new Error('nothing was written');
  return action.object as EndpointSlice;
}

t.test('ready, serving and terminating of an endpoint', async (t) => {
  const cases = [
    { name: 'ready', given: pod({ ready: true, node: 'n1', ip: '10.1.0.1' }), want: [true, true, false] },
    { name: 'not ready', given: pod({ node: 'n1', ip: '10.1.0.1' }), want: [false, false, false] },
    {
      name: 'shutting down',
      given: pod({ ready: true, deleting: true, node: 'n1', ip: '10.1.0.1' }),
      want: [false, true, true],
    },
  ];
  for (const { name, given, want } of cases) {
    const [endpoint] = made(slices(service(), [given])).endpoints ?? [];
    const { ready, serving, terminating } = endpoint?.conditions ?? {};
    t.same([ready, serving, terminating], want, name);
  }
  const [published] =
    made(slices(service({ publishNotReadyAddresses: true }), [pod({ node: 'n1', ip: '10.1.0.1' })])).endpoints ?? [];
  t.equal(published?.conditions?.ready, true, 'publishNotReadyAddresses');
});

t.test('a slice names its service, its manager, the pod, its node and zone', async (t) => {
  const named = pod({ ready: true, node: 'n1', ip: '10.1.0.1', spec: { hostname: 'db-0', subdomain: 'web' } });
  const slice = made(slices(service({ clusterIP: 'None' }), [named]));
  t.match(slice, {
    addressType: 'IPv4',
    metadata: {
      generateName: 'web-',
      labels: {
        team: 'a',
        'kubernetes.io/service-name': 'web',
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        'service.kubernetes.io/headless': '',
      },
      ownerReferences: [{ kind: 'Service', name: 'web', controller: true }],
    },
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: [
      {
        addresses: ['10.1.0.1'],
        hostname: 'db-0',
        nodeName: 'n1',
        zone: 'z1',
        targetRef: { kind: 'Pod', namespace: 'default', name: 'p', uid: 'uid-p' },
      },
    ],
  });
});

t.test('which pods and services count', async (t) => {
  const serving = pod({ ready: true, node: 'n1', ip: '10.1.0.1' });
  const cases: readonly { readonly name: string; readonly actions: readonly Action[]; readonly want: number }[] = [
    { name: 'no selector: left alone', actions: slices({ ...service(), spec: { ports: [] } }, [serving]), want: -1 },
    { name: 'ExternalName: left alone', actions: slices(service({ type: 'ExternalName' }), [serving]), want: -1 },
    { name: 'no pods: an empty slice', actions: slices(service(), []), want: 0 },
    { name: 'no address yet', actions: slices(service(), [pod({ node: 'n1' })]), want: 0 },
    {
      name: 'finished',
      actions: slices(service(), [pod({ node: 'n1', ip: '10.1.0.1', phase: 'Succeeded' })]),
      want: 0,
    },
    { name: 'other labels', actions: slices(service(), [pod({ node: 'n1', ip: '10.1.0.1', labels: {} })]), want: 0 },
    { name: 'its node is gone', actions: slices(service(), [serving], [], {}), want: 0 },
    { name: 'the other family', actions: slices(service({ ipFamilies: ['IPv6'] }), [serving]), want: 0 },
    { name: 'serving', actions: slices(service(), [serving]), want: 1 },
  ];
  for (const { name, actions, want } of cases) {
    const count = actions.length === 0 ? -1 : (made(actions).endpoints ?? []).length;
    t.equal(count, want, name);
  }
});

t.test('pods with the named port at different numbers get slices of their own', async (t) => {
  const withPort = (name: string, containerPort: number): Stored<Pod> =>
    pod({
      name,
      ready: true,
      node: 'n1',
      ip: `10.1.0.${containerPort % 100}`,
      spec: { containers: [{ name: 'c', ports: [{ name: 'web', containerPort }] }] },
    });
  const given = service({ ports: [{ name: 'http', port: 80, targetPort: 'web' }] });
  const actions = slices(given, [withPort('a', 8080), withPort('b', 9090)]);
  t.same(
    actions.map((action) => ('object' in action ? (action.object as EndpointSlice).ports?.[0]?.port : undefined)),
    [8080, 9090],
  );
});

t.test('nothing is written when nothing changed', async (t) => {
  const serving = pod({ ready: true, node: 'n1', ip: '10.1.0.1' });
  const slice = made(slices(service(), [serving]));
  const stored = { ...slice, metadata: { ...slice.metadata, name: 'web-x', uid: 's', resourceVersion: '1' } };
  t.same(slices(service(), [serving], [stored as Stored<EndpointSlice>]), []);
});

function endpoint(id: number): Endpoint {
  return { addresses: [`10.0.${id >> 8}.${id & 255}`], targetRef: { uid: `u${id}` } };
}

function slice(name: string, from: number, count: number): Stored<EndpointSlice> {
  const endpoints = Array.from({ length: count }, (_, at) => endpoint(from + at));
  return {
    metadata: { name, uid: name, resourceVersion: '1' },
    addressType: 'IPv4',
    endpoints,
  } as Stored<EndpointSlice>;
}

t.test('slices of at most 100, with as few changes as possible', async (t) => {
  const range = (from: number, count: number): Endpoint[] =>
    Array.from({ length: count }, (_, at) => endpoint(from + at));
  const cases = [
    {
      name: 'from nothing',
      endpoints: range(0, 250),
      slices: [],
      want: { sizes: [], create: [100, 100, 50], drop: 0 },
    },
    {
      name: 'one more goes to the fullest slice with room',
      endpoints: range(0, 161),
      slices: [slice('a', 0, 100), slice('b', 100, 40), slice('c', 140, 20)],
      want: { sizes: [100, 41, 20], create: [], drop: 0 },
    },
    {
      name: 'a slice that changes anyway takes the additions',
      endpoints: [...range(1, 99), ...range(100, 50), ...range(500, 1)],
      slices: [slice('a', 0, 100), slice('b', 100, 50)],
      want: { sizes: [100, 50], create: [], drop: 0 },
    },
    {
      name: 'an emptied slice goes',
      endpoints: range(0, 100),
      slices: [slice('a', 0, 100), slice('b', 100, 50)],
      want: { sizes: [100], create: [], drop: 1 },
    },
  ];
  for (const { name, endpoints, slices, want } of cases) {
    const plan = planSlices({ endpoints, slices });
    const got = {
      sizes: plan.keep.map((kept) => kept.endpoints.length),
      create: plan.create.map((one) => one.length),
      drop: plan.drop.length,
    };
    t.same(got, want, name);
  }
});

function endpointsOf(actions: readonly Action[]): Endpoints {
  const [action] = actions;
  if (action === undefined || !('object' in action)) throw new Error('nothing was written');
  return action.object as Endpoints;
}

t.test('Endpoints list ready and unready addresses by ports', async (t) => {
  const pods = [
    pod({ name: 'b', ready: true, node: 'n1', ip: '10.1.0.2' }),
    pod({ name: 'a', ready: true, node: 'n1', ip: '10.1.0.1' }),
    pod({ name: 'c', node: 'n1', ip: '10.1.0.3' }),
    pod({ name: 'd', ready: true, deleting: true, node: 'n1', ip: '10.1.0.4' }),
  ];
  t.match(endpointsOf(reconcileEndpoints(service(), pods, undefined)).subsets, [
    {
      addresses: [{ ip: '10.1.0.1', nodeName: 'n1', targetRef: { name: 'a' } }, { ip: '10.1.0.2' }],
      notReadyAddresses: [{ ip: '10.1.0.3' }],
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    },
  ]);
});

t.test('Endpoints past 1000 addresses are cut, ready ones last, and say so; the mark goes when they fit', async (t) => {
  const many = Array.from({ length: 1100 }, (_, at) =>
    pod({ name: `p${at}`, ready: at < 900, node: 'n1', ip: `10.1.${at >> 8}.${at & 255}` }),
  );
  const full = endpointsOf(reconcileEndpoints(service(), many, undefined));
  t.equal(full.subsets?.[0]?.addresses?.length, 900);
  t.equal(full.subsets?.[0]?.notReadyAddresses?.length, 100);
  t.equal(full.metadata?.annotations?.['endpoints.kubernetes.io/over-capacity'], 'truncated');
  const stored = { ...full, metadata: { ...full.metadata, uid: 'e', resourceVersion: '1' } } as Stored<Endpoints>;
  t.same(reconcileEndpoints(service(), many, stored), []);
  const fewer = endpointsOf(reconcileEndpoints(service(), many.slice(0, 3), stored));
  t.equal(fewer.metadata?.annotations, undefined);
  t.equal(fewer.kind, kinds.endpoints.kind);
});
