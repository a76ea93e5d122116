// Validation of Nodes, Namespaces, Secrets, Events and quotas: one mistake, upstream's sentences.

import t from 'tap';
import { type KindSpec, kinds } from '../../src/api/index.ts';
import { ensureSchemas } from './schemas.ts';
import { cidrValue, dnsSubdomain, qualifiedName } from './sentences.ts';
import { type Content, spec, wrong, wrongChange } from './validated.ts';

ensureSchemas();

const notStandard = 'name is neither a standard finalizer name nor is it fully qualified';

const node = (content: Content, status: Content = {}): Content => ({ ...spec(content), status });
const event = (content: Content): Content => ({
  involvedObject: { namespace: 'default' },
  eventTime: '2026-01-01T00:00:00.000000Z',
  reportingComponent: 'a.b/c',
  reportingInstance: 'i',
  action: 'A',
  reason: 'R',
  ...content,
});
const limits = (content: Content): Content => spec({ limits: [{ type: 'Container', ...content }] });
const quota = (content: Content): Content => spec({ hard: { pods: '1' }, ...content });
const selected = (expression: Content, hard: Content = { pods: '1' }): Content =>
  spec({ hard, scopeSelector: { matchExpressions: [expression] } });
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const docker = (text: string): Content => ({
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': base64(text) },
});

