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
