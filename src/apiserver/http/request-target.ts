// From a URL to what it means. Source: k8s.io/apiserver pkg/endpoints/request/requestinfo.go; the same rules decide which
// RBAC attributes a request has, so they are kept in one function and not in a tree of routes.

import type { Verb } from '../../api/index.ts';
import { ApiError } from '../contracts.ts';

export type RequestVerb = Verb | 'proxy' | 'connect';

export interface ResourceTarget {
  readonly isResource: true;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  /** '' when the path names none. */
  readonly namespace: string;
  readonly name: string;
  /** What follows the subresource, with its slash; only proxies have it. */
  readonly rest: string;
  /** Asked for under the old `/watch/` prefix, which means a watch whatever the query says. */
  readonly watches: boolean;
}

export interface PathTarget {
  readonly isResource: false;
  readonly path: string;
}

export type Target = ResourceTarget | PathTarget;

/** Subresources of a namespace itself, as against resources inside of it. */
const namespaceSubresources = new Set(['status', 'finalize']);

export function parsePath(path: string): Target {
  const parts = path.split('/');
  const core = parts[1] === 'api';
  // /api/v1/… and /apis/<group>/<version>/…; anything shorter is discovery.
  const versionAt = core ? 2 : 3;
  const watches = parts[versionAt + 1] === 'watch' && parts.length > versionAt + 2;
  const at = versionAt + (watches ? 2 : 1);
  if ((!core && parts[1] !== 'apis') || parts.length <= at || parts[at] === '') return { isResource: false, path };
  const group = core ? '' : segment(parts[2]);
  const version = segment(parts[versionAt]);
  const ofVersion = { isResource: true, group, version, watches } as const;
  let index = at;
  let namespace = '';
  if (
    parts[at] === 'namespaces' &&
    parts.length > at + 2 &&
    !(core && namespaceSubresources.has(parts[at + 2] ?? ''))
  ) {
    if (parts[at + 2] === '') {
      return {
        ...ofVersion,
        resource: 'namespaces',
        namespace: '',
        name: segment(parts[at + 1]),
        subresource: '',
        rest: '',
      };
    }
    namespace = segment(parts[at + 1]);
    index = at + 2;
  }
  const resource = segment(parts[index]);
  const name = segment(parts[index + 1]);
  const subresource = segment(parts[index + 2]);
  const rest = parts.length > index + 3 ? `/${parts.slice(index + 3).join('/')}` : '';
  return { ...ofVersion, resource, namespace, name, subresource, rest };
}

function segment(text: string | undefined): string {
  if (text === undefined || !text.includes('%')) return text ?? '';
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new ApiError('BadRequest', `the path has a broken escape: ${text}`, { cause });
  }
}

const noQuery = new URLSearchParams();

/** Path and query of a request target. */
export function splitTarget(text: string): { readonly path: string; readonly query: URLSearchParams } {
  const mark = text.indexOf('?');
  if (mark < 0) return { path: text, query: noQuery };
  return { path: text.slice(0, mark), query: new URLSearchParams(text.slice(mark + 1)) };
}

/** The target as path and query: a client may name the server in it as it does to a proxy. RFC 9112 §3.2.2. */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const rest = /^https?:\/\/[^/?#]*(.*)$/i.exec(target)?.[1];
  if (rest === undefined) return target;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Upstream's boolean query parameters: absent, `0` and `false` are false, anything else (empty too) is true. */
export function isSet(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== '0' && value.toLowerCase() !== 'false';
}

export function verbOf(method: string, target: ResourceTarget, query: URLSearchParams): RequestVerb {
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (target.watches) return 'watch';
      if (target.name !== '') return 'get';
      return isSet(query, 'watch') ? 'watch' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return target.name === '' ? 'deletecollection' : 'delete';
    default:
      return 'connect';
  }
}
