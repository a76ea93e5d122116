// Validation of Services, their endpoints, Ingresses and NetworkPolicies: one mistake, upstream's sentences.

import t from 'tap';
import { type KindSpec, kinds } from '../../src/api/index.ts';
import { ensureSchemas } from './schemas.ts';
import { cidrValue, dnsLabel, dnsSubdomain, ipAddress, labelValue, qualifiedName } from './sentences.ts';
import { type Content, spec, wrong, wrongChange } from './validated.ts';

ensureSchemas();

const noLoopback = 'may not be in the loopback range (127.0.0.0/8, ::1/128)';
const onlyBalancer = "Forbidden: may only be used when `type` is 'LoadBalancer'";

const ports = [{ port: 80 }];
const service = (content: Content): Content => spec({ ports, ...content });
const port = (content: Content): Content => service({ ports: [{ port: 80, ...content }] });
const balancer = (content: Content): Content => service({ type: 'LoadBalancer', ...content });
const subset = (content: Content): Content => ({
  subsets: [{ addresses: [{ ip: '1.2.3.4' }], ports: [{ port: 1 }], ...content }],
});
const slice = (endpoint: Content, content: Content = {}): Content => ({
  addressType: 'IPv4',
  endpoints: [{ addresses: ['1.2.3.4'], ...endpoint }],
  ...content,
});
const named = (count: number): readonly Content[] => Array.from({ length: count }, (_, at) => ({ name: `z${at}` }));
const backend = { service: { name: 's', port: { number: 80 } } };
const rule = (content: Content): Content => spec({ rules: [{ host: 'a.b', ...content }] });
const path = (content: Content): Content => rule({ http: { paths: [{ path: '/', pathType: 'Exact', ...content }] } });
const resource = (content: Content): Content => path({ backend: { resource: { kind: 'K', name: 'n', ...content } } });
const ingressClass = (content: Content): Content =>
  spec({ controller: 'a.b/c', parameters: { kind: 'K', name: 'n', ...content } });
const peer = (content: Content): Content => spec({ podSelector: {}, ingress: [{ from: [content] }] });
const policyPort = (content: Content): Content => spec({ podSelector: {}, ingress: [{ ports: [content] }] });

