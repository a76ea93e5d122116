// The Kubernetes object types as they are on the wire. Field names, optionality and descriptions come from
// @kubernetes/client-node (a type-only development dependency, nothing of it is shipped). Its classes hold `Date` where
// the wire has RFC 3339 strings, so every type goes through Wire.

import type * as k8s from '@kubernetes/client-node';

/** `T` as JSON.parse gives it: dates are strings, everything is readonly. */
export type Wire<T> = T extends Date
  ? string
  : T extends (infer Item)[]
    ? readonly Wire<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: Wire<T[Key]> }
      : T;

export type ObjectMeta = Wire<k8s.V1ObjectMeta>;
export type OwnerReference = Wire<k8s.V1OwnerReference>;
export type LabelSelector = Wire<k8s.V1LabelSelector>;
export type Status = Wire<k8s.V1Status>;
export type IntOrString = number | string;

/** `T` while it is being built or defaulted: the same fields, writable. */
export type Draft<T> = T extends readonly (infer Item)[]
  ? Draft<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Draft<T[Key]> }
    : T;

/** What every stored object has. `apiVersion` and `kind` are always present on the wire. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: ObjectMeta;
}

/** An object as the API server returned it: name and resourceVersion are there. */
export type Stored<T extends KubeObject> = T & {
  readonly metadata: ObjectMeta & { readonly name: string; readonly uid: string; readonly resourceVersion: string };
};

export interface KubeList<T extends KubeObject> {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly resourceVersion?: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly items: readonly T[];
}

export type Namespace = Wire<k8s.V1Namespace>;
export type Node = Wire<k8s.V1Node>;
export type NodeCondition = Wire<k8s.V1NodeCondition>;
export type Taint = Wire<k8s.V1Taint>;
export type Toleration = Wire<k8s.V1Toleration>;
export type Pod = Wire<k8s.V1Pod>;
export type PodSpec = Wire<k8s.V1PodSpec>;
export type PodStatus = Wire<k8s.V1PodStatus>;
export type PodCondition = Wire<k8s.V1PodCondition>;
export type PodTemplateSpec = Wire<k8s.V1PodTemplateSpec>;
export type Container = Wire<k8s.V1Container>;
export type ContainerStatus = Wire<k8s.V1ContainerStatus>;
export type Probe = Wire<k8s.V1Probe>;
export type Volume = Wire<k8s.V1Volume>;
export type Service = Wire<k8s.V1Service>;
export type ServicePort = Wire<k8s.V1ServicePort>;
export type Endpoints = Wire<k8s.V1Endpoints>;
export type EndpointSlice = Wire<k8s.V1EndpointSlice>;
export type ConfigMap = Wire<k8s.V1ConfigMap>;
export type Secret = Wire<k8s.V1Secret>;
export type ServiceAccount = Wire<k8s.V1ServiceAccount>;
export type CoreEvent = Wire<k8s.CoreV1Event>;
export type ObjectReference = Wire<k8s.V1ObjectReference>;
export type Binding = Wire<k8s.V1Binding>;
export type Deployment = Wire<k8s.V1Deployment>;
export type DeploymentCondition = Wire<k8s.V1DeploymentCondition>;
export type ReplicaSet = Wire<k8s.V1ReplicaSet>;
export type Lease = Wire<k8s.V1Lease>;
export type CertificateSigningRequest = Wire<k8s.V1CertificateSigningRequest>;
export type Role = Wire<k8s.V1Role>;
export type ClusterRole = Wire<k8s.V1ClusterRole>;
export type RoleBinding = Wire<k8s.V1RoleBinding>;
export type ClusterRoleBinding = Wire<k8s.V1ClusterRoleBinding>;
export type PolicyRule = Wire<k8s.V1PolicyRule>;
export type TokenRequest = Wire<k8s.AuthenticationV1TokenRequest>;
export type EndpointSliceEndpoint = Wire<k8s.V1Endpoint>;
export type EventsEvent = Wire<k8s.EventsV1Event>;
export type Scale = Wire<k8s.V1Scale>;
export type Eviction = Wire<k8s.V1Eviction>;
export type DeleteOptions = Wire<k8s.V1DeleteOptions>;
export type ResourceRequirements = Wire<k8s.V1ResourceRequirements>;
export type TokenReview = Wire<k8s.V1TokenReview>;
export type SubjectAccessReview = Wire<k8s.V1SubjectAccessReview>;
export type SelfSubjectAccessReview = Wire<k8s.V1SelfSubjectAccessReview>;
export type LocalSubjectAccessReview = Wire<k8s.V1LocalSubjectAccessReview>;
export type SelfSubjectRulesReview = Wire<k8s.V1SelfSubjectRulesReview>;
export type SelfSubjectReview = Wire<k8s.V1SelfSubjectReview>;
export type StatefulSet = Wire<k8s.V1StatefulSet>;
export type DaemonSet = Wire<k8s.V1DaemonSet>;
export type ControllerRevision = Wire<k8s.V1ControllerRevision>;
export type Job = Wire<k8s.V1Job>;
export type CronJob = Wire<k8s.V1CronJob>;
export type HorizontalPodAutoscaler = Wire<k8s.V2HorizontalPodAutoscaler>;
export type HorizontalPodAutoscalerV1 = Wire<k8s.V1HorizontalPodAutoscaler>;
export type PodDisruptionBudget = Wire<k8s.V1PodDisruptionBudget>;
export type Ingress = Wire<k8s.V1Ingress>;
export type IngressClass = Wire<k8s.V1IngressClass>;
export type NetworkPolicy = Wire<k8s.V1NetworkPolicy>;
export type IPAddress = Wire<k8s.V1IPAddress>;
export type ServiceCIDR = Wire<k8s.V1ServiceCIDR>;
export type ReplicationController = Wire<k8s.V1ReplicationController>;
export type PodTemplate = Wire<k8s.V1PodTemplate>;
export type LimitRange = Wire<k8s.V1LimitRange>;
export type ResourceQuota = Wire<k8s.V1ResourceQuota>;
export type PersistentVolume = Wire<k8s.V1PersistentVolume>;
export type PersistentVolumeClaim = Wire<k8s.V1PersistentVolumeClaim>;
export type ComponentStatus = Wire<k8s.V1ComponentStatus>;
export type StorageClass = Wire<k8s.V1StorageClass>;
export type VolumeAttachment = Wire<k8s.V1VolumeAttachment>;
export type VolumeAttributesClass = Wire<k8s.V1VolumeAttributesClass>;
export type CSIDriver = Wire<k8s.V1CSIDriver>;
export type CSINode = Wire<k8s.V1CSINode>;
export type CSIStorageCapacity = Wire<k8s.V1CSIStorageCapacity>;
export type PriorityClass = Wire<k8s.V1PriorityClass>;
export type RuntimeClass = Wire<k8s.V1RuntimeClass>;
export type MutatingWebhookConfiguration = Wire<k8s.V1MutatingWebhookConfiguration>;
export type ValidatingWebhookConfiguration = Wire<k8s.V1ValidatingWebhookConfiguration>;
export type ValidatingAdmissionPolicy = Wire<k8s.V1ValidatingAdmissionPolicy>;
export type ValidatingAdmissionPolicyBinding = Wire<k8s.V1ValidatingAdmissionPolicyBinding>;
export type CustomResourceDefinition = Wire<k8s.V1CustomResourceDefinition>;
export type APIService = Wire<k8s.V1APIService>;
export type FlowSchema = Wire<k8s.V1FlowSchema>;
export type PriorityLevelConfiguration = Wire<k8s.V1PriorityLevelConfiguration>;
