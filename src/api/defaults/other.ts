// Upstream's defaults of storage, policy, scheduling and admission kinds.
// Source: kubernetes pkg/apis/{core,storage,networking,scheduling,admissionregistration}/v1/defaults.go.

import type {
  Draft,
  MutatingWebhookConfiguration,
  NetworkPolicy,
  PersistentVolume,
  PersistentVolumeClaim,
  PriorityClass,
  StorageClass,
  ValidatingWebhookConfiguration,
} from '../types.ts';

export function defaultPersistentVolume(volume: Draft<PersistentVolume>): void {
  volume.status ??= {};
  volume.status.phase ||= 'Pending';
  if (volume.spec === undefined) return;
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
