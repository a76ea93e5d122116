// Fields that upstream's types hold as a value, not behind a pointer: their object is always there, if empty, so setting
// something inside of it does not take the object itself. It shows in managedFields: `f:spec` has no "." while
// `f:livenessProbe` has one. Top-level metadata, spec, status and template are values everywhere and are not listed.
// The table states facts of k8s.io/api's Go types.

const apps = 'io.k8s.api.apps.v1';
const core = 'io.k8s.api.core.v1';
const batch = 'io.k8s.api.batch.v1';

export const topLevelValues: ReadonlySet<string> = new Set(['metadata', 'spec', 'status', 'template']);

/** Type name → fields. */
export const valueFields: Readonly<Record<string, readonly string[]>> = {
  [`${core}.PodTemplateSpec`]: ['metadata', 'spec'],
  [`${core}.PodSpec`]: ['containers'],
  [`${core}.Container`]: ['resources'],
  [`${core}.ContainerStatus`]: ['state', 'lastState'],
  [`${core}.EphemeralContainer`]: ['resources'],
  [`${core}.NodeStatus`]: ['daemonEndpoints', 'nodeInfo'],
  [`${core}.NodeDaemonEndpoints`]: ['kubeletEndpoint'],
  [`${core}.PersistentVolumeClaimSpec`]: ['resources'],
  [`${core}.ServiceStatus`]: ['loadBalancer'],
  [`${core}.Event`]: ['source'],
  [`${apps}.DeploymentSpec`]: ['template', 'strategy'],
  [`${apps}.ReplicaSetSpec`]: ['template'],
  [`${apps}.StatefulSetSpec`]: ['template', 'updateStrategy'],
  [`${apps}.DaemonSetSpec`]: ['template', 'updateStrategy'],
  [`${batch}.JobSpec`]: ['template'],
  [`${batch}.JobTemplateSpec`]: ['metadata', 'spec'],
  [`${batch}.CronJobSpec`]: ['jobTemplate'],
  'io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec': ['scaleTargetRef'],
  'io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec': ['scaleTargetRef'],
  'io.k8s.api.networking.v1.IngressStatus': ['loadBalancer'],
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec': ['names'],
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus': ['acceptedNames'],
};
