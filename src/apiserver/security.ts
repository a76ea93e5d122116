// Who may do what: authentication, impersonation, authorization, admission and the reviews that answer questions about
// them, put together. A test may exchange the whole for `allow-all`.

import type { Clock, Logger } from '../base/index.ts';
import { createAdmission, type PluginChoice } from './admission/index.ts';
import {
  createAuthenticator,
  createImpersonator,
  createOidc,
  createRequestHeader,
  createServiceAccountIssuer,
  createServiceAccountVerifier,
  type OidcOptions,
  parseStaticTokens,
  type RequestHeaderOptions,
  type ServiceAccountIssuerOptions,
} from './authentication/index.ts';
import { createAuthorization, startRoleAggregation } from './authorization/index.ts';
import type {
  AdmissionPlugin,
  Authenticator,
  Authorizer,
  Credentials,
  ObjectReader,
  ObjectWriter,
  UserInfo,
} from './contracts.ts';
import type { Documents } from './http/path-requests.ts';
import { createReviews, type Review } from './reviews/index.ts';

export type SecurityOptions =
  | {
      readonly mode: 'rbac';
      readonly serviceAccounts: Omit<ServiceAccountIssuerOptions, 'clock'>;
      /** Whether requests without credentials are let through to authorization; default true. */
      readonly anonymous?: boolean;
      /** Text of a static token file. */
      readonly tokenFile?: string;
      readonly oidc?: OidcOptions;
      readonly requestHeader?: RequestHeaderOptions;
      /** Admission plugins by name; absent: upstream's defaults. */
      readonly admission?: PluginChoice;
    }
  /** Everybody is system:masters and nothing is admitted or changed: for tests of other parts. */
  | { readonly mode: 'allow-all' };

export interface Security {
  readonly reader: ObjectReader;
  readonly authenticate: Authenticator;
  readonly impersonate: (user: UserInfo, headers: Credentials['headers']) => UserInfo;
  readonly authorize: Authorizer;
  readonly admission: readonly AdmissionPlugin[];
  readonly reviews: readonly Review[];
  /** @param base where clients reach this server. */
  documents(base: () => string): Documents;
  stop(): void;
}

export function secure(
  options: SecurityOptions & {
    readonly reader: ObjectReader;
    readonly writer: ObjectWriter;
    readonly clock: Clock;
    readonly logger: Logger;
    /** PEM of the CA of ordinary clients, which tells them from front proxies. */
    readonly clientCa?: string | undefined;
    /** Told when the certificate that a request came with expires, ms since the epoch. */
    readonly certificateUsed?: (expires: number) => void;
  },
): Security {
  const { reader, writer, clock, logger } = options;
  if (options.mode === 'allow-all') return allowAll(reader);
  const issuer = createServiceAccountIssuer({ ...options.serviceAccounts, clock });
  const serviceAccounts = createServiceAccountVerifier(issuer, reader, { clock });
  const oidc = options.oidc && createOidc({ clock, ...options.oidc });
  const authenticate = createAuthenticator({
    reader,
    serviceAccounts,
    anonymous: options.anonymous ?? true,
    clock,
    ...(options.certificateUsed && { certificateUsed: options.certificateUsed }),
    ...(options.tokenFile === undefined ? {} : { staticTokens: parseStaticTokens(options.tokenFile) }),
    ...(oidc && { oidc }),
    ...(options.requestHeader && { requestHeader: createRequestHeader(options.requestHeader, options.clientCa) }),
  });
  const authorization = createAuthorization(reader);
  const { authorize, escalationCheck } = authorization;
  const admission = createAdmission({ reader, writer, authorize, escalationCheck, ...options.admission });
  const aggregation = startRoleAggregation({ reader, writer, log: logger });
  return {
    reader,
    authenticate,
    impersonate: createImpersonator(authorize),
    authorize,
    admission: admission.plugins,
    reviews: createReviews({ reader, authorization, authenticate, issuer, serviceAccounts, clock }),
    documents: (base) => ({
      '/openid/v1/jwks': () => issuer.jwks(),
      '/.well-known/openid-configuration': () => issuer.discovery(`${base()}/openid/v1/jwks`),
    }),
    stop() {
      aggregation.stop();
      admission.stop();
      oidc?.close();
    },
  };
}

function allowAll(reader: ObjectReader): Security {
  const user: UserInfo = { name: 'system:admin', groups: ['system:masters', 'system:authenticated'] };
  return {
    reader,
    authenticate: () => user,
    impersonate: (sender) => sender,
    authorize: () => ({ decision: 'allow', reason: '' }),
    admission: [],
    reviews: [],
    documents: () => ({}),
    stop: () => undefined,
  };
}
