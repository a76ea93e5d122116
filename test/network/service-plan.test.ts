import t from 'tap';
import type { EndpointSlice, Service } from '../../src/api/index.ts';
import { deleteFlow, staleFlows } from '../../src/network/services/conntrack.ts';
import { chooseEndpoints, keepOrder } from '../../src/network/services/endpoints.ts';
import { createLedger } from '../../src/network/services/ledger.ts';
import type { ServicePlan } from '../../src/network/services/model.ts';
import { emptyPlan, planService } from '../../src/network/services/plan.ts';
import { withoutOverlap } from '../../src/network/services/source-ranges.ts';

type EndpointLike = { readonly ip: string; readonly node?: string; readonly conditions?: object };

function slice(endpoints: readonly EndpointLike[], protocol = 'TCP'): EndpointSlice {
  return {
    metadata: { name: 'web-x', namespace: 'a', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol }],
    endpoints: endpoints.map(({ ip, node = 'n1', conditions = {} }) => ({
      addresses: [ip],
      nodeName: node,
      conditions,
    })),
  };
}

function service(spec: Service['spec'], status: Service['status'] = {}): Service {
  return {
    metadata: { name: 'web', namespace: 'a' },
    spec: { clusterIP: '10.96.0.5', ports: [{ port: 80, protocol: 'TCP' }], ...spec },
    status,
  };
}

const context = { nodeName: 'n1', dnsAddress: '10.96.0.10' };
const two = [slice([{ ip: '10.244.1.2' }, { ip: '10.244.2.2', node: 'n2' }])];
const elementsOf = (plan: ServicePlan): string[] =>
  plan.elements.map(({ set, key, value }) => `${set} { ${key}${value === undefined ? '' : ` : ${value}`} }`);

t.test('fronts of a Service become map elements', async (t) => {
  const cases: readonly {
    readonly name: string;
    readonly given: Service;
    readonly slices?: readonly EndpointSlice[];
    readonly want: readonly string[];
  }[] = [
    {
      name: 'ClusterIP',
      given: service({}),
      want: [
        'addr-all-0 { 10.96.0.5 . tcp . 80 : 10.244.1.2 . 8080 }',
        'addr-all-1 { 10.96.0.5 . tcp . 80 : 10.244.2.2 . 8080 }',
        'service-addresses { 10.96.0.5 . tcp . 80 : goto addr-all-of-2 }',
      ],
    },
    {
      name: 'ClusterIP without endpoints is left to the rule for the whole range',
      given: service({}),
      slices: [],
      want: [],
    },
    {
      name: 'internalTrafficPolicy Local uses endpoints of this node',
      given: service({ internalTrafficPolicy: 'Local' }),
      want: [
        'addr-all-0 { 10.96.0.5 . tcp . 80 : 10.244.1.2 . 8080 }',
        'service-addresses { 10.96.0.5 . tcp . 80 : goto addr-all-of-1 }',
      ],
    },
    {
      name: 'internalTrafficPolicy Local without one here drops',
      given: service({ internalTrafficPolicy: 'Local' }),
      slices: [slice([{ ip: '10.244.2.2', node: 'n2' }])],
      want: ['unserved-addresses { 10.96.0.5 . tcp . 80 : drop }'],
    },
    { name: 'headless', given: service({ clusterIP: 'None' }), want: [] },
    { name: 'ExternalName', given: service({ type: 'ExternalName', externalName: 'example.org' }), want: [] },
    {
      name: 'the cluster DNS address stays with the node',
      given: service({ clusterIP: '10.96.0.10', ports: [{ port: 53, protocol: 'UDP' }] }),
      slices: [slice([{ ip: '10.244.1.2' }], 'UDP')],
      want: [],
    },
    {
      name: 'NodePort masquerades',
      given: service({ clusterIP: '10.96.0.5', type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] }),
      slices: [slice([{ ip: '10.244.2.2', node: 'n2' }])],
      want: [
        'addr-all-0 { 10.96.0.5 . tcp . 80 : 10.244.2.2 . 8080 }',
        'service-addresses { 10.96.0.5 . tcp . 80 : goto addr-all-of-1 }',
        'port-all-0 { tcp . 30080 : 10.244.2.2 . 8080 }',
        'node-ports { tcp . 30080 : goto port-all-of-1-masq }',
      ],
    },
    {
      name: 'NodePort with policy Local and nobody here: sources outside are dropped',
      given: service({ type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ port: 80, nodePort: 30080 }] }),
      slices: [slice([{ ip: '10.244.2.2', node: 'n2' }])],
      want: [
        'addr-all-0 { 10.96.0.5 . tcp . 80 : 10.244.2.2 . 8080 }',
        'service-addresses { 10.96.0.5 . tcp . 80 : goto addr-all-of-1 }',
        'port-all-0 { tcp . 30080 : 10.244.2.2 . 8080 }',
        'node-ports { tcp . 30080 : goto node-port-by-policy }',
        'local-node-ports-inside { tcp . 30080 : goto port-all-of-1 }',
        'local-node-ports-outside { tcp . 30080 : drop }',
      ],
    },
    {
      name: 'NodePort and external address without endpoints refuse',
      given: service({ type: 'NodePort', externalIPs: ['192.0.2.7'], ports: [{ port: 80, nodePort: 30080 }] }),
      slices: [],
      want: [
        'unserved-addresses { 192.0.2.7 . tcp . 80 : goto refuse }',
        'unserved-node-ports { tcp . 30080 : goto refuse }',
      ],
    },
    {
      name: 'load balancer address with source ranges; addresses of mode Proxy are not ours',
      given: service(
        { type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0/8', ' 10.1.0.0/16'] },
        { loadBalancer: { ingress: [{ ip: '192.0.2.8' }, { ip: '192.0.2.9', ipMode: 'Proxy' }] } },
      ),
      slices: [slice([{ ip: '10.244.2.2', node: 'n2' }])],
      want: [
        'addr-all-0 { 10.96.0.5 . tcp . 80 : 10.244.2.2 . 8080 }',
        'service-addresses { 10.96.0.5 . tcp . 80 : goto addr-all-of-1 }',
        'addr-all-0 { 192.0.2.8 . tcp . 80 : 10.244.2.2 . 8080 }',
        'service-addresses { 192.0.2.8 . tcp . 80 : goto addr-all-of-1-masq }',
        'guarded-addresses { 192.0.2.8 . tcp . 80 }',
        'allowed-sources { 192.0.2.8 . tcp . 80 . 10.0.0.0/8 }',
      ],
    },
  ];
  for (const { name, given, slices = two, want } of cases) {
    t.same(elementsOf(planService(given, slices, context)), want, name);
  }
});

