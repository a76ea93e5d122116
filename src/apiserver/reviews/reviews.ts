// The table of virtual kinds that authentication and authorization answer: who a token is, who I am, may I, and a new
// ServiceAccount token. kubectl auth whoami, kubectl auth can-i, kubectl create token and extension API servers use them.

import type { Clock } from '../../base/index.ts';
import type { ServiceAccountIssuer, ServiceAccountVerifier } from '../authentication/index.ts';
import type { Authorization } from '../authorization/index.ts';
import type { Credentials, ObjectReader, UserInfo } from '../contracts.ts';
import { accessReviews } from './access-reviews.ts';
import { identityReviews } from './identity-reviews.ts';
import { tokenRequest } from './token-request.ts';
import type { Review } from './types.ts';

export interface ReviewsOptions {
  readonly reader: ObjectReader;
  readonly authorization: Authorization;
  /** The server's own authenticator: createAuthenticator's result. */
  readonly authenticate: (credentials: Credentials) => UserInfo | Promise<UserInfo>;
  readonly issuer: ServiceAccountIssuer;
  readonly serviceAccounts: ServiceAccountVerifier;
  readonly clock?: Clock;
}

export function createReviews(options: ReviewsOptions): readonly Review[] {
  return [...identityReviews(options), ...accessReviews(options.authorization), tokenRequest(options)];
}
