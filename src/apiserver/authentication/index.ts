export { type AuthenticatorOptions, createAuthenticator } from './authenticator.ts';
export { createImpersonator, type Impersonator } from './impersonation.ts';
export { createOidc, type OidcOptions } from './oidc.ts';
export { createRequestHeader, type RequestHeaderOptions } from './request-header.ts';
export {
  type BoundObjects,
  createServiceAccountIssuer,
  type IssuedToken,
  type ServiceAccountClaims,
  type ServiceAccountIssuer,
  type ServiceAccountIssuerOptions,
  type SignRequest,
} from './service-account-issuer.ts';
export {
  createServiceAccountVerifier,
  type ServiceAccountVerifier,
  serviceAccountUser,
} from './service-account-verifier.ts';
export { parseStaticTokens } from './static-tokens.ts';
