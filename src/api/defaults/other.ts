// Upstream's defaults of storage, policy, scheduling and admission kinds.
// Source: kubernetes pkg/apis/{core,storage,networking,scheduling,admissionregistration}/v1/defaults.go.

import type {
  Draft,
  IngressClass,
  LimitRange,
  MutatingWebhookConfiguration,
  NetworkPolicy,
  PersistentVolume,
  PersistentVolumeClaim,
  PriorityClass,
  StorageClass,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from '../types.ts';

export function defaultPersistentVolume(volume: Draft<PersistentVolume>): void {
  volume.status ??= {};
  volume.status.phase ||= 'Pending';
  volume.spec ??= {};
  volume.spec.persistentVolumeReclaimPolicy ||= 'Retain';
  volume.spec.volumeMode ??= 'Filesystem';
  if (volume.spec.hostPath !== undefined) volume.spec.hostPath.type ??= '';
}

export function defaultPersistentVolumeClaim(claim: Draft<PersistentVolumeClaim>): void {
  claim.status ??= {};
  claim.status.phase ||= 'Pending';
  if (claim.spec !== undefined) claim.spec.volumeMode ??= 'Filesystem';
}

export function defaultStorageClass(storageClass: Draft<StorageClass>): void {
  storageClass.reclaimPolicy ??= 'Delete';
  storageClass.volumeBindingMode ??= 'Immediate';
}

export function defaultNetworkPolicy({ spec }: Draft<NetworkPolicy>): void {
  if (spec === undefined) return;
  if ((spec.policyTypes ?? []).length === 0) {
    spec.policyTypes = (spec.egress ?? []).length === 0 ? ['Ingress'] : ['Ingress', 'Egress'];
  }
  for (const { ports = [] } of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
    for (const port of ports) port.protocol ??= 'TCP';
  }
}

export function defaultIngressClass({ spec }: Draft<IngressClass>): void {
  if (spec?.parameters !== undefined) spec.parameters.scope ??= 'Cluster';
}

export function defaultPriorityClass(priorityClass: Draft<PriorityClass>): void {
  priorityClass.preemptionPolicy ??= 'PreemptLowerPriority';
}

type Webhook = NonNullable<Draft<MutatingWebhookConfiguration>['webhooks']>[number];

export function defaultMutatingWebhooks({ webhooks = [] }: Draft<MutatingWebhookConfiguration>): void {
  for (const webhook of webhooks) {
    defaultWebhook(webhook);
    webhook.reinvocationPolicy ??= 'Never';
  }
}

export function defaultValidatingWebhooks({ webhooks = [] }: Draft<ValidatingWebhookConfiguration>): void {
  for (const webhook of webhooks) defaultWebhook(webhook);
}

function defaultWebhook(webhook: Omit<Webhook, 'reinvocationPolicy'>): void {
  webhook.failurePolicy ??= 'Fail';
  webhook.matchPolicy ??= 'Equivalent';
  webhook.namespaceSelector ??= {};
  webhook.objectSelector ??= {};
  webhook.timeoutSeconds ??= 10;
  if (webhook.clientConfig?.service !== undefined) webhook.clientConfig.service.port ??= 443;
  for (const rule of webhook.rules ?? []) rule.scope ??= '*';
}

type Matched = NonNullable<NonNullable<Draft<ValidatingAdmissionPolicy>['spec']>['matchConstraints']>;

export function defaultValidatingPolicy({ spec }: Draft<ValidatingAdmissionPolicy>): void {
  if (spec === undefined) return;
  spec.failurePolicy ??= 'Fail';
  defaultMatch(spec.matchConstraints);
}

export function defaultValidatingPolicyBinding({ spec }: Draft<ValidatingAdmissionPolicyBinding>): void {
  defaultMatch(spec?.matchResources);
}

function defaultMatch(match: Matched | undefined): void {
  if (match === undefined) return;
  match.matchPolicy ??= 'Equivalent';
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) rule.scope ??= '*';
}

type Limit = NonNullable<Draft<LimitRange>['spec']>['limits'][number] & { default?: Record<string, string> };

/** The greatest is the default limit, a default limit the default request, the smallest the last resort of a request. */
export function defaultLimitRange({ spec }: Draft<LimitRange>): void {
  for (const limit of (spec?.limits ?? []) as Limit[]) {
    if (limit.type !== 'Container') continue;
    const limits = { ...limit.max, ...limit.default };
    const requests = { ...limit.min, ...limits, ...limit.defaultRequest };
    if (Object.keys(limits).length > 0) limit.default = limits;
    if (Object.keys(requests).length > 0) limit.defaultRequest = requests;
  }
}
