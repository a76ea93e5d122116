// Valid objects of what extends the API, with as many fields as go together.

import type { Sample } from './sample.ts';

export const extensionsSamples: readonly Sample[] = [
  {
    path: '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
    object: {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'vw' },
      webhooks: [
        {
          name: 'a.example.com',
          clientConfig: { service: { namespace: 'default', name: 's', path: '/x', port: 443 }, caBundle: '' },
          rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'], scope: '*' }],
          failurePolicy: 'Fail',
          matchPolicy: 'Exact',
          sideEffects: 'None',
          timeoutSeconds: 5,
          admissionReviewVersions: ['v1'],
          namespaceSelector: { matchLabels: { a: 'b' } },
          objectSelector: { matchLabels: { a: 'b' } },
        },
      ],
    },
  },
  {
    path: '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
    object: {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: 'mw' },
      webhooks: [
        {
          name: 'a.example.com',
          clientConfig: { url: 'https://a.example.com/x' },
          rules: [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['pods/status'] }],
          sideEffects: 'NoneOnDryRun',
          reinvocationPolicy: 'IfNeeded',
          admissionReviewVersions: ['v1', 'v1beta1'],
        },
      ],
    },
  },
  {
    path: '/apis/apiregistration.k8s.io/v1/apiservices',
    object: {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1.g.example.com' },
      spec: {
        group: 'g.example.com',
        version: 'v1',
        groupPriorityMinimum: 1000,
        versionPriority: 10,
        insecureSkipTLSVerify: true,
        service: { namespace: 'default', name: 's', port: 443 },
      },
    },
  },
  {
    path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    object: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'foos.g.example.com' },
      spec: {
        group: 'g.example.com',
        scope: 'Namespaced',
        names: {
          plural: 'foos',
          singular: 'foo',
          kind: 'Foo',
          listKind: 'FooList',
          shortNames: ['f'],
          categories: ['all'],
        },
        preserveUnknownFields: false,
        conversion: { strategy: 'None' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            deprecated: true,
            deprecationWarning: 'w',
            subresources: {
              status: {},
              scale: {
                specReplicasPath: '.spec.replicas',
                statusReplicasPath: '.status.replicas',
                labelSelectorPath: '.status.selector',
              },
            },
            additionalPrinterColumns: [
              {
                name: 'R',
                type: 'integer',
                jsonPath: '.spec.replicas',
                description: 'd',
                priority: 1,
                format: 'int32',
              },
            ],
            schema: {
              openAPIV3Schema: {
                type: 'object',
                description: 'd',
                required: ['spec'],
                properties: {
                  spec: {
                    type: 'object',
                    properties: {
                      replicas: { type: 'integer', format: 'int32', minimum: 0, maximum: 10, default: 1 },
                      s: { type: 'string', pattern: '^a', maxLength: 5, enum: ['a', 'ab'] },
                      list: {
                        type: 'array',
                        maxItems: 3,
                        'x-kubernetes-list-type': 'map',
                        'x-kubernetes-list-map-keys': ['k'],
                        items: { type: 'object', required: ['k'], properties: { k: { type: 'string' } } },
                      },
                      any: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                      ios: { 'x-kubernetes-int-or-string': true },
                      m: { type: 'object', additionalProperties: { type: 'string' } },
                      n: { type: 'string', nullable: true },
                      one: { type: 'string', oneOf: [{ pattern: 'a' }], not: { enum: ['x'] } },
                    },
                  },
                  status: {
                    type: 'object',
                    properties: { replicas: { type: 'integer' }, selector: { type: 'string' } },
                  },
                },
              },
            },
          },
        ],
      },
    },
  },
];
