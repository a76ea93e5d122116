// The other stable kinds: the rest of core, disruption, networking, classes.

import { priorityClassColumns, runtimeClassColumns } from '../columns/admission.ts';
import { createdAt } from '../columns/column.ts';
import {
  ingressClassColumns,
  ingressColumns,
  ipAddressColumns,
  networkPolicyColumns,
  serviceCidrColumns,
} from '../columns/networking.ts';
import {
  componentStatusColumns,
  podDisruptionBudgetColumns,
  podTemplateColumns,
  replicationControllerColumns,
  resourceQuotaColumns,
} from '../columns/quota.ts';
import { defaultPodTemplate } from '../defaults/cluster.ts';
import {
  defaultIngressClass,
  defaultLimitRange,
  defaultNetworkPolicy,
  defaultPriorityClass,
} from '../defaults/other.ts';
import { defaultReplicationController } from '../defaults/workloads.ts';
import { replicationControllerFields } from '../fields/core.ts';
import type * as t from '../types.ts';
import {
  validateIngressClassUpdate,
  validatePriorityClass,
  validatePriorityClassUpdate,
  validateRuntimeClass,
  validateRuntimeClassUpdate,
} from '../validation/classes.ts';
import {
  validateIngress,
  validateIngressClass,
  validateIngressStatus,
  validateNewIngress,
} from '../validation/ingress.ts';
import {
  validateIpAddress,
  validateIpAddressUpdate,
  validateNetworkPolicy,
  validateServiceCidr,
  validateServiceCidrUpdate,
} from '../validation/networking.ts';
import { validatePodDisruptionBudget } from '../validation/policy.ts';
import { validateLimitRange, validateResourceQuota, validateResourceQuotaUpdate } from '../validation/quota.ts';
import { validateBudgetStatus, validateReplicaStatus } from '../validation/workload-status.ts';
import { validatePodTemplate, validateReplicationController } from '../validation/workloads.ts';
import { define, replicasScale, scale, status } from './define.ts';

const core = { group: '', version: 'v1' } as const;
const networking = { group: 'networking.k8s.io', version: 'v1' } as const;

export const otherKinds = {
  replicationController: define<t.ReplicationController>({
    ...core,
    kind: 'ReplicationController',
    plural: 'replicationcontrollers',
    singular: 'replicationcontroller',
    namespaced: true,
    shortNames: ['rc'],
    categories: ['all'],
    subresources: [{ ...status, validateUpdate: validateReplicaStatus }, scale],
    scale: replicasScale,
    generation: ['spec'],
    fieldSelectors: replicationControllerFields,
    columns: replicationControllerColumns,
    defaults: defaultReplicationController,
    validate: validateReplicationController,
  }),
  podTemplate: define<t.PodTemplate>({
    ...core,
    kind: 'PodTemplate',
    plural: 'podtemplates',
    singular: 'podtemplate',
    namespaced: true,
    columns: podTemplateColumns,
    defaults: defaultPodTemplate,
    validate: validatePodTemplate,
  }),
  limitRange: define<t.LimitRange>({
    ...core,
    kind: 'LimitRange',
    plural: 'limitranges',
    singular: 'limitrange',
    namespaced: true,
    shortNames: ['limits'],
    columns: [createdAt],
    defaults: defaultLimitRange,
    validate: validateLimitRange,
  }),
  resourceQuota: define<t.ResourceQuota>({
    ...core,
    kind: 'ResourceQuota',
    plural: 'resourcequotas',
    singular: 'resourcequota',
    namespaced: true,
    shortNames: ['quota'],
    subresources: [status],
    columns: resourceQuotaColumns,
    validate: validateResourceQuota,
    validateUpdate: validateResourceQuotaUpdate,
  }),
  componentStatus: define<t.ComponentStatus>({
    ...core,
    kind: 'ComponentStatus',
    plural: 'componentstatuses',
    deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
    singular: 'componentstatus',
    namespaced: false,
    shortNames: ['cs'],
    verbs: ['get', 'list'],
    columns: componentStatusColumns,
  }),
  podDisruptionBudget: define<t.PodDisruptionBudget>({
    group: 'policy',
    version: 'v1',
    kind: 'PodDisruptionBudget',
    plural: 'poddisruptionbudgets',
    singular: 'poddisruptionbudget',
    nameRule: 'path-segment',
    namespaced: true,
    shortNames: ['pdb'],
    subresources: [{ ...status, validateUpdate: validateBudgetStatus }],
    generation: ['spec'],
    columns: podDisruptionBudgetColumns,
    validate: validatePodDisruptionBudget,
  }),
  ingress: define<t.Ingress>({
    ...networking,
    kind: 'Ingress',
    plural: 'ingresses',
    singular: 'ingress',
    namespaced: true,
    shortNames: ['ing'],
    subresources: [{ ...status, validateUpdate: validateIngressStatus }],
    generation: ['spec'],
    columns: ingressColumns,
    validate: validateIngress,
    validateNew: validateNewIngress,
  }),
  ingressClass: define<t.IngressClass>({
    ...networking,
    kind: 'IngressClass',
    plural: 'ingressclasses',
    singular: 'ingressclass',
    namespaced: false,
    generation: ['spec'],
    columns: ingressClassColumns,
    defaults: defaultIngressClass,
    validateUpdate: validateIngressClassUpdate,
    validate: validateIngressClass,
  }),
  networkPolicy: define<t.NetworkPolicy>({
    ...networking,
    kind: 'NetworkPolicy',
    plural: 'networkpolicies',
    singular: 'networkpolicy',
    namespaced: true,
    shortNames: ['netpol'],
    generation: ['spec'],
    columns: networkPolicyColumns,
    defaults: defaultNetworkPolicy,
    validate: validateNetworkPolicy,
  }),
  ipAddress: define<t.IPAddress>({
    ...networking,
    kind: 'IPAddress',
    plural: 'ipaddresses',
    singular: 'ipaddress',
    namespaced: false,
    shortNames: ['ip'],
    columns: ipAddressColumns,
    nameRule: 'any',
    validate: validateIpAddress,
    validateUpdate: validateIpAddressUpdate,
  }),
  serviceCidr: define<t.ServiceCIDR>({
    ...networking,
    kind: 'ServiceCIDR',
    plural: 'servicecidrs',
    singular: 'servicecidr',
    namespaced: false,
    subresources: [status],
    columns: serviceCidrColumns,
    validate: validateServiceCidr,
    validateUpdate: validateServiceCidrUpdate,
  }),
  priorityClass: define<t.PriorityClass>({
    group: 'scheduling.k8s.io',
    version: 'v1',
    kind: 'PriorityClass',
    plural: 'priorityclasses',
    singular: 'priorityclass',
    namespaced: false,
    shortNames: ['pc'],
    generation: [],
    columns: priorityClassColumns,
    defaults: defaultPriorityClass,
    validate: validatePriorityClass,
    validateUpdate: validatePriorityClassUpdate,
  }),
  runtimeClass: define<t.RuntimeClass>({
    group: 'node.k8s.io',
    version: 'v1',
    kind: 'RuntimeClass',
    plural: 'runtimeclasses',
    singular: 'runtimeclass',
    namespaced: false,
    columns: runtimeClassColumns,
    validate: validateRuntimeClass,
    validateUpdate: validateRuntimeClassUpdate,
  }),
} as const;
