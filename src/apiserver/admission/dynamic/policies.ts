// ValidatingAdmissionPolicies: rules in CEL that bindings put to work, with parameters, on the requests they match. All
// expressions are compiled when a policy or binding changes; policy-check.ts refuses those that cannot be.
// Source: Kubernetes documentation, "Validating Admission Policy"; apiserver pkg/admission/plugin/policy/validating.

import {
  CelError,
  celOf,
  type KindSpec,
  type KubeObject,
  kinds,
  type ValidatingAdmissionPolicy,
  type ValidatingAdmissionPolicyBinding,
} from '../../../api/index.ts';
import { messageOf } from '../../../base/index.ts';
import {
  type AdmissionPlugin,
  type AdmissionRequest,
  ApiError,
  type Authorizer,
  type ObjectReader,
  statusReasons,
} from '../../contracts.ts';
import { whenConverted } from '../../registry/conversion.ts';
import { refuse } from '../refuse.ts';
import { type Bindings, bindingsOf, compileConditions, lateCompile, policyVariables } from './conditions.ts';
import { checkExpressions } from './expression-check.ts';
import { compileMatch, type Matcher, namespaceOf } from './match.ts';
import { paramsOf } from './policy-params.ts';
import { seenIn } from './versions.ts';

type PolicySpec = NonNullable<ValidatingAdmissionPolicy['spec']>;
type BindingSpec = NonNullable<ValidatingAdmissionPolicyBinding['spec']>;
type Run = (bindings: Bindings) => unknown;

interface Validation {
  readonly run: Run;
  readonly expression: string;
  readonly message: string | undefined;
  readonly messageRun: Run | undefined;
  readonly reason: string;
}

interface Policy {
  readonly name: string;
  readonly spec: PolicySpec;
  readonly match: Matcher;
  readonly conditions: ReturnType<typeof compileConditions>;
  readonly variables: readonly { readonly name: string; readonly run: Run }[];
  readonly validations: readonly Validation[];
  readonly annotations: readonly { readonly key: string; readonly run: Run }[];
}

interface Bound {
  readonly policy: Policy;
  readonly name: string;
  readonly spec: BindingSpec;
  readonly match: Matcher | undefined;
}

/** A policy that is about a request, and the version in which it sees the request's objects. */
interface Concerned {
  readonly bound: Bound;
  readonly version: KindSpec;
}

interface Failure {
  readonly message: string;
  readonly reason: string;
  readonly index: number;
}

const failurePrefix = 'validation.policy.admission.k8s.io/validation_failure';

export function validatingPolicies({
  reader,
  authorize,
}: {
  readonly reader: ObjectReader;
  readonly authorize: Authorizer;
}): AdmissionPlugin {
  let compiled: readonly Bound[] | undefined;
  const forget = (): void => {
    compiled = undefined;
  };
  reader.onChange(kinds.validatingAdmissionPolicy, forget);
  reader.onChange(kinds.validatingAdmissionPolicyBinding, forget);
  return {
    name: 'ValidatingAdmissionPolicy',
    validate(request) {
      compiled ??= compileAll(reader);
      if (request.kind.group === 'admissionregistration.k8s.io') return checkExpressions(request);
      if (compiled.length === 0) return;
      const concerned = compiled.flatMap((bound): readonly Concerned[] => {
        const version = versionFor(request, bound);
        return version === undefined ? [] : [{ bound, version }];
      });
      if (concerned.length === 0) return;
      const versions = new Set(concerned.map(({ version }) => version));
      const seen = (): Seen => new Map([...versions].map((version) => [version, seenIn(version, request)]));
      return versions.size === 1 && versions.has(request.kind)
        ? judge(reader, authorize, { request, seen: seen() }, concerned)
        : whenConverted(seen).then((all) => judge(reader, authorize, { request, seen: all }, concerned));
    },
  };
}

function versionFor(request: AdmissionRequest, { policy, match }: Bound): KindSpec | undefined {
  const version = policy.match.versionFor(request);
  if (version === undefined || !policy.match.matches(request)) return undefined;
  const isBound = match === undefined || (match.versionFor(request) !== undefined && match.matches(request));
  return isBound ? version : undefined;
}

function compileAll(reader: ObjectReader): readonly Bound[] {
  const bindings = reader.list<ValidatingAdmissionPolicyBinding>(kinds.validatingAdmissionPolicyBinding);
  if (bindings.length === 0) return [];
  const policies = new Map(
    reader
      .list<ValidatingAdmissionPolicy>(kinds.validatingAdmissionPolicy)
      .map((policy) => [policy.metadata?.name ?? '', policy]),
  );
  return bindings.flatMap(({ metadata, spec }) => {
    const policy = policies.get(spec?.policyName ?? '');
    if (spec === undefined || policy?.spec === undefined) return [];
    const { matchResources } = spec;
    const everything = [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'] }];
    const rules = matchResources?.resourceRules ?? everything;
    const match =
      matchResources === undefined
        ? undefined
        : compileMatch(reader, { ...matchResources, rules, excluded: matchResources.excludeResourceRules ?? [] });
    return [
      {
        policy: compilePolicy(reader, policy.metadata?.name ?? '', policy.spec),
        name: metadata?.name ?? '',
        spec,
        match,
      },
    ];
  });
}

function compilePolicy(reader: ObjectReader, name: string, spec: PolicySpec): Policy {
  const { matchConstraints } = spec;
  return {
    name,
    spec,
    match: compileMatch(reader, {
      ...matchConstraints,
      rules: matchConstraints?.resourceRules ?? [],
      excluded: matchConstraints?.excludeResourceRules ?? [],
    }),
    conditions: compileConditions(spec.matchConditions, policyVariables),
    variables: (spec.variables ?? []).map((one) => ({
      name: one.name,
      run: lateCompile(one.expression, policyVariables),
    })),
    validations: (spec.validations ?? []).map(({ expression, message, messageExpression, reason = 'Invalid' }) => ({
      run: lateCompile(expression, policyVariables),
      expression,
      message,
      messageRun: messageExpression === undefined ? undefined : lateCompile(messageExpression, policyVariables),
      reason,
    })),
    annotations: (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
      key,
      run: lateCompile(valueExpression, policyVariables),
    })),
  };
}

