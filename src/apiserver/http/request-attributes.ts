// What a request is to authorization, audit and flow control: the attributes of a SubjectAccessReview.
// Source: apiserver pkg/endpoints/request, RequestInfo.

import type { RequestAttributes, UserInfo } from '../contracts.ts';
import type { RequestVerb, Target } from './request-target.ts';

interface Routed {
  readonly target: Target;
  readonly verb: RequestVerb;
  readonly query: URLSearchParams;
  readonly user: UserInfo;
}

export function attributesOf(
  { target, verb, query, user }: Routed,
  method: string,
): RequestAttributes & { fieldSelector: string } {
  if (!target.isResource) {
    return { ...noResource, user, verb: method.toLowerCase(), path: target.path, fieldSelector: '' };
  }
  const fieldSelector = query.get('fieldSelector') ?? '';
  return {
    user,
    verb,
    isResourceRequest: true,
    apiGroup: target.group,
    apiVersion: target.version,
    resource: target.resource,
    subresource: target.subresource,
    // The namespace resource itself is asked for as in its own namespace, as upstream.
    namespace: target.resource === 'namespaces' && target.namespace === '' ? target.name : target.namespace,
    name: target.name === '' ? nameIn(fieldSelector, verb) : target.name,
    path: '',
    fieldSelector,
  };
}

const noResource = {
  isResourceRequest: false,
  apiGroup: '',
  apiVersion: '',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
} as const;

/** A list or watch of one name may be allowed by a rule for that name. */
function nameIn(fieldSelector: string, verb: RequestVerb): string {
  if (fieldSelector === '' || (verb !== 'list' && verb !== 'watch' && verb !== 'deletecollection')) return '';
  return /(?:^|,)metadata\.name==?([^,=!]+)(?:,|$)/.exec(fieldSelector)?.[1] ?? '';
}
