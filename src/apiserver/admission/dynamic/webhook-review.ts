// AdmissionReview v1, both ways: what a webhook is asked, and what its answer means.
// Source: k8s.io/api admission/v1; Kubernetes documentation, "Dynamic Admission Control".

import { randomUUID } from 'node:crypto';
import { apiVersionOf, type KubeObject, type Status } from '../../../api/index.ts';
import { type AdmissionRequest, ApiError } from '../../contracts.ts';
import { kindNames, resourceNames } from './versions.ts';

const apiVersion = 'admission.k8s.io/v1';

export interface Review {
  readonly uid: string;
  readonly body: string;
}

export interface ReviewAnswer {
  readonly allowed: boolean;
  readonly status: Partial<Status>;
  /** RFC 6902, parsed. */
  readonly patch: unknown[] | undefined;
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

const optionsKinds = {
  CREATE: 'CreateOptions',
  UPDATE: 'UpdateOptions',
  DELETE: 'DeleteOptions',
  CONNECT: '',
} as const;

export function reviewOf(request: AdmissionRequest): Review {
  const { kind, requested = kind, subresource, namespace, operation, user, dryRun, object, oldObject } = request;
  const uid = randomUUID();
  const sub = subresource === '' ? {} : { subResource: subresource, requestSubResource: subresource };
  const typed = (one: KubeObject | undefined): KubeObject | null =>
    one === undefined ? null : { apiVersion: apiVersionOf(kind), kind: kind.kind, ...one };
  const options = optionsKinds[operation];
  return {
    uid,
    body: JSON.stringify({
      kind: 'AdmissionReview',
      apiVersion,
      request: {
        uid,
        kind: kindNames(kind),
        resource: resourceNames(kind),
        requestKind: kindNames(requested),
        requestResource: resourceNames(requested),
        ...sub,
        name: request.name,
        ...(namespace === undefined ? {} : { namespace }),
        operation,
        userInfo: {
          username: user.name,
          ...(user.uid === undefined ? {} : { uid: user.uid }),
          groups: user.groups,
          ...(user.extra === undefined ? {} : { extra: user.extra }),
        },
        object: typed(object),
        oldObject: typed(oldObject),
        dryRun,
        options:
          options === ''
            ? null
            : { kind: options, apiVersion: 'meta.k8s.io/v1', ...(dryRun ? { dryRun: ['All'] } : {}) },
      },
    }),
  };
}

/** Throws Error with what is wrong with an answer that is none. */
export function readAnswer(text: string, uid: string): ReviewAnswer {
  const review = parse(text) as {
    readonly kind?: string;
    readonly apiVersion?: string;
    readonly response?: Response;
  } | null;
  if (review?.kind !== 'AdmissionReview' || review.apiVersion !== apiVersion) {
    throw new Error(
      `expected webhook response of ${apiVersion}, Kind=AdmissionReview, got ${review?.apiVersion ?? ''}, Kind=${review?.kind ?? ''}`,
    );
  }
  const { response } = review;
  if (response === undefined || response === null) throw new Error('webhook response was absent');
  if (response.uid !== uid)
    throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`);
  if (response.patch !== undefined && response.patchType !== 'JSONPatch') {
    throw new Error(
      `webhook returned response.patch with response.patchType ${JSON.stringify(response.patchType ?? '')}`,
    );
  }
  return {
    allowed: response.allowed === true,
    status: response.status ?? {},
    patch: response.patch === undefined ? undefined : readPatch(response.patch),
    warnings: response.warnings ?? [],
    auditAnnotations: response.auditAnnotations ?? {},
  };
}

interface Response {
  readonly uid?: string;
  readonly allowed?: boolean;
  readonly status?: Partial<Status>;
  readonly patch?: string;
  readonly patchType?: string;
  readonly warnings?: readonly string[];
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}

function readPatch(base64: string): unknown[] | undefined {
  const patch = parse(Buffer.from(base64, 'base64').toString());
  if (!Array.isArray(patch)) throw new Error('webhook returned a response.patch that is no JSON patch');
  return patch.length === 0 ? undefined : patch;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`couldn't parse the response: ${JSON.stringify(text.slice(0, 100))}`);
  }
}

/** A refusal in the words of the webhook. Source: apiserver pkg/admission/plugin/webhook/errors, ToStatusErr. */
export function denied(name: string, { code = 0, reason = '', message = '', details }: Partial<Status>): ApiError {
  const by = `admission webhook ${JSON.stringify(name)} denied the request`;
  const why = message !== '' ? `${by}: ${message}` : reason !== '' ? `${by}: ${reason}` : `${by} without explanation`;
  return new ApiError('Forbidden', why, {
    shownAs: { code: code >= 400 ? code : 400, reason },
    ...(details === undefined ? {} : { details }),
  });
}