/** A request in each version that a policy wants. */
type Seen = ReadonlyMap<KindSpec, AdmissionRequest>;

function judge(
  reader: ObjectReader,
  authorize: Authorizer,
  { request, seen }: { readonly request: AdmissionRequest; readonly seen: Seen },
  all: readonly Concerned[],
): void {
  const namespaceObject = celOf(request.namespace === undefined ? undefined : namespaceOf(reader, request.namespace));
  const bindings = new Map(
    [...seen].map(([version, one]) => [version, { ...bindingsOf(one, authorize), namespaceObject }]),
  );
  for (const { bound, version } of all) {
    const { policy, name, spec } = bound;
    const shared = bindings.get(version) ?? {};
    const failures = failuresOf(reader, request, { bound, shared });
    const told = `ValidatingAdmissionPolicy '${policy.name}' with binding '${name}'`;
    const actions = spec.validationActions ?? ['Deny'];
    if (actions.includes('Audit') && failures.length > 0) {
      const entries = failures.map(({ message, index }) => ({
        message,
        policy: policy.name,
        binding: name,
        expressionIndex: index,
        validationActions: actions,
      }));
      request.annotate?.(failurePrefix, JSON.stringify(entries));
    }
    const [first] = failures;
    if (actions.includes('Deny') && first !== undefined) throw denial(request, `${told} denied request: `, first);
    if (actions.includes('Warn')) {
      for (const { message } of failures) request.warn?.(`Validation failed for ${told}: ${message}`);
    }
  }
}

function failuresOf(
  reader: ObjectReader,
  request: AdmissionRequest,
  { bound, shared }: { readonly bound: Bound; readonly shared: Bindings },
): readonly Failure[] {
  const { policy, spec } = bound;
  const isStrict = policy.spec.failurePolicy !== 'Ignore';
  const failed = (message: string, index = 0): readonly Failure[] =>
    isStrict ? [{ message, reason: 'Invalid', index }] : [];
  try {
    const verdict = policy.conditions(() => ({ ...shared, params: null, variables: {} }));
    if (verdict.matches === 'error') return failed(verdict.why);
    if (!verdict.matches) return [];
    const { paramKind } = policy.spec;
    const { paramRef } = spec;
    const params =
      paramKind === undefined || paramRef === undefined
        ? [undefined]
        : paramsOf(reader, request, { paramKind, paramRef });
    return params.flatMap((param) => failuresWith(request, policy, withVariables(policy, shared, param), failed));
  } catch (error) {
    return failed(`failed to configure binding: ${messageOf(error)}`);
  }
}

/** `variables` are computed when first used: a policy may have many that few requests need. */
function withVariables(policy: Policy, shared: Bindings, param: KubeObject | undefined): Bindings {
  const variables = {};
  const bindings = { ...shared, params: celOf(param), variables };
  for (const { name, run } of policy.variables) {
    let known: { readonly value: unknown } | undefined;
    Object.defineProperty(variables, name, {
      enumerable: true,
      get: () => {
        known ??= { value: run(bindings) };
        return known.value;
      },
    });
  }
  return bindings;
}

function failuresWith(
  request: AdmissionRequest,
  policy: Policy,
  bindings: Bindings,
  failed: (message: string, index: number) => readonly Failure[],
): readonly Failure[] {
  for (const { key, run } of policy.annotations) annotate(request, `${policy.name}/${key}`, () => run(bindings));
  return policy.validations.flatMap((validation, index) => {
    try {
      if (validation.run(bindings) === true) return [];
      return [{ message: messageFor(validation, bindings), reason: validation.reason, index }];
    } catch (error) {
      if (!(error instanceof CelError)) throw error;
      return failed(`expression '${validation.expression}' resulted in error: ${error.message}`, index);
    }
  });
}

function annotate(request: AdmissionRequest, key: string, value: () => unknown): void {
  try {
    const text = value();
    if (typeof text === 'string' && text !== '') request.annotate?.(key, text);
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
  }
}

function messageFor({ message, messageRun, expression }: Validation, bindings: Bindings): string {
  try {
    const text = messageRun?.(bindings);
    if (typeof text === 'string' && text.trim() !== '' && !text.includes('\n')) return text;
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
  }
  return message ?? `failed expression: ${expression.trim()}`;
}

function denial(request: AdmissionRequest, prefix: string, { message, reason }: Failure): ApiError {
  const code = Object.hasOwn(statusReasons, reason) ? statusReasons[reason as keyof typeof statusReasons] : 422;
  const { message: full, details } = refuse(request, prefix + message, [{ message }]);
  return new ApiError('Invalid', full, { shownAs: { code, reason }, ...(details && { details }) });
}