const cases: readonly (readonly [kind: KindSpec, given: Content, ...want: string[]])[] = [
  [kinds.node, node({ taints: [{ key: 'k', effect: 'NoSchedule' }], podCIDR: '10.0.0.0/24' })],
  [
    kinds.node,
    node({ taints: [{}] }),
    'metadata.taints[0].key: Invalid value: "": name part must be non-empty',
    `metadata.taints[0].key: Invalid value: "": ${qualifiedName}`,
    'metadata.taints[0].effect: Required value',
  ],
  [
    kinds.node,
    node({
      taints: [
        { key: 'k', effect: 'NoExecute' },
        { key: 'k', effect: 'NoExecute' },
      ],
    }),
    'metadata.taints[1]: Duplicate value: {"key":"k","effect":"NoExecute"}: taints must be unique by key and effect pair',
  ],
  [kinds.node, node({ podCIDR: 'x', podCIDRs: ['10.0.0.0/24'] }), `spec.podCIDRs[0]: Invalid value: "x": ${cidrValue}`],
  [
    kinds.node,
    node({ podCIDRs: ['10.0.0.0/24', '10.0.0.0/24'] }),
    'spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.0.0.0/24"]: may specify no more than one CIDR for each IP family',
    'spec.podCIDRs[1]: Duplicate value: "10.0.0.0/24"',
  ],
  [
    kinds.node,
    node({}, { capacity: { cpu: '-1', pods: '1500m', 'a.b/c': '1' }, allocatable: { 'a.b/c': '100m' } }),
    'status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0',
    'status.capacity.pods: Invalid value: "1500m": must be an integer',
    'status.allocatable.a.b/c: Invalid value: "100m": must be an integer',
  ],

  [kinds.namespace, spec({ finalizers: ['kubernetes', 'a.b/c'] })],
  [
    kinds.namespace,
    spec({ finalizers: ['-', 'x'] }),
    `spec.finalizers: Invalid value: "-": ${qualifiedName}`,
    `spec.finalizers: Invalid value: "-": ${notStandard}`,
    `spec.finalizers: Invalid value: "x": ${notStandard}`,
  ],

  [kinds.secret, docker('{}')],
  [
    kinds.secret,
    { type: 'kubernetes.io/ssh-auth', data: { 'ssh-privatekey': '' } },
    'data[ssh-privatekey]: Required value',
  ],
  ...(
    [
      ['', 'unexpected end of JSON input'],
      ['x', "invalid character 'x' looking for beginning of value"],
      ['[1]', 'json: cannot unmarshal array into Go value of type map[string]interface {}'],
      ['1', 'json: cannot unmarshal number into Go value of type map[string]interface {}'],
    ] as const
  ).map(
    ([text, why]) =>
      [
        kinds.secret,
        docker(text),
        `data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": ${why}`,
      ] as const,
  ),

  [kinds.event, event({})],
  [kinds.event, event({ involvedObject: { namespace: 'elsewhere' } })],
  [kinds.event, { involvedObject: { namespace: 'default' } }],
  [
    kinds.event,
    { involvedObject: { namespace: 'x' } },
    'involvedObject.namespace: Invalid value: "x": does not match event.namespace',
  ],
  [
    kinds.event,
    { metadata: { namespace: 'x' }, ...event({ involvedObject: {} }) },
    'involvedObject.namespace: Invalid value: "": does not match event.namespace',
  ],
  [
    kinds.event,
    event({
      reportingComponent: '-',
      reportingInstance: '',
      action: 'a'.repeat(129),
      reason: undefined,
      message: 'é'.repeat(600),
    }),
    `reportingController: Invalid value: "-": ${qualifiedName}`,
    'reportingInstance: Required value',
    'action: Invalid value: "": can have at most 128 characters',
    'reason: Required value',
    'message: Invalid value: "": can have at most 1024 characters',
  ],
  [kinds.event, { metadata: { name: 'Any Name!' }, involvedObject: { namespace: 'default' } }],
  [
    kinds.eventV1,
    { metadata: { name: 'N' }, series: { count: 1 }, type: 'x', count: 1, source: { component: 'c' } },
    `metadata.name: Invalid value: "N": ${dnsSubdomain}`,
    'series.count: Invalid value: "": should be at least 2',
    'series.lastObservedTime: Required value',
    'eventTime: Required value',
    'type: Invalid value: "": has invalid value: x',
    'count: Invalid value: "": needs to be unset',
    'source: Invalid value: "": needs to be unset',
  ],

  [kinds.resourceQuota, quota({ hard: { 'requests.storage': '1Gi', 'hugepages-2Mi': '2Mi', 'a.b/c': '1' } })],
  [
    kinds.resourceQuota,
    quota({ hard: { storage: '1', 'a.b/c': '1500m', fun: '-1' } }),
    'spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota',
    'spec.hard[a.b/c]: Invalid value: "1500m": must be an integer',
    'spec.hard[fun]: Invalid value: "fun": must be a standard resource type or fully qualified',
    'spec.hard[fun]: Invalid value: "fun": must be a standard resource for quota',
    'spec.hard[fun]: Invalid value: "-1": must be greater than or equal to 0',
  ],
  [
    kinds.resourceQuota,
    selected({ scopeName: 'Terminating', operator: 'In' }, { configmaps: '1' }),
    'spec.scopeSelector.matchExpressions.operator: Invalid value: "In": must be \'Exists\' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity',
    "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
    'spec.scopeSelector.matchExpressions: Invalid value: {"matchExpressions":[{"scopeName":"Terminating","operator":"In"}]}: unsupported scope applied to resource',
  ],
  [
    kinds.resourceQuota,
    selected({}),
    'spec.scopeSelector.matchExpressions.scopeName: Invalid value: "": unsupported scope',
    'spec.scopeSelector.matchExpressions.operator: Invalid value: "": not a valid selector operator',
  ],
  [
    kinds.resourceQuota,
    quota({ scopes: ['BestEffort', 'NotBestEffort'] }),
    'spec.scopes: Invalid value: ["BestEffort","NotBestEffort"]: conflicting scopes',
  ],

  [
    kinds.limitRange,
    limits({ max: { storage: '1', fun: '1', 'requests.a.b/c': '1' } }),
    ...['max', 'default', 'defaultRequest'].flatMap((part) => [
      `spec.limits[0].${part}[storage]: Invalid value: "storage": must be a standard resource for containers`,
      `spec.limits[0].${part}[fun]: Invalid value: "fun": must be a standard resource type or fully qualified`,
      `spec.limits[0].${part}[fun]: Invalid value: "fun": must be a standard resource for containers`,
      `spec.limits[0].${part}[requests.a.b/c]: Invalid value: "requests.a.b/c": doesn't follow extended resource name standard`,
    ]),
  ],
  [
    kinds.limitRange,
    limits({ min: { cpu: '2' }, max: { cpu: '1' }, default: { cpu: '3' }, maxLimitRequestRatio: { cpu: '500m' } }),
    'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
    'spec.limits[0].defaultRequest[cpu]: Invalid value: "3": default request value 3 is greater than max value 1',
    'spec.limits[0].default[cpu]: Invalid value: "1": default value 3 is greater than max value 1',
    'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1',
  ],
  [
    kinds.limitRange,
    limits({ min: { cpu: '1' }, max: { cpu: '2' }, maxLimitRequestRatio: { cpu: '7' } }),
    'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "7": ratio 7 is greater than max/min = 2.000000',
  ],
  [
    kinds.limitRange,
    limits({ default: { 'a.b/c': '2' }, defaultRequest: { 'a.b/c': '1' } }),
    'spec.limits[0].defaultRequest[a.b/c]: Invalid value: "1": default value 2 must equal to defaultRequest value 1 in a.b/c',
  ],
  [
    kinds.limitRange,
    limits({ type: 'Pod', default: { cpu: '1' } }),
    "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
  ],
];

