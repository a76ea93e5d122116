// What changes the API server's own behaviour: webhooks, policies, custom and aggregated APIs, priority and fairness.

import {
  apiServiceColumns,
  customResourceDefinitionColumns,
  flowSchemaColumns,
  priorityLevelColumns,
  validatingPolicyColumns,
  webhookColumns,
} from '../columns/admission.ts';
import { defaultApiService, defaultFlowSchema, defaultPriorityLevel } from '../defaults/cluster.ts';
import {
  defaultMutatingWebhooks,
  defaultValidatingPolicy,
  defaultValidatingPolicyBinding,
  defaultValidatingWebhooks,
} from '../defaults/other.ts';
import { defaultDefinition, validateDefinition, validateDefinitionUpdate } from '../structural/definition.ts';
import type * as t from '../types.ts';
import { validateMutatingWebhooks, validateValidatingWebhooks } from '../validation/admission.ts';
import { validateAdmissionPolicy, validateAdmissionPolicyBinding } from '../validation/admission-policies.ts';
import { validateApiService, validateApiServiceStatus } from '../validation/api-services.ts';
import { validateFlowSchema, validatePriorityLevel } from '../validation/flowcontrol.ts';
import { define, status } from './define.ts';

const flowcontrol = { group: 'flowcontrol.apiserver.k8s.io', version: 'v1', namespaced: false } as const;
const admission = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  namespaced: false,
  categories: ['api-extensions'],
} as const;

export const extensionKinds = {
  mutatingWebhookConfiguration: define<t.MutatingWebhookConfiguration>({
    ...admission,
    kind: 'MutatingWebhookConfiguration',
    plural: 'mutatingwebhookconfigurations',
    singular: 'mutatingwebhookconfiguration',
    generation: ['webhooks'],
    columns: webhookColumns,
    defaults: defaultMutatingWebhooks,
    validate: validateMutatingWebhooks,
  }),
  validatingWebhookConfiguration: define<t.ValidatingWebhookConfiguration>({
    ...admission,
    kind: 'ValidatingWebhookConfiguration',
    plural: 'validatingwebhookconfigurations',
    singular: 'validatingwebhookconfiguration',
    generation: ['webhooks'],
    columns: webhookColumns,
    defaults: defaultValidatingWebhooks,
    validate: validateValidatingWebhooks,
  }),
  validatingAdmissionPolicy: define<t.ValidatingAdmissionPolicy>({
    ...admission,
    kind: 'ValidatingAdmissionPolicy',
    plural: 'validatingadmissionpolicies',
    singular: 'validatingadmissionpolicy',
    subresources: [status],
    generation: ['spec'],
    columns: validatingPolicyColumns,
    defaults: defaultValidatingPolicy,
    validate: validateAdmissionPolicy,
  }),
  validatingAdmissionPolicyBinding: define<t.ValidatingAdmissionPolicyBinding>({
    ...admission,
    kind: 'ValidatingAdmissionPolicyBinding',
    plural: 'validatingadmissionpolicybindings',
    singular: 'validatingadmissionpolicybinding',
    generation: ['spec'],
    defaults: defaultValidatingPolicyBinding,
    validate: validateAdmissionPolicyBinding,
  }),
  customResourceDefinition: define<t.CustomResourceDefinition>({
    group: 'apiextensions.k8s.io',
    version: 'v1',
    kind: 'CustomResourceDefinition',
    plural: 'customresourcedefinitions',
    singular: 'customresourcedefinition',
    namespaced: false,
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
    subresources: [status],
    generation: ['spec'],
    columns: customResourceDefinitionColumns,
    defaults: defaultDefinition,
    validate: validateDefinition,
    validateUpdate: validateDefinitionUpdate,
  }),
  apiService: define<t.APIService>({
    group: 'apiregistration.k8s.io',
    version: 'v1',
    kind: 'APIService',
    plural: 'apiservices',
    singular: 'apiservice',
    namespaced: false,
    // Of the core group it ends with a dot.
    nameRule: 'path-segment',
    categories: ['api-extensions'],
    subresources: [{ ...status, validateUpdate: validateApiServiceStatus }],
    columns: apiServiceColumns,
    defaults: defaultApiService,
    validate: validateApiService,
  }),
  flowSchema: define<t.FlowSchema>({
    ...flowcontrol,
    kind: 'FlowSchema',
    plural: 'flowschemas',
    singular: 'flowschema',
    subresources: [status],
    generation: ['spec'],
    columns: flowSchemaColumns,
    defaults: defaultFlowSchema,
    validate: validateFlowSchema,
  }),
  priorityLevelConfiguration: define<t.PriorityLevelConfiguration>({
    ...flowcontrol,
    kind: 'PriorityLevelConfiguration',
    plural: 'prioritylevelconfigurations',
    singular: 'prioritylevelconfiguration',
    subresources: [status],
    generation: ['spec'],
    columns: priorityLevelColumns,
    defaults: defaultPriorityLevel,
    validate: validatePriorityLevel,
  }),
} as const;
