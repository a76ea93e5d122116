// Audit events of requests: who did what, when, and with what result, as audit.k8s.io/v1 Events. Bodies are looked at only
// for levels that ask for them; Metadata never holds any, so that Secrets and tokens stay out of the log unless the policy
// wants them in.

import { isIP } from 'node:net';
import type { Clock } from '../../base/index.ts';
import type { ApiError, RequestAttributes, UserInfo } from '../contracts.ts';
import { type AuditPolicy, judge, type Stage, type Verdict } from './policy.ts';
import type { AuditSink } from './sink.ts';

export interface AuditedRequest {
  readonly auditId: string;
  /** As sent, with its query. */
  readonly uri: string;
  readonly attributes: RequestAttributes;
  /** The user that really sent it, when it acts as another one. */
  readonly impersonator?: UserInfo | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly remoteAddress: string | undefined;
}

export interface AuditRecord {
  readonly wantsRequestBody: boolean;
  readonly wantsResponseBody: boolean;
  annotate(key: string, value: string): void;
  requestBody(body: Buffer): void;
  responseBody(body: Buffer): void;
  failed(error: ApiError): void;
  /** A watch or stream has begun. */
  started(status: number): void;
  complete(status: number): void;
}

export interface AuditLog {
  /** undefined: nothing of it is written down. */
  begin(request: AuditedRequest): AuditRecord | undefined;
}

export function createAuditLog(options: {
  readonly policy: AuditPolicy;
  readonly sink: Pick<AuditSink, 'write'>;
  readonly clock: Clock;
}): AuditLog {
  const { policy, sink, clock } = options;
  const now = (): string => new Date(clock.now()).toISOString().replace('Z', '000Z');
  return {
    begin(request) {
      const verdict = judge(policy, request.attributes);
      if (verdict.level === 'None') return undefined;
      return record(request, verdict, { now, write: (event) => sink.write(`${JSON.stringify(event)}\n`) });
    },
  };
}

interface Tools {
  now(): string;
  write(event: object): void;
}

function record(request: AuditedRequest, verdict: Verdict, { now, write }: Tools): AuditRecord {
  const { level, omitStages } = verdict;
  const received = now();
  const annotations: Record<string, string> = {};
  const base = headOf(request, level);
  let failure: ApiError | undefined;
  let requestObject: unknown;
  let responseObject: unknown;

  const tell = (stage: Stage, status?: number): void => {
    if (omitStages.has(stage)) return;
    write({
      ...base,
      stage,
      ...(status === undefined ? {} : { responseStatus: statusOf(status, failure) }),
      ...(requestObject === undefined ? {} : { requestObject }),
      ...(responseObject === undefined ? {} : { responseObject }),
      requestReceivedTimestamp: received,
      stageTimestamp: now(),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    });
  };

  const read = (body: Buffer): unknown => withoutManagedFields(parse(body), verdict.omitManagedFields);
  tell('RequestReceived');
  return {
    wantsRequestBody: level === 'Request' || level === 'RequestResponse',
    wantsResponseBody: level === 'RequestResponse',
    annotate(key, value) {
      annotations[key] ??= value;
    },
    requestBody(body) {
      requestObject = read(body);
    },
    responseBody(body) {
      responseObject = read(body);
    },
    failed(error) {
      failure = error;
    },
    started: (status) => tell('ResponseStarted', status),
    complete: (status) => tell('ResponseComplete', status),
  };
}

function headOf({ attributes, impersonator, ...request }: AuditedRequest, level: string): object {
  const agent = request.headers['user-agent'];
  const acting = userOf(attributes.user);
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level,
    auditID: request.auditId,
    requestURI: request.uri,
    verb: attributes.verb,
    user: impersonator === undefined ? acting : userOf(impersonator),
    ...(impersonator === undefined ? {} : { impersonatedUser: acting }),
    sourceIPs: addressesOf(request),
    ...(typeof agent === 'string' ? { userAgent: agent } : {}),
    ...(attributes.isResourceRequest ? { objectRef: objectOf(attributes) } : {}),
  };
}

function objectOf(attributes: RequestAttributes): object {
  const { resource, namespace, name, apiGroup, apiVersion, subresource } = attributes;
  const all = { resource, namespace, name, apiGroup, apiVersion, subresource };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''));
}

function userOf({ name, uid, groups, extra }: UserInfo): object {
  return { username: name, ...(uid === undefined ? {} : { uid }), groups, ...(extra === undefined ? {} : { extra }) };
}

/** The client first, then the proxies on the way. */
function addressesOf({ headers, remoteAddress }: Pick<AuditedRequest, 'headers' | 'remoteAddress'>): readonly string[] {
  const forwarded = String(headers['x-forwarded-for'] ?? '').split(',');
  const all = [...forwarded.map((one) => one.trim()), remoteAddress?.replace(/^::ffff:/, '') ?? ''];
  return [...new Set(all.filter((one) => isIP(one) !== 0))];
}

function statusOf(code: number, failure: ApiError | undefined): object {
  if (failure === undefined) return { metadata: {}, code };
  const { message, reason } = failure;
  return { metadata: {}, status: 'Failure', message, reason, code: failure.code };
}

function parse(body: Buffer): unknown {
  try {
    return body.length === 0 ? undefined : (JSON.parse(body.toString()) as unknown);
  } catch {
    // YAML, protobuf, or nothing that this server took: named, not copied.
    return undefined;
  }
}

function withoutManagedFields(value: unknown, omit: boolean): unknown {
  if (!omit || typeof value !== 'object' || value === null) return value;
  const { metadata, items, ...rest } = value as { readonly metadata?: object; readonly items?: readonly unknown[] };
  const { managedFields: _dropped, ...kept } = (metadata ?? {}) as { readonly managedFields?: unknown };
  return {
    ...rest,
    ...(metadata === undefined ? {} : { metadata: kept }),
    ...(items === undefined ? {} : { items: items.map((item) => withoutManagedFields(item, true)) }),
  };
}
