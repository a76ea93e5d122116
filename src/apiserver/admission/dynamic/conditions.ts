// matchConditions: CEL that must all hold for a webhook or policy to be asked at all. What a request looks like to CEL
// stands here too.

import {
  type AdmissionExpression,
  apiVersionOf,
  CelError,
  celAuthorizer,
  celOf,
  compileAdmissionCel,
} from '../../../api/index.ts';
import { serviceAccountUser } from '../../authentication/index.ts';
import type { AdmissionRequest, Authorizer } from '../../contracts.ts';
import { kindNames, resourceNames } from './versions.ts';

export interface Condition {
  readonly name: string;
  readonly expression: string;
}

/** False wins over an error: a condition that says "not for you" holds whatever the others do. */
export type Verdict =
  | { readonly matches: boolean }
  /** Some condition failed and none said no. */
  | { readonly matches: 'error'; readonly why: string };

export type Bindings = Readonly<Record<string, unknown>>;

/** Compiles at configuration time; an expression that does not compile fails each time it is asked. */
export function compileConditions(
  conditions: readonly Condition[] | undefined,
  names: readonly string[],
): (bindings: () => Bindings) => Verdict {
  if (conditions === undefined || conditions.length === 0) return () => ({ matches: true });
  const compiled = conditions.map(({ name, expression }) => ({ name, run: lateCompile(expression, names) }));
  return (bindings) => {
    const values = bindings();
    let why: string | undefined;
    for (const { name, run } of compiled) {
      try {
        if (run(values) !== true) return { matches: false };
      } catch (error) {
        if (!(error instanceof CelError)) throw error;
        why ??= `match condition "${name}": ${error.message}`;
      }
    }
    return why === undefined ? { matches: true } : { matches: 'error', why };
  };
}

export function lateCompile(expression: string, names: readonly string[]): AdmissionExpression['run'] {
  try {
    return compileAdmissionCel(expression, names).run;
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return () => {
      throw new CelError(`compilation failed: ${error.message}`);
    };
  }
}

export const requestVariables = ['object', 'oldObject', 'request', 'authorizer'] as const;
export const policyVariables = [...requestVariables, 'params', 'namespaceObject', 'variables'] as const;

/** The variables that every expression of admission sees. */
export function bindingsOf(request: AdmissionRequest, authorize: Authorizer): Bindings {
  return {
    object: celOf(request.object),
    oldObject: celOf(request.oldObject),
    request: celOf(requestOf(request)),
    authorizer: celAuthorizer((question) => {
      const { serviceAccount, path, group = '', resource = '', subresource = '', namespace = '', name = '' } = question;
      const [accountNamespace = '', account = ''] = serviceAccount?.split('/') ?? [];
      const { decision, reason } = authorize({
        user: serviceAccount === undefined ? request.user : serviceAccountUser(accountNamespace, account),
        verb: question.verb,
        isResourceRequest: path === undefined,
        apiGroup: group,
        apiVersion: '*',
        resource,
        subresource,
        namespace,
        name,
        path: path ?? '',
      });
      return { allowed: decision === 'allow', reason };
    }),
  };
}

/** An AdmissionRequest as CEL sees it, without the objects. */
function requestOf(request: AdmissionRequest): object {
  const { kind, requested = kind, subresource, name, namespace, operation, user, dryRun } = request;
  return {
    kind: kindNames(kind),
    resource: resourceNames(kind),
    subResource: subresource,
    requestKind: kindNames(requested),
    requestResource: resourceNames(requested),
    requestSubResource: subresource,
    name,
    namespace: namespace ?? '',
    operation,
    userInfo: { username: user.name, uid: user.uid ?? '', groups: user.groups, extra: user.extra ?? {} },
    dryRun,
    options: { apiVersion: apiVersionOf({ group: 'meta.k8s.io', version: 'v1' }) },
  };
}
