// TokenReview (who is the bearer of this token?) and SelfSubjectReview (who am I?).
// Source: Kubernetes API reference, authentication.k8s.io/v1.

import type { SelfSubjectReview, TokenReview } from '../../api/index.ts';
import type { ServiceAccountIssuer, ServiceAccountVerifier } from '../authentication/index.ts';
import { ApiError, type Credentials, type UserInfo } from '../contracts.ts';
import type { Review } from './types.ts';

interface IdentityOptions {
  readonly authenticate: (credentials: Credentials) => UserInfo | Promise<UserInfo>;
  readonly issuer: ServiceAccountIssuer;
  readonly serviceAccounts: ServiceAccountVerifier;
}

const at = { group: 'authentication.k8s.io', version: 'v1' } as const;

export function identityReviews(options: IdentityOptions): readonly Review[] {
  return [
    {
      ...at,
      kind: 'TokenReview',
      resource: 'tokenreviews',
      servedUnder: at,
      namespaced: false,
      create: ({ body }) => reviewToken(body as TokenReview, options),
    },
    {
      ...at,
      kind: 'SelfSubjectReview',
      resource: 'selfsubjectreviews',
      servedUnder: at,
      namespaced: false,
      create: ({ body, user }): SelfSubjectReview => ({ ...body, status: { userInfo: wireUser(user) } }),
    },
  ];
}

async function reviewToken(review: TokenReview, options: IdentityOptions): Promise<TokenReview> {
  const { token = '', audiences } = review.spec;
  if (token === '') throw new ApiError('BadRequest', 'token is required for TokenReview in authentication');
  try {
    const found = await userOf(token, audiences, options);
    return { ...review, status: { authenticated: true, user: wireUser(found.user), audiences: found.audiences } };
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 401) throw error;
    return { ...review, status: { user: {}, error: error.message } };
  }
}

async function userOf(
  token: string,
  audiences: readonly string[] | undefined,
  { authenticate, issuer, serviceAccounts }: IdentityOptions,
): Promise<{ readonly user: UserInfo; readonly audiences: readonly string[] }> {
  const wanted = audiences === undefined || audiences.length === 0 ? issuer.audiences : audiences;
  const account = serviceAccounts.authenticate(token, wanted);
  if (account !== undefined) return { user: account, audiences: serviceAccounts.audiencesOf(token, wanted) };
  // Other tokens are good for this API server alone.
  const own = wanted.filter((audience) => issuer.audiences.includes(audience));
  if (own.length === 0) throw new ApiError('Unauthorized', `Unauthorized: the token is not for ${wanted.join(', ')}`);
  return { user: await authenticate({ bearerToken: token, headers: {} }), audiences: own };
}

function wireUser(user: UserInfo): {
  username: string;
  uid?: string;
  groups: readonly string[];
  extra?: Readonly<Record<string, readonly string[]>>;
} {
  return {
    username: user.name,
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    groups: user.groups,
    ...(user.extra === undefined ? {} : { extra: user.extra }),
  };
}