const cases: readonly (readonly [kind: KindSpec, given: Content, ...want: string[]])[] = [
  [kinds.service, service({ externalIPs: ['1.2.3.4'], loadBalancerClass: undefined })],
  [kinds.service, {}, 'spec.ports: Required value'],
  [
    kinds.service,
    {
      metadata: {
        annotations: {
          'service.kubernetes.io/topology-mode': 'auto',
          'service.kubernetes.io/topology-aware-hints': 'disabled',
        },
      },
      ...service({}),
    },
    'metadata.annotations[service.kubernetes.io/topology-mode]: Invalid value: "auto": must match annotations[service.kubernetes.io/topology-aware-hints] when both are specified',
  ],
  [kinds.service, port({ appProtocol: '-x' }), `spec.ports[0].appProtocol: Invalid value: "-x": ${qualifiedName}`],
  [
    kinds.service,
    service({ clusterIP: 'None', clusterIPs: ['None'], type: 'NodePort' }),
    'spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services',
  ],
  [
    kinds.service,
    spec({ type: 'ExternalName', externalName: 'a.b.', clusterIPs: ['1.1.1.1'], ipFamilies: ['IPv4'] }),
    'spec.clusterIPs: Forbidden: may not be set for ExternalName services',
    'spec.ipFamilies: Forbidden: may not be set for ExternalName services',
  ],
  [
    kinds.service,
    service({ ipFamilyPolicy: 'SingleStack', type: 'ExternalName', externalName: 'a' }),
    'spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services',
  ],
  [
    kinds.service,
    service({ clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.2'] }),
    'spec.clusterIPs: Invalid value: ["10.0.0.2"]: first value must match `clusterIP`',
  ],
  [
    kinds.service,
    service({ clusterIPs: ['10.0.0.2'] }),
    'spec.clusterIPs: Invalid value: ["10.0.0.2"]: must be empty when `clusterIP` is not specified',
  ],
  [
    kinds.service,
    service({ clusterIP: 'None', clusterIPs: ['None', '::1'] }),
    'spec.clusterIPs: Invalid value: ["None","::1"]: \'None\' must be the first and only value',
  ],
  [
    kinds.service,
    service({ clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', '10.0.0.2', 'x'] }),
    `spec.clusterIPs[2]: Invalid value: "x": ${ipAddress}`,
    'spec.clusterIPs: Invalid value: ["10.0.0.1","10.0.0.2","x"]: may only hold up to 2 values',
  ],
  [
    kinds.service,
    service({ clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', '10.0.0.2'] }),
    'spec.clusterIPs: Invalid value: ["10.0.0.1","10.0.0.2"]: may specify no more than one IP for each IP family',
  ],
  [
    kinds.service,
    service({ clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ipFamilies: ['IPv6'] }),
    'spec.clusterIPs[0]: Invalid value: "10.0.0.1": expected an IPv6 value as indicated by `ipFamilies[0]`',
  ],
  [
    kinds.service,
    service({ ipFamilies: ['IPv4', 'IPv4', 'IPv5'] }),
    'spec.ipFamilies[1]: Duplicate value: "IPv4"',
    'spec.ipFamilies[2]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"',
  ],
  [
    kinds.service,
    service({ externalIPs: ['x', '127.0.0.1', '::ffff:169.254.1.1', 'fe80::1', '0.0.0.0', 'ff02::5'] }),
    `spec.externalIPs[0]: Invalid value: "x": ${ipAddress}`,
    `spec.externalIPs[1]: Invalid value: "127.0.0.1": ${noLoopback}`,
    'spec.externalIPs[2]: Invalid value: "::ffff:169.254.1.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
    'spec.externalIPs[3]: Invalid value: "fe80::1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
    'spec.externalIPs[4]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
    'spec.externalIPs[5]: Invalid value: "ff02::5": may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
  ],
  [
    kinds.service,
    service({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_401 } } }),
    'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400',
  ],
  [kinds.service, balancer({ loadBalancerSourceRanges: [' 10.0.0.0/8 '] })],
  [
    kinds.service,
    service({ loadBalancerSourceRanges: ['x'] }),
    `spec.LoadBalancerSourceRanges: ${onlyBalancer}`,
    `spec.LoadBalancerSourceRanges[0]: Invalid value: "x": ${cidrValue}`,
  ],
  [
    kinds.service,
    {
      metadata: { annotations: { 'service.beta.kubernetes.io/load-balancer-source-ranges': '10.0.0.0/8, x' } },
      ...balancer({}),
    },
    `metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]: Invalid value: "x": ${cidrValue}`,
  ],
  [
    kinds.service,
    service({ allocateLoadBalancerNodePorts: true, loadBalancerClass: 'a' }),
    `spec.allocateLoadBalancerNodePorts: ${onlyBalancer}`,
    `spec.loadBalancerClass: ${onlyBalancer}`,
  ],
  [kinds.service, balancer({ loadBalancerClass: '-' }), `spec.loadBalancerClass: Invalid value: "-": ${qualifiedName}`],
  [
    kinds.service,
    service({ externalTrafficPolicy: 'Local', healthCheckNodePort: 30_000 }),
    'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
    "spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
  ],
  [
    kinds.service,
    service({ trafficDistribution: 'x', internalTrafficPolicy: '' }),
    'spec.trafficDistribution: Unsupported value: "x": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"',
  ],

  [kinds.endpoints, subset({ addresses: [{ ip: '::2', hostname: 'h', nodeName: 'n.x' }] })],
  [
    kinds.endpoints,
    subset({ addresses: [{ ip: '127.0.0.1', hostname: 'H', nodeName: '' }] }),
    `subsets[0].addresses[0].hostname: Invalid value: "H": ${dnsLabel}`,
    `subsets[0].addresses[0].nodeName: Invalid value: "": ${dnsSubdomain}`,
    `subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": ${noLoopback}`,
  ],
  [
    kinds.endpoints,
    subset({ notReadyAddresses: [{}] }),
    `subsets[0].notReadyAddresses[0].ip: Invalid value: "": ${ipAddress}`,
    'subsets[0].notReadyAddresses[0].ip: Invalid value: "": must be a valid IP address',
  ],
  [
    kinds.endpoints,
    subset({ ports: [{ name: 'A' }, { port: 1, appProtocol: '-' }] }),
    `subsets[0].ports[0].name: Invalid value: "A": ${dnsLabel}`,
    'subsets[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive',
    'subsets[0].ports[1].name: Required value',
    `subsets[0].ports[1].appProtocol: Invalid value: "-": ${qualifiedName}`,
  ],

  [kinds.endpointSlice, slice({ hints: { forZones: [{ name: 'a' }], forNodes: [{ name: 'n' }] } })],
  [kinds.endpointSlice, slice({ addresses: ['a.b.'] }, { addressType: 'FQDN' })],
  [
    kinds.endpointSlice,
    slice({ addresses: ['', 'a', 'A.b'] }, { addressType: 'FQDN' }),
    'endpoints[0].addresses[0]: Required value',
    'endpoints[0].addresses[1]: Invalid value: "a": should be a domain with at least two segments separated by dots',
    `endpoints[0].addresses[2]: Invalid value: "A.b": ${dnsSubdomain}`,
  ],
  [
    kinds.endpointSlice,
    slice({ addresses: ['::1'] }, { addressType: 'IPv6' }),
    `endpoints[0].addresses[0]: Invalid value: "::1": ${noLoopback}`,
  ],
  [
    kinds.endpointSlice,
    slice({ nodeName: 'N', hostname: '', deprecatedTopology: { a: '-' } }),
    `endpoints[0].nodeName: Invalid value: "N": ${dnsSubdomain}`,
    `endpoints[0].deprecatedTopology: Invalid value: "-": ${labelValue}`,
    `endpoints[0].hostname: Invalid value: "": ${dnsLabel}`,
  ],
  [
    kinds.endpointSlice,
    slice({ hints: { forZones: [{ name: 'a' }, { name: 'a' }], forNodes: named(9) } }),
    'endpoints[0].hints.forZones[1].name: Duplicate value: "a"',
    'endpoints[0].hints.forNodes: Too many: 9: must have at most 8 items',
  ],
  [
    kinds.endpointSlice,
    slice({}, { ports: [{ name: 'A', protocol: '' }, { name: 'b' }, { name: 'b', appProtocol: '' }] }),
    `ports[0].name: Invalid value: "A": ${dnsLabel}`,
    'ports[0].protocol: Unsupported value: "": supported values: "SCTP", "TCP", "UDP"',
    'ports[2].name: Duplicate value: "b"',
    'ports[2].appProtocol: Invalid value: "": name part must be non-empty',
    `ports[2].appProtocol: Invalid value: "": ${qualifiedName}`,
  ],

  [kinds.ingress, spec({ defaultBackend: backend, tls: [{ hosts: ['*.a.b'], secretName: 's' }] })],
  [
    kinds.ingress,
    spec({ defaultBackend: {}, tls: [{ hosts: ['', '*'], secretName: 'S' }], ingressClassName: '-' }),
    'spec.defaultBackend: Invalid value: "": resource or service backend is required',
    `spec.tls[0].hosts[0]: Invalid value: "": ${dnsSubdomain}`,
    "spec.tls[0].hosts[1]: Invalid value: \"*\": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    `spec.tls[0].secretName: Invalid value: "S": ${dnsSubdomain}`,
    `spec.ingressClassName: Invalid value: "-": ${dnsSubdomain}`,
  ],
  [
    kinds.ingress,
    rule({ host: '1.2.3.4' }),
    'spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
  ],
  [
    kinds.ingress,
    resource({ apiGroup: '', kind: 'a/b', name: '' }),
    `spec.rules[0].http.paths[0].backend.resource.apiGroup: Invalid value: "": ${dnsSubdomain}`,
    'spec.rules[0].http.paths[0].backend.resource.kind: Invalid value: "a/b": may not contain \'/\'',
    'spec.rules[0].http.paths[0].backend.resource.name: Required value',
  ],
  [
    kinds.ingress,
    {
      metadata: { annotations: { 'kubernetes.io/ingress.class': 'a' } },
      ...spec({ defaultBackend: backend, ingressClassName: 'b' }),
    },
    'annotations.kubernetes.io/ingress.class: Invalid value: "a": must match `ingressClassName` when both are specified',
  ],

  [kinds.ingressClass, ingressClass({})],
  [
    kinds.ingressClass,
    ingressClass({ apiGroup: '-', scope: 'Namespace' }),
    `spec.parameters.apiGroup: Invalid value: "-": ${dnsSubdomain}`,
    "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
  ],
  [
    kinds.ingressClass,
    ingressClass({ scope: 'Namespace', namespace: '' }),
    `spec.parameters.namespace: Invalid value: "": ${dnsLabel}`,
  ],
  [
    kinds.ingressClass,
    spec({ controller: 'A/b c' }),
    `spec.controller: Invalid value: "A": ${dnsSubdomain}`,
    "spec.controller: Invalid value: \"b c\": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')",
  ],

  [kinds.networkPolicy, peer({ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } })],
  [
    kinds.networkPolicy,
    peer({ ipBlock: { cidr: '10.0.0.0/8', except: ['11.0.0.0/16', '10.0.0.0/8', 'x', 'fd00::/64'] } }),
    'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of `cidr`',
    'spec.ingress[0].from[0].ipBlock.except[1]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`',
    `spec.ingress[0].from[0].ipBlock.except[2]: Invalid value: "x": ${cidrValue}`,
    'spec.ingress[0].from[0].ipBlock.except[3]: Invalid value: "fd00::/64": must be a strict subset of `cidr`',
  ],
  [
    kinds.networkPolicy,
    peer({ ipBlock: {}, podSelector: {} }),
    'spec.ingress[0].from[0].ipBlock.cidr: Required value',
    'spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer',
  ],
  [
    kinds.networkPolicy,
    policyPort({ protocol: '', port: 'http', endPort: 1 }),
    'spec.ingress[0].ports[0].protocol: Unsupported value: "": supported values: "TCP", "UDP", "SCTP"',
    'spec.ingress[0].ports[0].endPort: Invalid value: 1: may not be specified when `port` is non-numeric',
  ],
  [
    kinds.networkPolicy,
    spec({ podSelector: {}, policyTypes: [''] }),
    'spec.policyTypes[0]: Unsupported value: "": supported values: "Ingress", "Egress"',
  ],
];

for (const [kind, given, ...want] of cases) {
  t.test(`${kind.kind}: ${want[0] ?? 'fine'}`, async (t) => {
    t.strictSame(wrong(kind, given), want);
  });
}

const own = { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ipFamilies: ['IPv4'] };
const dual = {
  ...own,
  clusterIPs: ['10.0.0.1', 'fd00::1'],
  ipFamilies: ['IPv4', 'IPv6'],
  ipFamilyPolicy: 'PreferDualStack',
};
const health = { externalTrafficPolicy: 'Local', healthCheckNodePort: 30_000 };
const status = (point: Content, type = 'LoadBalancer'): Content => ({
  ...service({ type, clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] }),
  status: { loadBalancer: { ingress: [point] } },
});

const changes: readonly (readonly [
  kind: KindSpec,
  before: Content,
  after: Content,
  subresource: string,
  ...want: string[],
])[] = [
  [kinds.service, service(own), spec({ type: 'ExternalName', externalName: 'a' }), ''],
  [kinds.service, service(dual), service({ ...own, ipFamilyPolicy: 'SingleStack' }), ''],
  [
    kinds.service,
    service(dual),
    service(own),
    '',
    "spec.ipFamilyPolicy: Invalid value: null: must be set to 'SingleStack' when releasing the secondary clusterIP",
    "spec.ipFamilyPolicy: Invalid value: null: must be set to 'SingleStack' when releasing the secondary ipFamily",
  ],
  [
    kinds.service,
    service({ ...own, clusterIP: 'None', clusterIPs: ['None'] }),
    service(own),
    '',
    'spec.clusterIPs[0]: Invalid value: ["10.0.0.1"]: may not change once set',
  ],
  [
    kinds.service,
    service(own),
    service({}),
    '',
    'spec.clusterIPs[0]: Invalid value: []: primary clusterIP can not be unset',
    'spec.ipFamilies[0]: Invalid value: []: primary ipFamily can not be unset',
  ],
  [
    kinds.service,
    balancer({ ...health, loadBalancerClass: 'a' }),
    balancer({ ...health, healthCheckNodePort: 30_001 }),
    '',
    'spec.loadBalancerClass: Invalid value: null: may not change once set',
    'spec.healthCheckNodePort: Forbidden: field is immutable',
  ],
  [kinds.service, status({}), status({ ip: '1.2.3.4', hostname: 'a.b' }), 'status'],
  [
    kinds.service,
    status({}),
    status({ ip: 'x', ipMode: 'y', hostname: '1.1.1.1' }),
    'status',
    `status.loadBalancer.ingress[0].ip: Invalid value: "x": ${ipAddress}`,
    'status.loadBalancer.ingress[0].ipMode: Unsupported value: "y": supported values: "Proxy", "VIP"',
    'status.loadBalancer.ingress[0].hostname: Invalid value: "1.1.1.1": must be a DNS name, not an IP address',
  ],
  [
    kinds.service,
    status({}),
    status({ ipMode: 'VIP' }),
    'status',
    'status.loadBalancer.ingress[0].ipMode: Forbidden: may not be specified when `ip` is not set',
  ],
  [
    kinds.service,
    status({}),
    status({ ip: '1.2.3.4' }, 'ClusterIP'),
    'status',
    "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'",
  ],
  [
    kinds.ingress,
    spec({ defaultBackend: backend }),
    { ...spec({ defaultBackend: backend }), status: { loadBalancer: { ingress: [{ ip: 'x', hostname: '-' }] } } },
    'status',
    `status.loadBalancer.ingress[0].ip: Invalid value: "x": ${ipAddress}`,
    `status.loadBalancer.ingress[0].hostname: Invalid value: "-": ${dnsSubdomain}`,
  ],
  [
    kinds.endpointSlice,
    slice({}),
    slice({ addresses: ['::2'] }, { addressType: 'IPv6' }),
    '',
    'addressType: Invalid value: "IPv6": field is immutable',
  ],
];

for (const [kind, before, after, subresource, ...want] of changes) {
  t.test(`${kind.kind} changed: ${want[0] ?? 'fine'}`, async (t) => {
    t.strictSame(wrongChange(kind, before, after, subresource), want);
  });
}
