// Strategies by `<plural>.<group>`.

import type { KindSpec } from '../../../api/index.ts';
import type { Strategy } from '../strategy.ts';
import { apiServices } from './api-services.ts';
import { certificateSigningRequests } from './certificate-signing-requests.ts';
import { customResourceDefinitions } from './custom-resource-definitions.ts';
import { customResources } from './custom-resources.ts';
import { section, withField } from './fields.ts';
import { jobs } from './jobs.ts';
import { namespaces } from './namespaces.ts';
import { persistentVolumeClaims, persistentVolumes } from './persistent-volumes.ts';
import { pods } from './pods.ts';
import { services } from './services.ts';

const apps: Strategy = { status: (object, old) => ({ ...object, metadata: withLabelsOf(object, old) }) };
const guarded: Strategy = { needsResourceVersion: true };

const strategies: Readonly<Record<string, Strategy>> = {
  'pods.': pods,
  'services.': services,
  'namespaces.': namespaces,
  'nodes.': { keepsStatus: true },
  'serviceaccounts.': { answersDeleted: true },
  'resourcequotas.': { answersDeleted: true },
  'persistentvolumes.': persistentVolumes,
  'persistentvolumeclaims.': persistentVolumeClaims,
  'podtemplates.': { answersDeleted: true },
  'events.': { createOnUpdate: true },
  'endpoints.': { createOnUpdate: true },
  'limitranges.': { createOnUpdate: true },
  'replicationcontrollers.': startsWith({ replicas: 0 }),
  'leases.coordination.k8s.io': { createOnUpdate: true, needsResourceVersion: true },
  'roles.rbac.authorization.k8s.io': { createOnUpdate: true },
  'clusterroles.rbac.authorization.k8s.io': { createOnUpdate: true },
  'rolebindings.rbac.authorization.k8s.io': { createOnUpdate: true },
  'clusterrolebindings.rbac.authorization.k8s.io': { createOnUpdate: true },
  'certificatesigningrequests.certificates.k8s.io': certificateSigningRequests,
  'customresourcedefinitions.apiextensions.k8s.io': customResourceDefinitions,
  'apiservices.apiregistration.k8s.io': apiServices,
  'ingresses.networking.k8s.io': { create: (object) => withField(object, 'status', { loadBalancer: {} }) },
  'jobs.batch': jobs,
  'deployments.apps': apps,
  'replicasets.apps': { ...startsWith({ replicas: 0 }), ...apps },
  'statefulsets.apps': startsWith({ replicas: 0 }),
  'daemonsets.apps': startsWith({
    currentNumberScheduled: 0,
    numberMisscheduled: 0,
    desiredNumberScheduled: 0,
    numberReady: 0,
  }),
  'horizontalpodautoscalers.autoscaling': startsWith({ desiredReplicas: 0 }),
  'poddisruptionbudgets.policy': {
    ...guarded,
    ...startsWith({ disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }),
  },
  'volumeattachments.storage.k8s.io': { ...guarded, ...startsWith({ attached: false }) },
  'csidrivers.storage.k8s.io': guarded,
  'csinodes.storage.k8s.io': guarded,
  'csistoragecapacities.storage.k8s.io': guarded,
  'runtimeclasses.node.k8s.io': guarded,
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': guarded,
  'validatingwebhookconfigurations.admissionregistration.k8s.io': guarded,
  'validatingadmissionpolicies.admissionregistration.k8s.io': guarded,
  'validatingadmissionpolicybindings.admissionregistration.k8s.io': guarded,
};

const none: Strategy = {};

export function strategyOf(kind: KindSpec): Strategy {
  if (kind.custom !== undefined) return customResources(kind);
  return strategies[`${kind.plural}.${kind.group}`] ?? none;
}

/** Source: apps strategies' PrepareForUpdate of status: labels stay the old ones. */
function withLabelsOf(
  object: { readonly metadata?: object },
  old: { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } },
): object {
  return { ...object.metadata, labels: old.metadata?.labels };
}

/** The numbers of a status that are always there, as clients with typed objects expect them. */
function startsWith(status: object): Strategy {
  return {
    create: (object) => withField(object, 'status', status),
    status: (object) => withField(object, 'status', { ...status, ...section(object, 'status') }),
  };
}
