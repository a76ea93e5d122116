// What a node (user system:node:<name> in group system:nodes) may do: read its own Node and the pods bound to it, read the
// secrets, config maps, claims and ServiceAccount tokens that those pods name, and write its own status, lease, events and
// certificate requests. RBAC cannot say this, because it depends on which pods are bound where right now.
// Source: Kubernetes documentation, "Using Node Authorization". What a node may write into those objects is judged later,
// by the NodeRestriction admission plugin.

import { kinds, type PersistentVolume, type Pod } from '../../api/index.ts';
import type { Decision, ObjectReader, RequestAttributes } from '../contracts.ts';
import { createNodeReferences } from './node-references.ts';
import { allows, compileRule } from './rules.ts';

/** `fieldSelector` is that of a list or watch, '' when it has none; undefined when the caller does not tell. */
export type SelectingAttributes = RequestAttributes & { readonly fieldSelector?: string };

const userPrefix = 'system:node:';
const reads = ['get', 'list', 'watch'];

const rules = (
  [
    ['', 'services', reads],
    ['', 'nodes', ['create', ...reads, 'update', 'patch']],
    ['', 'nodes/status', ['update', 'patch']],
    ['', 'events', ['create', 'update', 'patch']],
    ['', 'pods', [...reads, 'create', 'delete']],
    ['', 'pods/status', ['update', 'patch']],
    ['', 'pods/eviction', ['create']],
    ['', 'secrets', reads],
    ['', 'configmaps', reads],
    ['', 'serviceaccounts', reads],
    ['', 'serviceaccounts/token', ['create']],
    ['', 'persistentvolumeclaims', ['get']],
    ['', 'persistentvolumes', ['get']],
    ['', 'endpoints', ['get']],
    ['authentication.k8s.io', 'tokenreviews', ['create']],
    ['authorization.k8s.io', 'subjectaccessreviews', ['create']],
    ['authorization.k8s.io', 'localsubjectaccessreviews', ['create']],
    ['certificates.k8s.io', 'certificatesigningrequests', ['create', ...reads]],
    ['coordination.k8s.io', 'leases', ['create', 'get', 'update', 'patch', 'delete']],
    ['node.k8s.io', 'runtimeclasses', reads],
    ['storage.k8s.io', 'csidrivers', reads],
    ['storage.k8s.io', 'csinodes', ['create', 'get', 'update', 'patch', 'delete']],
    ['storage.k8s.io', 'volumeattachments', ['get']],
  ] as const satisfies readonly (readonly [string, string, readonly string[]])[]
).map(([group, resource, verbs]) => compileRule({ apiGroups: [group], resources: [resource], verbs }));

const noOpinion: Decision = { decision: 'no-opinion', reason: '' };

export function createNodeAuthorizer(reader: ObjectReader): (attributes: SelectingAttributes) => Decision {
  const references = createNodeReferences(reader);

  /** Some pod of the node uses the claim that the volume is bound to. */
  const usesVolume = (node: string, name: string): boolean => {
    const { claimRef } = reader.get<PersistentVolume>(kinds.persistentVolume, undefined, name)?.spec ?? {};
    return (
      claimRef !== undefined && references.has(node, `persistentvolumeclaims/${claimRef.namespace}/${claimRef.name}`)
    );
  };

  const whyNot = (node: string, request: SelectingAttributes): string | undefined => {
    const { resource, name, namespace, verb } = request;
    const named = (key: string): string | undefined => {
      if (name === '') return 'can only read it by name';
      return references.has(node, `${key}/${namespace}/${name}`) ? undefined : noRelation(node);
    };
    if (request.apiGroup === 'coordination.k8s.io') return whyNotOwn(node, request, 'kube-node-lease');
    if (request.apiGroup === 'storage.k8s.io' && resource === 'csinodes') return whyNotOwn(node, request, '');
    if (request.apiGroup !== '') return undefined;
    switch (resource) {
      case 'nodes':
        return whyNotOwn(node, request, '');
      case 'pods':
        if (verb === 'list' || verb === 'watch') return whyNotSelected(node, request);
        // Mirror pods are created before anything is bound; NodeRestriction looks at what is in them.
        if (verb === 'create' && request.subresource === '') return undefined;
        return reader.get<Pod>(kinds.pod, namespace, name)?.spec?.nodeName === node ? undefined : noRelation(node);
      case 'secrets':
      case 'configmaps':
      case 'serviceaccounts':
      case 'persistentvolumeclaims':
        return named(resource);
      case 'persistentvolumes':
        return usesVolume(node, name) ? undefined : noRelation(node);
      default:
        return undefined;
    }
  };

  return (request) => {
    const { user } = request;
    if (!request.isResourceRequest || !user.name.startsWith(userPrefix) || !user.groups.includes('system:nodes')) {
      return noOpinion;
    }
    if (!rules.some((rule) => allows(rule, request))) return noOpinion;
    const why = whyNot(user.name.slice(userPrefix.length), request);
    return why === undefined ? { decision: 'allow', reason: '' } : { decision: 'no-opinion', reason: why };
  };
}

/** A create names its object only in the body, which NodeRestriction reads. */
function whyNotOwn(node: string, { verb, name, namespace }: RequestAttributes, home: string): string | undefined {
  if (namespace !== home) return `node '${node}' may use these only in the namespace "${home}"`;
  if (verb === 'create' || name === node) return undefined;
  return `node '${node}' cannot ${verb === 'get' || verb === 'list' || verb === 'watch' ? 'read' : 'change'} ${name === '' ? 'all of them' : `'${name}'`}, only its own`;
}

function whyNotSelected(node: string, { fieldSelector }: SelectingAttributes): string | undefined {
  if (fieldSelector === undefined) return undefined;
  const terms = fieldSelector.split(',');
  if (terms.some((term) => term === `spec.nodeName=${node}` || term === `spec.nodeName==${node}`)) return undefined;
  return `can only list/watch pods with spec.nodeName field selector`;
}

function noRelation(node: string): string {
  return `no relationship found between node '${node}' and this object`;
}
