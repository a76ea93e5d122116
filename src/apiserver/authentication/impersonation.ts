// Impersonate-* headers: who may act as whom is an authorization question per name, with verb `impersonate`.
// Source: Kubernetes documentation, "User Impersonation". Headers that only make sense with Impersonate-User are refused
// without it rather than ignored.

import { forbidden } from '../authorization/index.ts';
import { ApiError, type Authorizer, type Credentials, type RequestAttributes, type UserInfo } from '../contracts.ts';
import { serviceAccountUser } from './service-account-verifier.ts';

/** The user that a request acts as: `user` itself without Impersonate-* headers. Throws ApiError 400 or 403. */
export type Impersonator = (user: UserInfo, headers: Credentials['headers']) => UserInfo;

const prefix = 'impersonate-';
const extraPrefix = 'impersonate-extra-';
const serviceAccountPattern = /^system:serviceaccount:([^:]+):([^:]+)$/;

export function createImpersonator(authorize: Authorizer): Impersonator {
  return (user, headers) => {
    const name = first(headers['impersonate-user']);
    if (name === undefined) {
      const stray = Object.keys(headers).find((header) => header.startsWith(prefix));
      if (stray === undefined) return user;
      throw new ApiError('BadRequest', `the header ${stray} needs Impersonate-User as well`);
    }
    const wanted = readHeaders(name, headers);
    for (const check of checksFor(wanted)) {
      const attributes: RequestAttributes = { ...blank, ...check, user };
      const decision = authorize(attributes);
      if (decision.decision !== 'allow') throw forbidden(attributes, decision.reason);
    }
    return withDefaultGroups(wanted);
  };
}

const blank = {
  verb: 'impersonate',
  isResourceRequest: true,
  apiGroup: '',
  apiVersion: 'v1',
  subresource: '',
  namespace: '',
  path: '',
} as const;

type Check = Pick<RequestAttributes, 'resource' | 'name'> & Partial<RequestAttributes>;

interface Wanted extends UserInfo {
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

function readHeaders(name: string, headers: Credentials['headers']): Wanted {
  const uid = first(headers['impersonate-uid']);
  const extra: Record<string, readonly string[]> = {};
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith(extraPrefix)) continue;
    extra[decodeURIComponent(header.slice(extraPrefix.length))] = all(value);
  }
  return { name, groups: all(headers['impersonate-group']), ...(uid === undefined ? {} : { uid }), extra };
}

function checksFor({ name, uid, groups, extra }: Wanted): readonly Check[] {
  const account = serviceAccountPattern.exec(name);
  return [
    account === null
      ? { resource: 'users', name }
      : { resource: 'serviceaccounts', namespace: account[1] ?? '', name: account[2] ?? '' },
    ...groups.map((group) => ({ resource: 'groups', name: group })),
    ...(uid === undefined ? [] : [{ apiGroup: 'authentication.k8s.io', resource: 'uids', name: uid }]),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map((value) => ({
        apiGroup: 'authentication.k8s.io',
        resource: 'userextras',
        subresource: key,
        name: value,
      })),
    ),
  ];
}

function withDefaultGroups(wanted: Wanted): UserInfo {
  const account = serviceAccountPattern.exec(wanted.name);
  const implied =
    account === null || wanted.groups.length > 0 ? [] : serviceAccountUser(account[1] ?? '', account[2] ?? '').groups;
  const groups = [...wanted.groups, ...implied];
  const membership = wanted.name === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated';
  if (!groups.includes('system:authenticated') && !groups.includes('system:unauthenticated')) groups.push(membership);
  return { ...wanted, groups };
}

function first(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}

/** Node joins repeated headers with ', '; Impersonate-Group may be repeated, and group names may not hold a comma. */
function all(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? value.split(', ') : value;
}
