// Who sent a request. Methods are asked in upstream's order: client certificate, then bearer token (bootstrap token or
// ServiceAccount JWT, told apart by their shape), then anonymous. A certificate wins over a wrong token, as upstream; a
// wrong token without a certificate is 401 and never falls back to anonymous, so that a typo cannot become "forbidden".
// Everything is synchronous and read from the watch cache: no request waits for another one here.

import { type Clock, systemClock } from '../../base/index.ts';
import { ApiError, type Credentials, type ObjectReader, type UserInfo } from '../contracts.ts';
import { authenticateBootstrapToken, isBootstrapToken } from './bootstrap-token.ts';
import type { ServiceAccountVerifier } from './service-account-verifier.ts';

export interface AuthenticatorOptions {
  readonly reader: ObjectReader;
  /** Absent: ServiceAccount tokens are refused like any unknown token. */
  readonly serviceAccounts?: ServiceAccountVerifier;
  /** Whether a request without credentials becomes system:anonymous (default) or 401. */
  readonly anonymous?: boolean;
  readonly clock?: Clock;
}

const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/**
 * Answers the user of a request; throws ApiError 401 for a wrong, expired or revoked credential, or for none when
 * anonymous requests are off. Every user but anonymous is in system:authenticated.
 */
export function createAuthenticator(options: AuthenticatorOptions): (credentials: Credentials) => UserInfo {
  const { reader, serviceAccounts, anonymous: allowAnonymous = true, clock = systemClock } = options;
  const byCertificate = new WeakMap<NonNullable<Credentials['clientCertificate']>, UserInfo>();
  return ({ clientCertificate, bearerToken }) => {
    if (clientCertificate !== undefined && clientCertificate.commonName !== '') {
      const known = byCertificate.get(clientCertificate);
      if (known !== undefined) return known;
      const user = certificateUser(clientCertificate);
      byCertificate.set(clientCertificate, user);
      return user;
    }
    if (bearerToken !== undefined && bearerToken !== '') {
      if (isBootstrapToken(bearerToken)) {
        return authenticated(authenticateBootstrapToken(bearerToken, reader, clock.now()));
      }
      const user = serviceAccounts?.authenticate(bearerToken);
      if (user === undefined)
        throw new ApiError('Unauthorized', 'Unauthorized: the bearer token is not one of this cluster');
      return user;
    }
    if (!allowAnonymous)
      throw new ApiError('Unauthorized', 'Unauthorized: no credentials, and anonymous requests are off');
    return anonymous;
  };
}

/** CN is the user, each O a group. Source: Kubernetes documentation, "Authenticating", X.509 client certificates. */
function certificateUser(certificate: NonNullable<Credentials['clientCertificate']>): UserInfo {
  const fingerprint = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  return authenticated({
    name: certificate.commonName,
    groups: certificate.organizations,
    extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] },
  });
}

function authenticated(user: UserInfo): UserInfo {
  if (user.groups.includes('system:authenticated')) return user;
  return { ...user, groups: [...user.groups, 'system:authenticated'] };
}