for (const [kind, given, ...want] of cases) {
  t.test(`${kind.kind}: ${want[0] ?? 'fine'}`, async (t) => {
    t.strictSame(wrong(kind, given), want);
  });
}

const deleted = { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } };

const changes: readonly (readonly [
  kind: KindSpec,
  before: Content,
  after: Content,
  subresource: string,
  ...want: string[],
])[] = [
  [kinds.node, node({ podCIDR: '10.0.0.0/24' }), node({ podCIDRs: ['10.0.0.0/24'], unschedulable: true }), ''],
  [
    kinds.node,
    node({ podCIDR: '10.0.0.0/24', providerID: 'a' }),
    node(
      {},
      {
        addresses: [
          { type: 'A', address: 'b' },
          { type: 'A', address: 'b' },
        ],
      },
    ),
    '',
    'status.addresses[1]: Duplicate value: {"type":"A","address":"b"}',
    'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
    'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
  ],
  [
    kinds.namespace,
    {},
    spec({ finalizers: ['x'] }),
    'finalize',
    `spec.finalizers[0]: Invalid value: "x": ${notStandard}`,
  ],
  [kinds.namespace, {}, { status: { phase: 'Active' } }, 'status'],
  [
    kinds.namespace,
    {},
    { status: { phase: 'Terminating' } },
    'status',
    'status.Phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty',
  ],
  [
    kinds.namespace,
    deleted,
    { ...deleted, status: { phase: 'Active' } },
    'status',
    'status.Phase: Invalid value: "Active": may only be \'Terminating\' if `deletionTimestamp` is not empty',
  ],
  [kinds.eventV1, event({ source: {} }), event({ series: { count: 2, lastObservedTime: 'now' } }), ''],
  [
    kinds.eventV1,
    event({}),
    event({ action: 'B', reportingComponent: 'x', series: { count: 1, lastObservedTime: 'now' } }),
    '',
    'series.count: Invalid value: "": should be at least 2',
    'action: Invalid value: "B": field is immutable',
    'reportingController: Invalid value: "x": field is immutable',
  ],
  [kinds.resourceQuota, quota({ scopes: ['Terminating'] }), quota({ scopes: ['Terminating', 'Terminating'] }), ''],
];

for (const [kind, before, after, subresource, ...want] of changes) {
  t.test(`${kind.kind} changed: ${want[0] ?? 'fine'}`, async (t) => {
    t.strictSame(wrongChange(kind, before, after, subresource), want);
  });
}
