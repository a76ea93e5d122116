// Upstream's defaults of Deployments, ReplicaSets, StatefulSets, DaemonSets and ReplicationControllers.
// Source: kubernetes pkg/apis/apps/v1/defaults.go, pkg/apis/core/v1/defaults.go.

import type {
  DaemonSet,
  Deployment,
  Draft,
  PodTemplateSpec,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
} from '../types.ts';
import { defaultPodSpec } from './pod.ts';

const revisionHistoryLimit = 10;

export function defaultTemplate(template: Draft<PodTemplateSpec> | undefined): void {
  if (template?.spec !== undefined) defaultPodSpec(template.spec);
}

/** What is left out whole gets its defaults as well: validation then speaks of what only the author can know. */
export function specOf<Spec extends object>(object: { spec?: Spec }): Partial<Spec> {
  object.spec ??= {} as Spec;
  return object.spec;
}

export function defaultDeployment(deployment: Draft<Deployment>): void {
  const spec = specOf(deployment);
  defaultTemplate(spec.template);
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= revisionHistoryLimit;
  spec.progressDeadlineSeconds ??= 600;
  spec.strategy ??= {};
  spec.strategy.type ||= 'RollingUpdate';
  if (spec.strategy.type === 'RollingUpdate') {
    spec.strategy.rollingUpdate ??= {};
    spec.strategy.rollingUpdate.maxUnavailable ??= '25%';
    spec.strategy.rollingUpdate.maxSurge ??= '25%';
  }
}

export function defaultReplicaSet(replicaSet: Draft<ReplicaSet>): void {
  const spec = specOf(replicaSet);
  spec.replicas ??= 1;
  defaultTemplate(spec.template);
}

export function defaultStatefulSet(statefulSet: Draft<StatefulSet>): void {
  const spec = specOf(statefulSet);
  defaultTemplate(spec.template);
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= revisionHistoryLimit;
  spec.podManagementPolicy ||= 'OrderedReady';
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= 'RollingUpdate';
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate ??= {};
    spec.updateStrategy.rollingUpdate.partition ??= 0;
  }
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain';
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain';
  for (const claim of spec.volumeClaimTemplates ?? []) {
    claim.apiVersion ??= 'v1';
    claim.kind ??= 'PersistentVolumeClaim';
    claim.status ??= { phase: 'Pending' };
    if (claim.spec !== undefined) claim.spec.volumeMode ??= 'Filesystem';
  }
}

export function defaultDaemonSet(daemonSet: Draft<DaemonSet>): void {
  const spec = specOf(daemonSet);
  defaultTemplate(spec.template);
  spec.revisionHistoryLimit ??= revisionHistoryLimit;
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= 'RollingUpdate';
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate ??= {};
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
    spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
  }
}

/** Labels and selector follow the template's labels when they are not given. */
export function defaultReplicationController(controller: Draft<ReplicationController>): void {
  const spec = specOf(controller);
  spec.replicas ??= 1;
  defaultTemplate(spec.template);
  const labels = spec.template?.metadata?.labels;
  if (labels === undefined) return;
  if (isEmpty(spec.selector)) spec.selector = { ...labels };
  controller.metadata ??= {};
  if (isEmpty(controller.metadata.labels)) controller.metadata.labels = { ...labels };
}

function isEmpty(map: Readonly<Record<string, string>> | undefined): boolean {
  return map === undefined || Object.keys(map).length === 0;
}
