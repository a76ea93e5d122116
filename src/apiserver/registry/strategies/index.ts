// Strategies by `<plural>.<group>`.

import type { KindSpec } from '../../../api/index.ts';
import type { Strategy } from '../strategy.ts';
import { apiServices } from './api-services.ts';
import { certificateSigningRequests } from './certificate-signing-requests.ts';
import { customResourceDefinitions } from './custom-resource-definitions.ts';
import { customResources } from './custom-resources.ts';
import { jobs } from './jobs.ts';
import { namespaces } from './namespaces.ts';
import { pods } from './pods.ts';
import { services } from './services.ts';

const apps: Strategy = { status: (object, old) => ({ ...object, metadata: withLabelsOf(object, old) }) };

const strategies: Readonly<Record<string, Strategy>> = {
  'pods.': pods,
  'services.': services,
  'namespaces.': namespaces,
  'nodes.': { keepsStatus: true },
  'serviceaccounts.': { answersDeleted: true },
  'resourcequotas.': { answersDeleted: true },
  'persistentvolumes.': { answersDeleted: true },
  'persistentvolumeclaims.': { answersDeleted: true },
  'podtemplates.': { answersDeleted: true },
  'events.': { createOnUpdate: true },
  'endpoints.': { createOnUpdate: true },
  'limitranges.': { createOnUpdate: true },
  'leases.coordination.k8s.io': { createOnUpdate: true, needsResourceVersion: true },
  'roles.rbac.authorization.k8s.io': { createOnUpdate: true },
  'clusterroles.rbac.authorization.k8s.io': { createOnUpdate: true },
  'rolebindings.rbac.authorization.k8s.io': { createOnUpdate: true },
  'clusterrolebindings.rbac.authorization.k8s.io': { createOnUpdate: true },
  'certificatesigningrequests.certificates.k8s.io': certificateSigningRequests,
  'customresourcedefinitions.apiextensions.k8s.io': customResourceDefinitions,
  'apiservices.apiregistration.k8s.io': apiServices,
  'jobs.batch': jobs,
  'deployments.apps': apps,
  'replicasets.apps': apps,
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