t.test('session affinity has chains of its own, shared by the fronts of one port', async (t) => {
  const sticky = service({ sessionAffinity: 'ClientIP', type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] });
  const plan = planService(sticky, two, context);
  const verdicts = plan.elements.map((element) => element.value);
  t.match(verdicts[0], /^goto sticky-[0-9a-f]{12}-of-2$/);
  t.equal(verdicts[1], `${verdicts[0]}-masq`);
  const text = createLedger({ podCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/12', dnsAddress: undefined });
  text.put('a/web', plan);
  t.match(text.takeChanges().join('\n'), /ip saddr timeout 10800s/);
});

t.test('endpoints: ready ones, else terminating ones that serve', async (t) => {
  const choose = (endpoints: readonly EndpointLike[]) => chooseEndpoints([slice(endpoints)], '', 'TCP', 'n1');
  const draining = { ready: false, serving: true, terminating: true };
  t.same(choose([{ ip: '10.0.0.1' }, { ip: '10.0.0.2', conditions: draining }]).all, ['10.0.0.1 . 8080']);
  t.same(choose([{ ip: '10.0.0.2', conditions: draining }]).all, ['10.0.0.2 . 8080']);
  t.same(choose([{ ip: '10.0.0.3', conditions: { ready: false, serving: false, terminating: true } }]).all, []);
  t.same(
    choose([
      { ip: '10.0.0.1', node: 'n2' },
      { ip: '10.0.0.2', conditions: draining },
    ]),
    {
      all: ['10.0.0.1 . 8080'],
      local: ['10.0.0.2 . 8080'],
    },
  );
  t.same(chooseEndpoints(two, 'http', 'TCP', 'n1').all, [], 'the port has another name');
});

t.test('an endpoint keeps its place in the list', async (t) => {
  t.same(keepOrder(['a', 'b', 'c'], ['c', 'a']), ['a', 'c']);
  t.same(keepOrder(['a', 'b', 'c', 'd'], ['a', 'c', 'd']), ['a', 'd', 'c']);
  t.same(keepOrder(['a', 'b'], ['b', 'a', 'c']), ['a', 'b', 'c']);
  t.same(keepOrder(['a', 'b'], ['b', 'x']), ['x', 'b']);
  t.same(keepOrder(['a', 'b'], []), []);
  t.same(keepOrder([], ['b', 'a']), ['a', 'b']);
});

t.test('the ledger writes only what changed', async (t) => {
  const ledger = createLedger({ podCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/12', dnsAddress: undefined });
  const first = planService(service({}), two, context);
  ledger.put('a/web', first);
  t.ok(ledger.takeAll().length > 10, 'the whole table');
  t.same(ledger.takeChanges(), []);

  const three = [slice([{ ip: '10.244.1.2' }, { ip: '10.244.2.2', node: 'n2' }, { ip: '10.244.2.9', node: 'n2' }])];
  const second = planService(service({}), three, context, first);
  ledger.put('a/web', second);
  const grown = ledger.takeChanges().join('\n');
  t.match(grown, /add map ip k8ts addr-all-2 /);
  t.match(grown, /add chain ip k8ts addr-all-of-3\n/);
  t.match(grown, /delete element ip k8ts service-addresses { 10\.96\.0\.5 \. tcp \. 80 }\n/);
  t.match(grown, /add element ip k8ts service-addresses { 10\.96\.0\.5 \. tcp \. 80 : goto addr-all-of-3 }/);
  t.notMatch(grown, /element ip k8ts addr-all-[01] /, 'the endpoints that stay are not touched');

  t.equal(ledger.hasUnused, true);
  t.same(ledger.takeUnused(), ['flush chain ip k8ts addr-all-of-2', 'delete chain ip k8ts addr-all-of-2']);
  t.equal(ledger.hasUnused, false);

  ledger.put('a/web', emptyPlan);
  t.same(
    ledger.takeChanges().map((line) => line.split(' { ')[0]),
    ['addr-all-0', 'addr-all-1', 'addr-all-2', 'service-addresses'].map((set) => `delete element ip k8ts ${set}`),
  );
});

t.test('a front that two Services claim belongs to the first until it lets go', async (t) => {
  const ledger = createLedger({ podCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/12', dnsAddress: undefined });
  const nodePort = (clusterIP: string) =>
    service({ clusterIP, type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] });
  t.same(ledger.put('a/one', planService(nodePort('10.96.0.5'), [slice([{ ip: '10.244.1.1' }])], context)), []);
  const rivals = ledger.put('a/two', planService(nodePort('10.96.0.6'), [slice([{ ip: '10.244.1.2' }])], context));
  t.same(rivals, ['a/one']);
  t.match(ledger.takeAll().join('\n'), /port-all-0 { tcp \. 30080 : 10\.244\.1\.1 \. 8080 }/);
  ledger.put('a/one', emptyPlan);
  t.match(ledger.takeChanges().join('\n'), /port-all-0 { tcp \. 30080 : 10\.244\.1\.2 \. 8080 }/);
});

t.test('UDP flows to endpoints that are gone are named for conntrack', async (t) => {
  const udp = service({ type: 'NodePort', ports: [{ port: 53, nodePort: 30053, protocol: 'UDP' }] });
  const before = planService(udp, [slice([{ ip: '10.244.1.2' }, { ip: '10.244.1.3' }], 'UDP')], context);
  const now = planService(udp, [slice([{ ip: '10.244.1.3' }], 'UDP')], context, before);
  t.same(
    staleFlows(before, now).map((flow) => deleteFlow(flow).join(' ')),
    [
      '-D -p udp --orig-dst 10.96.0.5 --orig-port-dst 53 --dst-nat 10.244.1.2',
      '-D -p udp --orig-port-dst 30053 --dst-nat 10.244.1.2',
    ],
  );
  t.same(staleFlows(now, now), []);
});

t.test('source ranges are made fit for an interval set', async (t) => {
  t.same(withoutOverlap(['10.0.0.0/8', '10.1.0.0/16', '192.0.2.7/24', 'fd00::/8', '10.0.0.0/8', '1.2.3.4/40']), [
    '10.0.0.0/8',
    '192.0.2.0/24',
  ]);
});
