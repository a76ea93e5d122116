// The notation of the default RBAC tables: one line a rule, words separated by spaces, `core` for the group ''.

import type { PolicyRule } from '../../api/index.ts';

export const read = 'get list watch';
export const write = 'create delete deletecollection patch update';

/** on('get list', 'core apps', 'pods deployments') */
export function on(verbs: string, groups: string, resources: string, names?: string): PolicyRule {
  return {
    apiGroups: groups.split(' ').map((group) => (group === 'core' ? '' : group)),
    resources: resources.split(' '),
    verbs: verbs.split(' '),
    ...(names === undefined ? {} : { resourceNames: names.split(' ') }),
  };
}

/** Paths that are no resources: /healthz, /version, … */
export function paths(verbs: string, urls: string): PolicyRule {
  return { nonResourceURLs: urls.split(' '), verbs: verbs.split(' ') };
}

export const writeEvents = on('create patch update', 'core events.k8s.io', 'events');
