// The core group's kinds that the cluster itself lives on. Short names, categories and subresources are upstream's.

import { serviceAccountColumns } from '../columns/config.ts';
import { endpointsColumns, serviceColumns } from '../columns/network.ts';
import { namespaceColumns, nodeColumns } from '../columns/node.ts';
import { podColumns } from '../columns/pod.ts';
import { configMapColumns, eventColumns, secretColumns } from '../columns/records.ts';
import { defaultNamespace, defaultNode, defaultSecret } from '../defaults/core.ts';
import { defaultPod } from '../defaults/pod.ts';
import { defaultEndpoints, defaultService } from '../defaults/service.ts';
import { eventFields, namespaceFields, nodeFields, podFields, secretFields, serviceFields } from '../fields/core.ts';
import type * as t from '../types.ts';
import {
  validateConfigMap,
  validateConfigMapUpdate,
  validateSecret,
  validateSecretUpdate,
} from '../validation/config.ts';
import { validateEndpoints } from '../validation/endpoints.ts';
import { validateEvent } from '../validation/events.ts';
import { validateNamespace, validateNamespaceFinalizers, validateNamespaceStatus } from '../validation/namespace.ts';
import { validateNode, validateNodeUpdate } from '../validation/node.ts';
import { validatePod } from '../validation/pod.ts';
import { validatePodResize } from '../validation/pod-resize.ts';
import { validatePodStatusUpdate } from '../validation/pod-status.ts';
import { validateEphemeralContainersUpdate, validatePodUpdate } from '../validation/pod-update.ts';
import { validateService, validateServiceStatus, validateServiceUpdate } from '../validation/service.ts';
import { define, part, proxyVerbs, status, stream } from './define.ts';

const core = { group: '', version: 'v1' } as const;

export const coreKinds = {
  namespace: define<t.Namespace>({
    ...core,
    kind: 'Namespace',
    plural: 'namespaces',
    singular: 'namespace',
    namespaced: false,
    shortNames: ['ns'],
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    subresources: [
      { ...status, validateUpdate: validateNamespaceStatus },
      { ...part('finalize', ['update']), validateUpdate: validateNamespaceFinalizers },
    ],
    nameRule: 'dns-label',
    fieldSelectors: namespaceFields,
    columns: namespaceColumns,
    defaults: defaultNamespace,
    validateNew: validateNamespace,
  }),
  node: define<t.Node>({
    ...core,
    kind: 'Node',
    plural: 'nodes',
    singular: 'node',
    namespaced: false,
    shortNames: ['no'],
    subresources: [status, stream('proxy', 'NodeProxyOptions', proxyVerbs)],
    fieldSelectors: nodeFields,
    columns: nodeColumns,
    defaults: defaultNode,
    validate: validateNode,
    validateUpdate: validateNodeUpdate,
  }),
  pod: define<t.Pod>({
    ...core,
    kind: 'Pod',
    plural: 'pods',
    singular: 'pod',
    namespaced: true,
    shortNames: ['po'],
    categories: ['all'],
    subresources: [
      { ...status, validateUpdate: validatePodStatusUpdate },
      { name: 'binding', verbs: ['create'], kind: { ...core, kind: 'Binding' } },
      { name: 'eviction', verbs: ['create'], kind: { group: 'policy', version: 'v1', kind: 'Eviction' } },
      { ...part('ephemeralcontainers'), validateUpdate: validateEphemeralContainersUpdate },
      { ...part('resize'), validateUpdate: validatePodResize },
      { name: 'log', verbs: ['get'], connect: true },
      stream('exec', 'PodExecOptions'),
      stream('attach', 'PodAttachOptions'),
      stream('portforward', 'PodPortForwardOptions'),
      stream('proxy', 'PodProxyOptions', proxyVerbs),
    ],
    generation: ['spec'],
    fieldSelectors: podFields,
    columns: podColumns,
    defaults: defaultPod,
    validate: validatePod,
    validateUpdate: validatePodUpdate,
  }),
  service: define<t.Service>({
    ...core,
    kind: 'Service',
    plural: 'services',
    singular: 'service',
    namespaced: true,
    shortNames: ['svc'],
    categories: ['all'],
    subresources: [
      { ...status, validateUpdate: validateServiceStatus },
      stream('proxy', 'ServiceProxyOptions', proxyVerbs),
    ],
    nameRule: 'dns-1035-label',
    fieldSelectors: serviceFields,
    columns: serviceColumns,
    defaults: defaultService,
    validate: validateService,
    validateUpdate: validateServiceUpdate,
  }),
  endpoints: define<t.Endpoints>({
    ...core,
    kind: 'Endpoints',
    plural: 'endpoints',
    deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
    singular: 'endpoints',
    namespaced: true,
    shortNames: ['ep'],
    columns: endpointsColumns,
    defaults: defaultEndpoints,
    validate: validateEndpoints,
  }),
  configMap: define<t.ConfigMap>({
    ...core,
    kind: 'ConfigMap',
    plural: 'configmaps',
    singular: 'configmap',
    namespaced: true,
    shortNames: ['cm'],
    columns: configMapColumns,
    validate: validateConfigMap,
    validateUpdate: validateConfigMapUpdate,
  }),
  secret: define<t.Secret>({
    ...core,
    kind: 'Secret',
    plural: 'secrets',
    singular: 'secret',
    namespaced: true,
    fieldSelectors: secretFields,
    columns: secretColumns,
    defaults: defaultSecret,
    validate: validateSecret,
    validateUpdate: validateSecretUpdate,
  }),
  serviceAccount: define<t.ServiceAccount>({
    ...core,
    kind: 'ServiceAccount',
    plural: 'serviceaccounts',
    singular: 'serviceaccount',
    namespaced: true,
    shortNames: ['sa'],
    subresources: [
      {
        name: 'token',
        verbs: ['create'],
        kind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
      },
    ],
    columns: serviceAccountColumns,
  }),
  event: define<t.CoreEvent>({
    ...core,
    kind: 'Event',
    plural: 'events',
    singular: 'event',
    namespaced: true,
    shortNames: ['ev'],
    nameRule: 'path-segment',
    fieldSelectors: eventFields,
    columns: eventColumns,
    validate: validateEvent,
  }),
} as const;
