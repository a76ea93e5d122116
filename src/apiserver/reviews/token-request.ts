// serviceaccounts/NAME/token: a new token for a ServiceAccount, bound to an object if asked for, so that it ends with it.
// The requested lifetime is given exactly. Upstream extends tokens that pods ask for to a year, for clients that never
// reload them; that is refused here: such a client is broken by the pod's own lifetime as well.
// Source: Kubernetes API reference, TokenRequest v1; "Managing Service Accounts".

import {
  type FieldError,
  kinds,
  type Node,
  type Pod,
  type Secret,
  type ServiceAccount,
  type TokenRequest,
  timestamp,
} from '../../api/index.ts';
import { type Clock, systemClock } from '../../base/index.ts';
import type { BoundObjects, ServiceAccountIssuer } from '../authentication/index.ts';
import { ApiError, type ObjectReader, type UserInfo } from '../contracts.ts';
import { invalidReview } from './invalid.ts';
import type { Review, ReviewRequest } from './types.ts';

const kind = { group: 'authentication.k8s.io', kind: 'TokenRequest' } as const;
const minSeconds = 600;
const maxSeconds = 2 ** 32;
const defaultSeconds = 3600;

interface TokenRequestOptions {
  readonly reader: ObjectReader;
  readonly issuer: ServiceAccountIssuer;
  readonly clock?: Clock;
}

export function tokenRequest(options: TokenRequestOptions): Review {
  return {
    ...kind,
    version: 'v1',
    resource: 'serviceaccounts/token',
    servedUnder: { group: '', version: 'v1' },
    namespaced: true,
    create: (request) => issue(request, options),
  };
}

function issue(request: ReviewRequest, { reader, issuer, clock = systemClock }: TokenRequestOptions): TokenRequest {
  const { namespace, name } = request;
  const body = request.body as TokenRequest;
  const account = reader.get<ServiceAccount>(kinds.serviceAccount, namespace, name);
  if (account === undefined) throw notFound('serviceaccounts', name);
  const { expirationSeconds = defaultSeconds, boundObjectRef: ref, audiences: wanted = [] } = body.spec ?? {};
  const audiences = wanted.length === 0 ? issuer.audiences : wanted;
  const errors = whyInvalid(expirationSeconds);
  if (errors.length > 0) throw invalidReview(kind, '', errors);
  const bound = ref === undefined ? {} : boundObjects(reader, { namespace, account: name, ref });
  refuseOtherNodes(request.user, bound, name);
  const issued = issuer.sign({
    namespace,
    serviceAccount: { name, uid: account.metadata?.uid ?? '' },
    bound,
    audiences,
    expirationSeconds,
  });
  return {
    ...body,
    metadata: { ...body.metadata, name, namespace, creationTimestamp: timestamp(clock.now()) },
    spec: { ...body.spec, audiences, expirationSeconds },
    status: issued,
  };
}

function whyInvalid(seconds: number): readonly FieldError[] {
  const say = (why: string): readonly FieldError[] => [
    { type: 'Invalid', field: 'spec.expirationSeconds', message: `Invalid value: ${seconds}: ${why}` },
  ];
  if (seconds < minSeconds) return say('may not specify a duration less than 10 minutes');
  return seconds > maxSeconds ? say('may not specify a duration larger than 2^32 seconds') : [];
}

interface Binding {
  readonly namespace: string;
  readonly account: string;
  readonly ref: NonNullable<NonNullable<TokenRequest['spec']>['boundObjectRef']>;
}

function boundObjects(reader: ObjectReader, { namespace, account, ref }: Binding): BoundObjects {
  const { name = '' } = ref;
  if ((ref.apiVersion ?? 'v1') !== 'v1') throw unbindable(ref);
  switch (ref.kind) {
    case 'Pod': {
      const pod = reader.get<Pod>(kinds.pod, namespace, name);
      const uid = sameUid('pods', pod, ref);
      if ((pod?.spec?.serviceAccountName ?? 'default') !== account) {
        const why = `cannot bind token for serviceaccount "${account}" to pod running with different serviceaccount name.`;
        throw new ApiError('BadRequest', why);
      }
      const nodeName = pod?.spec?.nodeName ?? '';
      const node = nodeName === '' ? undefined : reader.get<Node>(kinds.node, undefined, nodeName);
      const nodeUid = node?.metadata?.uid;
      return {
        pod: { name, uid },
        ...(nodeUid !== undefined && { node: { name: nodeName, uid: nodeUid } }),
      };
    }
    case 'Secret':
      return { secret: { name, uid: sameUid('secrets', reader.get<Secret>(kinds.secret, namespace, name), ref) } };
    case 'Node':
      return { node: { name, uid: sameUid('nodes', reader.get<Node>(kinds.node, undefined, name), ref) } };
    default:
      throw unbindable(ref);
  }
}

function sameUid(resource: string, object: Pod | Secret | Node | undefined, ref: Binding['ref']): string {
  const { name = '', uid: wanted = '' } = ref;
  const uid = object?.metadata?.uid;
  if (uid === undefined) throw notFound(resource, name);
  if (wanted === '' || wanted === uid) return uid;
  throw new ApiError(
    'Conflict',
    `Operation cannot be fulfilled on ${ref.kind} "${name}": the UID in the bound object reference (${wanted}) does not match the UID in record. The object might have been deleted and then recreated`,
    { details: { name, kind: resource } },
  );
}

/** A node may only ask for tokens that are bound to one of its pods (upstream: NodeRestriction admission). */
function refuseOtherNodes(user: UserInfo, bound: BoundObjects, name: string): void {
  if (!user.groups.includes('system:nodes') || !user.name.startsWith('system:node:')) return;
  const node = user.name.slice('system:node:'.length);
  if (bound.pod !== undefined && bound.node?.name === node) return;
  throw new ApiError(
    'Forbidden',
    `serviceaccounts "${name}" is forbidden: node "${node}" can only request tokens bound to a pod running on it`,
    {
      details: { name, kind: 'serviceaccounts' },
    },
  );
}

function notFound(resource: string, name: string): ApiError {
  return new ApiError('NotFound', `${resource} "${name}" not found`, { details: { name, kind: resource } });
}

/** `group/version` with an empty group for the core, as upstream prints it. */
function groupVersion(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
}

function unbindable(ref: Binding['ref']): ApiError {
  return new ApiError(
    'BadRequest',
    `cannot bind token to object of type ${groupVersion(ref.apiVersion ?? '')}, Kind=${ref.kind ?? ''}`,
  );
}
