// Where groups and versions stand relative to each other in discovery: facts of upstream that clients show to people.
// Source: kubernetes pkg/controlplane/apiserver/aggregator.go, pkg/controlplane/apiserver/options, crdregistration.

import { apiVersionOf } from '../../api/index.ts';

export interface Priority {
  /** groupPriorityMinimum */
  readonly group: number;
  /** versionPriority */
  readonly version: number;
}

const known: Readonly<Record<string, Priority>> = {
  v1: { group: 18_000, version: 1 },
  'apps/v1': { group: 17_800, version: 15 },
  'events.k8s.io/v1': { group: 17_750, version: 15 },
  'authentication.k8s.io/v1': { group: 17_700, version: 15 },
  'authorization.k8s.io/v1': { group: 17_600, version: 15 },
  'autoscaling/v1': { group: 17_500, version: 15 },
  'autoscaling/v2': { group: 17_500, version: 30 },
  'batch/v1': { group: 17_400, version: 15 },
  'certificates.k8s.io/v1': { group: 17_300, version: 15 },
  'networking.k8s.io/v1': { group: 17_200, version: 15 },
  'policy/v1': { group: 17_100, version: 15 },
  'rbac.authorization.k8s.io/v1': { group: 17_000, version: 15 },
  'storage.k8s.io/v1': { group: 16_800, version: 15 },
  'apiextensions.k8s.io/v1': { group: 16_700, version: 15 },
  'admissionregistration.k8s.io/v1': { group: 16_700, version: 15 },
  'scheduling.k8s.io/v1': { group: 16_600, version: 15 },
  'coordination.k8s.io/v1': { group: 16_500, version: 15 },
  'node.k8s.io/v1': { group: 16_300, version: 15 },
  'discovery.k8s.io/v1': { group: 16_200, version: 15 },
  'flowcontrol.apiserver.k8s.io/v1': { group: 16_100, version: 21 },
  'resource.k8s.io/v1': { group: 15_900, version: 15 },
};

const custom: Priority = { group: 1000, version: 100 };

/** undefined: a group-version that is not registered, as apiregistration.k8s.io is not with itself. */
export function priorityOf(
  groupVersion: { readonly group: string; readonly version: string },
  isCustom: boolean,
): Priority | undefined {
  if (isCustom) return custom;
  const name = apiVersionOf(groupVersion);
  return Object.hasOwn(known, name) ? known[name] : undefined;
}
