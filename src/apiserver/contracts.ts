// Where the parts of the API server meet: authentication, authorization, admission and the registry each live in a folder
// of their own and know of each other only what stands here.

import type { KindSpec, KubeObject, ObjectMeta, Status, Verb } from '../api/index.ts';

export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What one request carries that can prove who sent it. */
export interface Credentials {
  /** DER of the client certificate that TLS verified against the client CA; absent when there was none or it did not verify. */
  readonly clientCertificate?: {
    readonly commonName: string;
    readonly organizations: readonly string[];
    readonly fingerprint256: string;
    /** ms since the epoch. */
    readonly expires?: number;
    /** Of the CA that signed it, where that is known. */
    readonly issuerFingerprint256?: string;
  };
  readonly bearerToken?: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** undefined: this method found nothing to judge, ask the next one. Throws ApiError 401 for a credential that is wrong. */
export type Authenticator = (credentials: Credentials) => UserInfo | undefined | Promise<UserInfo | undefined>;

/** The authorization vocabulary of upstream's SubjectAccessReview. */
export interface RequestAttributes {
  readonly user: UserInfo;
  readonly verb: Verb | 'proxy' | 'impersonate' | 'bind' | 'escalate' | 'approve' | 'sign' | (string & {});
  readonly isResourceRequest: boolean;
  readonly apiGroup: string;
  readonly apiVersion: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** For non-resource requests: /healthz, /version, … */
  readonly path: string;
}

export type Decision =
  | { readonly decision: 'allow' | 'deny'; readonly reason: string }
  | { readonly decision: 'no-opinion'; readonly reason: string };

/** Synchronous: authorizers read the watch cache, never the network. */
export type Authorizer = (attributes: RequestAttributes) => Decision;

/** Parsed objects out of the watch cache, for authorizers, admission and validation. Objects are shared: never change one. */
export interface ObjectReader {
  get<T extends KubeObject>(kind: KindSpec, namespace: string | undefined, name: string): T | undefined;
  list<T extends KubeObject>(kind: KindSpec, namespace?: string): readonly T[];
  /** Every version (and group) in which the objects of a stored kind are served, its own among them. */
  versionsOf(kind: KindSpec): readonly KindSpec[];
  /** Called after each committed change to a kind, so that compiled forms (RBAC rules, signed tokens) can be kept up to date. */
  onChange(kind: KindSpec, handler: (change: ObjectChange) => void): void;
}

export interface ObjectChange {
  readonly type: 'put' | 'delete';
  readonly namespace: string | undefined;
  readonly name: string;
}

export interface AdmissionRequest {
  readonly user: UserInfo;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  /** The kind that the objects below are of: the stored one. */
  readonly kind: KindSpec;
  /** The kind that the client spoke of, another version of `kind`; absent: the same. */
  readonly requested?: KindSpec;
  readonly subresource: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly dryRun: boolean;
  /** What will be stored, defaulted; undefined for DELETE and CONNECT. A mutating plugin answers with another object. */
  readonly object: KubeObject | undefined;
  readonly oldObject: KubeObject | undefined;
  /** Tells the client something in a `Warning` header. */
  readonly warn?: (message: string) => void;
  /** Adds to the audit event of the request. */
  readonly annotate?: (key: string, value: string) => void;
  /** `undo` runs when the object is not stored after all: refused by a later plugin, the name is taken, a race is lost. */
  readonly onNotStored?: (undo: () => Promise<void>) => void;
}

/** One admission plugin, named as upstream names it. Both throw ApiError (403, 422, …) to refuse. */
export interface AdmissionPlugin {
  readonly name: string;
  /** Answers the object to go on with (the same one when nothing changes). */
  readonly mutate?: (request: AdmissionRequest) => KubeObject | Promise<KubeObject>;
  readonly validate?: (request: AdmissionRequest) => void | Promise<void>;
}

/** Upstream's `Status.reason` values with their HTTP codes; source: k8s.io/apimachinery meta/v1 StatusReason. */
export const statusReasons = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
  ServerTimeout: 500,
} as const;

export type StatusReason = keyof typeof statusReasons;

export interface ApiErrorOptions {
  readonly details?: NonNullable<Status['details']>;
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
  /** What the client sees instead of the reason and its code: the verdict of somebody else, passed on. */
  readonly shownAs?: { readonly code: number; readonly reason: string };
}

/** Ends a request with a `Status` object. */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: StatusReason | (string & {});
  readonly details: Status['details'];
  readonly retryAfterSeconds: number | undefined;

  constructor(reason: StatusReason, message: string, options: ApiErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'ApiError';
    this.code = options.shownAs?.code ?? statusReasons[reason];
    this.reason = options.shownAs?.reason ?? reason;
    this.details = options.details;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** What the registry needs of the rest for objects that other parts make (tokens, reviews, default objects). */
export interface ObjectWriter {
  /** Creates unless it exists; answers what is stored. Goes through defaulting and validation, not through admission. */
  ensure<T extends KubeObject>(kind: KindSpec, object: T & { readonly metadata: ObjectMeta }): Promise<T>;
  /** Read, change, compare-and-swap, again on conflict. `change` answers undefined for "leave it". */
  update<T extends KubeObject>(
    kind: KindSpec,
    namespace: string | undefined,
    name: string,
    change: (object: T) => T | undefined,
  ): Promise<T | undefined>;
  /** The same for the status of an object. What `change` throws is passed on. */
  updateStatus<T extends KubeObject>(
    kind: KindSpec,
    namespace: string | undefined,
    name: string,
    change: (object: T) => T | undefined,
  ): Promise<T | undefined>;
}
