// Valid objects of the kinds of the core group that hold no storage, with as many fields as go together.

import type { Sample } from './sample.ts';

export const coreSamples: readonly Sample[] = [
  {
    path: '/api/v1/namespaces/default/services',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's1', labels: { a: 'b' } },
      spec: {
        type: 'NodePort',
        selector: { app: 'a' },
        ports: [
          { name: 'http', port: 80, targetPort: 8080, protocol: 'TCP', nodePort: 30123, appProtocol: 'http' },
          { name: 'dns', port: 53, targetPort: 'dns', protocol: 'UDP' },
        ],
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 100 } },
        externalTrafficPolicy: 'Local',
        externalIPs: ['1.2.3.4'],
        publishNotReadyAddresses: true,
      },
    },
  },
  {
    path: '/api/v1/namespaces/default/services',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's2' },
      spec: {
        type: 'LoadBalancer',
        ports: [{ port: 80 }],
        loadBalancerSourceRanges: ['10.0.0.0/8'],
        loadBalancerIP: '1.2.3.4',
        healthCheckNodePort: 30999,
        externalTrafficPolicy: 'Local',
        allocateLoadBalancerNodePorts: true,
      },
    },
  },
  {
    path: '/api/v1/namespaces/default/services',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's3' },
      spec: { type: 'ExternalName', externalName: 'foo.example.com' },
    },
  },
  {
    path: '/api/v1/namespaces/default/services',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's4' },
      spec: { clusterIP: 'None', ports: [{ port: 80 }], ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] },
    },
  },
  {
    path: '/api/v1/namespaces/default/services',
    object: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's5' },
      spec: { clusterIP: '10.96.7.7', ports: [{ port: 80 }] },
    },
  },
  {
    path: '/api/v1/namespaces/default/configmaps',
    object: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'c1', labels: { a: 'b' }, generateName: 'x-' },
      immutable: false,
      data: { k: 'v' },
      binaryData: { b: 'aGk=' },
    },
  },
  {
    path: '/api/v1/namespaces/default/secrets',
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'sec' },
      type: 'Opaque',
      immutable: true,
      data: { k: 'aGk=' },
      stringData: { s: 't' },
    },
  },
  {
    path: '/api/v1/namespaces/default/secrets',
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'sec2' },
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': 'e30=' },
    },
  },
  {
    path: '/api/v1/namespaces/default/secrets',
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'sec3' },
      type: 'kubernetes.io/tls',
      data: { 'tls.crt': 'e30=', 'tls.key': 'e30=' },
    },
  },
  {
    path: '/api/v1/namespaces/default/secrets',
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'sec4' },
      type: 'kubernetes.io/basic-auth',
      data: { username: 'e30=' },
    },
  },
  {
    path: '/api/v1/namespaces/default/secrets',
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'sec5' },
      type: 'kubernetes.io/ssh-auth',
      data: { 'ssh-privatekey': 'e30=' },
    },
  },
  {
    path: '/api/v1/namespaces/default/secrets',
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'sec6', annotations: { 'kubernetes.io/service-account.name': 'default' } },
      type: 'kubernetes.io/service-account-token',
    },
  },
  {
    path: '/api/v1/namespaces/default/serviceaccounts',
    object: {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'sa' },
      secrets: [{ name: 'a' }],
      imagePullSecrets: [{ name: 'b' }],
      automountServiceAccountToken: true,
    },
  },
  {
    path: '/api/v1/namespaces',
    object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ns1' }, spec: { finalizers: ['kubernetes'] } },
  },
  {
    path: '/api/v1/nodes',
    object: {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n1', labels: { a: 'b' } },
      spec: {
        podCIDR: '10.0.0.0/24',
        podCIDRs: ['10.0.0.0/24'],
        providerID: 'x://y',
        unschedulable: true,
        taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }],
      },
      status: { capacity: { cpu: '1' } },
    },
  },
  {
    path: '/api/v1/namespaces/default/endpoints',
    object: {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'ep' },
      subsets: [
        {
          addresses: [{ ip: '1.2.3.4', hostname: 'h', nodeName: 'n', targetRef: { kind: 'Pod', name: 'p' } }],
          notReadyAddresses: [{ ip: '1.2.3.5' }],
          ports: [{ name: 'http', port: 80, protocol: 'TCP', appProtocol: 'http' }],
        },
      ],
    },
  },
  {
    path: '/api/v1/namespaces/default/events',
    object: {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'ev' },
      involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' },
      reason: 'R',
      message: 'M',
      type: 'Normal',
      count: 1,
      firstTimestamp: '2020-01-01T00:00:00Z',
      lastTimestamp: '2020-01-01T00:00:00Z',
      source: { component: 'c', host: 'h' },
      eventTime: null,
      reportingComponent: '',
      reportingInstance: '',
    },
  },
  {
    path: '/apis/events.k8s.io/v1/namespaces/default/events',
    object: {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'ev2' },
      regarding: { kind: 'Pod', namespace: 'default', name: 'p' },
      reason: 'R',
      note: 'M',
      type: 'Normal',
      eventTime: '2020-01-01T00:00:00.000000Z',
      action: 'A',
      reportingController: 'example.com/c',
      reportingInstance: 'i',
    },
  },
  {
    path: '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices',
    peer: {
      path: '/apis/discovery.k8s.io/v1beta1/namespaces/default/endpointslices',
      apiVersion: 'discovery.k8s.io/v1beta1',
    },
    object: {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'es' },
      addressType: 'IPv4',
      endpoints: [
        {
          addresses: ['1.2.3.4'],
          conditions: { ready: true },
          hostname: 'h',
          nodeName: 'n',
          targetRef: { kind: 'Pod', name: 'p' },
        },
      ],
      ports: [{ name: 'http', port: 80, protocol: 'TCP', appProtocol: 'http' }],
    },
  },
];
