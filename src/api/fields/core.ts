// What field selectors may ask of each kind, beside metadata.name and metadata.namespace.
// Source: upstream's ToSelectableFields / field label conversions of each kind; an absent value reads as upstream's zero.

import type * as t from '../types.ts';

export const podFields = {
  'spec.nodeName': (pod: t.Pod) => pod.spec?.nodeName ?? '',
  'spec.restartPolicy': (pod: t.Pod) => pod.spec?.restartPolicy ?? '',
  'spec.schedulerName': (pod: t.Pod) => pod.spec?.schedulerName ?? '',
  'spec.serviceAccountName': (pod: t.Pod) => pod.spec?.serviceAccountName ?? '',
  'spec.hostNetwork': (pod: t.Pod) => String(pod.spec?.hostNetwork ?? false),
  'status.phase': (pod: t.Pod) => pod.status?.phase ?? '',
  'status.podIP': (pod: t.Pod) => pod.status?.podIP ?? '',
  'status.podIPs': (pod: t.Pod) => pod.status?.podIP ?? '',
  'status.nominatedNodeName': (pod: t.Pod) => pod.status?.nominatedNodeName ?? '',
} as const;

export const nodeFields = {
  'spec.unschedulable': (node: t.Node) => String(node.spec?.unschedulable ?? false),
} as const;

export const namespaceFields = {
  'status.phase': (namespace: t.Namespace) => namespace.status?.phase ?? '',
} as const;

export const secretFields = { type: (secret: t.Secret) => secret.type ?? '' } as const;

export const serviceFields = {
  'spec.clusterIP': (service: t.Service) => service.spec?.clusterIP ?? '',
  'spec.type': (service: t.Service) => service.spec?.type ?? '',
} as const;

export const eventFields = {
  'involvedObject.kind': (event: t.CoreEvent) => event.involvedObject?.kind ?? '',
  'involvedObject.namespace': (event: t.CoreEvent) => event.involvedObject?.namespace ?? '',
  'involvedObject.name': (event: t.CoreEvent) => event.involvedObject?.name ?? '',
  'involvedObject.uid': (event: t.CoreEvent) => event.involvedObject?.uid ?? '',
  'involvedObject.apiVersion': (event: t.CoreEvent) => event.involvedObject?.apiVersion ?? '',
  'involvedObject.resourceVersion': (event: t.CoreEvent) => event.involvedObject?.resourceVersion ?? '',
  'involvedObject.fieldPath': (event: t.CoreEvent) => event.involvedObject?.fieldPath ?? '',
  reason: (event: t.CoreEvent) => event.reason ?? '',
  reportingComponent: (event: t.CoreEvent) => event.reportingComponent ?? '',
  source: (event: t.CoreEvent) => event.source?.component ?? event.reportingComponent ?? '',
  type: (event: t.CoreEvent) => event.type ?? '',
} as const;

export const eventsEventFields = {
  'regarding.kind': (event: t.EventsEvent) => event.regarding?.kind ?? '',
  'regarding.namespace': (event: t.EventsEvent) => event.regarding?.namespace ?? '',
  'regarding.name': (event: t.EventsEvent) => event.regarding?.name ?? '',
  'regarding.uid': (event: t.EventsEvent) => event.regarding?.uid ?? '',
  'regarding.apiVersion': (event: t.EventsEvent) => event.regarding?.apiVersion ?? '',
  'regarding.resourceVersion': (event: t.EventsEvent) => event.regarding?.resourceVersion ?? '',
  'regarding.fieldPath': (event: t.EventsEvent) => event.regarding?.fieldPath ?? '',
  reason: (event: t.EventsEvent) => event.reason ?? '',
  reportingController: (event: t.EventsEvent) => event.reportingController ?? '',
  type: (event: t.EventsEvent) => event.type ?? '',
} as const;

export const replicaSetFields = {
  'status.replicas': (set: t.ReplicaSet) => String(set.status?.replicas ?? 0),
} as const;

export const replicationControllerFields = {
  'status.replicas': (set: t.ReplicationController) => String(set.status?.replicas ?? 0),
} as const;

export const jobFields = { 'status.successful': (job: t.Job) => String(job.status?.succeeded ?? 0) } as const;

export const certificateSigningRequestFields = {
  'spec.signerName': (request: t.CertificateSigningRequest) => request.spec.signerName,
} as const;
