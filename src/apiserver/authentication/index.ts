export { type AuthenticatorOptions, createAuthenticator } from './authenticator.ts';
export { createImpersonator, type Impersonator } from './impersonation.ts';
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
