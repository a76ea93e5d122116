// Who sent a request. Methods are asked in upstream's order: front proxy, client certificate, then bearer token (static,
// bootstrap token, ServiceAccount JWT or an OIDC issuer's, told apart by their shape), then anonymous. A certificate wins over a wrong token, as upstream; a
// wrong token without a certificate is 401 and never falls back to anonymous, so that a typo cannot become "forbidden".
// Everything is synchronous and read from the watch cache, but for the first sight of an OIDC token.

import { type Clock, systemClock } from '../../base/index.ts';
import { ApiError, type Credentials, type ObjectReader, type UserInfo } from '../contracts.ts';
import { authenticateBootstrapToken, isBootstrapToken } from './bootstrap-token.ts';
import type { OidcAuthenticator } from './oidc.ts';
import type { RequestHeaderAuthenticator } from './request-header.ts';
import type { ServiceAccountVerifier } from './service-account-verifier.ts';
import type { StaticTokens } from './static-tokens.ts';

export interface AuthenticatorOptions {
  readonly reader: ObjectReader;
  /** Absent: ServiceAccount tokens are refused like any unknown token. */
  readonly serviceAccounts?: ServiceAccountVerifier;
  readonly staticTokens?: StaticTokens;
  readonly oidc?: OidcAuthenticator;
  readonly requestHeader?: RequestHeaderAuthenticator;
  /** Whether a request without credentials becomes system:anonymous (default) or 401. */
  readonly anonymous?: boolean;
  readonly clock?: Clock;
  /** Told when the certificate that a request came with expires, ms since the epoch. */
  readonly certificateUsed?: (expires: number) => void;
}

const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/**
 * Answers the user of a request; throws ApiError 401 for a wrong, expired or revoked credential, or for none when
 * anonymous requests are off. Every user but anonymous is in system:authenticated.
 */
export function createAuthenticator(options: AuthenticatorOptions): (credentials: Credentials) => MaybeLater<UserInfo> {
  const { requestHeader, anonymous: allowAnonymous = true } = options;
  const byCertificate = new WeakMap<Certificate, UserInfo>();

  const ofCertificate = (certificate: Certificate | undefined): UserInfo | undefined => {
    if (certificate === undefined || certificate.commonName === '') return undefined;
    if (certificate.expires !== undefined) options.certificateUsed?.(certificate.expires);
    const known = byCertificate.get(certificate);
    if (known !== undefined) return known;
    if (requestHeader?.isFrontProxy(certificate) === true) return undefined;
    const user = certificateUser(certificate);
    byCertificate.set(certificate, user);
    return user;
  };

  return (credentials) => {
    const named = requestHeader?.authenticate(credentials);
    if (named !== undefined) return authenticated(named);
    const { clientCertificate, bearerToken } = credentials;
    const user = ofCertificate(clientCertificate);
    if (user !== undefined) return user;
    if (bearerToken !== undefined && bearerToken !== '') return bearer(bearerToken, options);
    if (!allowAnonymous)
      throw new ApiError('Unauthorized', 'Unauthorized: no credentials, and anonymous requests are off');
    return anonymous;
  };
}

type MaybeLater<T> = T | Promise<T>;
type Certificate = NonNullable<Credentials['clientCertificate']>;

function bearer(token: string, options: AuthenticatorOptions): MaybeLater<UserInfo> {
  const { reader, serviceAccounts, staticTokens, oidc, clock = systemClock } = options;
  const listed = staticTokens?.authenticate(token);
  if (listed !== undefined) return authenticated(listed);
  if (isBootstrapToken(token)) return authenticated(authenticateBootstrapToken(token, reader, clock.now()));
  const account = serviceAccounts?.authenticate(token);
  if (account !== undefined) return account;
  const claimed = oidc?.authenticate(token);
  if (claimed instanceof Promise) return claimed.then(authenticated);
  if (claimed !== undefined) return authenticated(claimed);
  throw new ApiError('Unauthorized', 'Unauthorized: the bearer token is not one of this cluster');
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
