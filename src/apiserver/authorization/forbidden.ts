// The 403 answer. Its wording is upstream's (k8s.io/apiserver responsewriters and apimachinery NewForbidden), because people
// search for it and scripts match it.

import { ApiError, type RequestAttributes } from '../contracts.ts';

/** @param reason what authorizers said beyond "no"; may be empty. */
export function forbidden(attributes: RequestAttributes, reason = ''): ApiError {
  const { apiGroup: group, resource, name } = attributes;
  const why = reason === '' ? sentence(attributes) : `${sentence(attributes)}: ${reason}`;
  const qualified = group === '' ? resource : `${resource}.${group}`;
  const subject =
    !attributes.isResourceRequest || resource === ''
      ? ''
      : name === ''
        ? `${qualified} is `
        : `${qualified} "${name}" is `;
  return new ApiError('Forbidden', `${subject}forbidden: ${why}`, {
    details: { ...(name && { name }), ...(group && { group }), ...(resource && { kind: resource }) },
  });
}

function sentence(attributes: RequestAttributes): string {
  const who = `User "${attributes.user.name}" cannot ${attributes.verb}`;
  if (!attributes.isResourceRequest) return `${who} path "${attributes.path}"`;
  const { resource, subresource, apiGroup, namespace } = attributes;
  const what = subresource === '' ? resource : `${resource}/${subresource}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  return `${who} resource "${what}" in API group "${apiGroup}" ${where}`;
}
