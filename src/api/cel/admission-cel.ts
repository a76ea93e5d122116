// CEL as admission uses it: matchConditions of webhooks and ValidatingAdmissionPolicies. Values are untyped JSON, and the
// authorizer may be asked. Libraries and engine are those of schema rules (structural/).
// Source: Kubernetes documentation, "Validating Admission Policy" and "Common Expression Language in Kubernetes".

import { TypeError as CelTypeError, Environment, EvaluationError, ParseError } from '@marcbachmann/cel-js';
import { CelError, celValue } from '../structural/cel.ts';
import { boundOf, costMax, costOf } from '../structural/cel-cost.ts';
import { registerLibraries } from '../structural/cel-library.ts';
import { parseCel } from '../structural/cel-tree.ts';
import { isFields } from '../structural/fields.ts';

export interface AdmissionExpression {
  /** The CEL type of the answer: `bool`, `string`, `dyn`, … */
  readonly type: string;
  /** @param bindings CEL values, see celOf. Throws CelError. */
  run(bindings: Readonly<Record<string, unknown>>): unknown;
}

/** A question to the authorizer: the attributes of a SubjectAccessReview, all but the user. */
export interface AccessQuestion {
  readonly path?: string;
  readonly group?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly verb: string;
  /** `namespace/name` of a ServiceAccount to ask for instead of the sender. */
  readonly serviceAccount?: string;
}

export interface AccessAnswer {
  readonly allowed: boolean;
  readonly reason: string;
}

type Ask = (question: AccessQuestion) => AccessAnswer;

/** Compiles an expression over the variables `names`. Throws CelError with what is wrong. */
export function compileAdmissionCel(text: string, names: readonly string[]): AdmissionExpression {
  const env = environment().clone();
  for (const name of names) env.registerVariable(name, name === 'authorizer' ? 'kubernetes.Authorizer' : 'dyn');
  return translated(() => {
    const parsed = parseCel(env, text);
    const { valid, error, type = 'dyn' } = parsed.check();
    if (!valid) throw error ?? new CelError('does not compile');
    const bound = boundOf(parsed.ast);
    const run: AdmissionExpression['run'] = (bindings) =>
      translated(() => {
        // One comprehension walks what is there once; from two on there is something to multiply.
        const used = bound.depth < 2 ? [] : [...bound.names].map((name) => namedValue(name, bindings));
        if (costOf(bound, used) > costMax) throw new CelError('operation cancelled: actual cost limit exceeded');
        return parsed(bindings);
      });
    return { type, run };
  });
}

/** What a name of CelBound stands for. */
function namedValue(name: string, bindings: Readonly<Record<string, unknown>>): unknown {
  const [first = '', field] = name.split('.');
  const value = bindings[first];
  return field !== undefined && isFields(value) ? value[field] : value;
}

/** A JSON value as CEL takes it; absent is null. */
export function celOf(value: unknown): unknown {
  return value === undefined ? null : celValue(undefined, value);
}

/** The `authorizer` variable. */
export function celAuthorizer(ask: Ask): unknown {
  return new CelAuthorizer(ask, {});
}

class CelAuthorizer {
  readonly ask: Ask;
  readonly asked: Partial<AccessQuestion>;
  constructor(ask: Ask, asked: Partial<AccessQuestion>) {
    this.ask = ask;
    this.asked = asked;
  }
}

/** Each step of a question is a type of its own, so that questions that make no sense do not compile. */
class CelPathCheck extends CelAuthorizer {}
class CelGroupCheck extends CelAuthorizer {}
class CelResourceCheck extends CelAuthorizer {}

class CelDecision {
  readonly answer: AccessAnswer;
  constructor(answer: AccessAnswer) {
    this.answer = answer;
  }
}

const environment = once(() => {
  const env = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false });
  registerLibraries(env);
  const [authorizer, path, group, resource, decision] = [
    'kubernetes.Authorizer',
    'kubernetes.PathCheck',
    'kubernetes.GroupCheck',
    'kubernetes.ResourceCheck',
    'kubernetes.Decision',
  ];
  env.registerType(authorizer, CelAuthorizer);
  env.registerType(path, CelPathCheck);
  env.registerType(group, CelGroupCheck);
  env.registerType(resource, CelResourceCheck);
  env.registerType(decision, CelDecision);
  const step =
    (type: typeof CelAuthorizer, key: keyof AccessQuestion) =>
    ({ ask, asked }: CelAuthorizer, value: string) =>
      new type(ask, { ...asked, [key]: value });
  const check = ({ ask, asked }: CelAuthorizer, verb: string): CelDecision => new CelDecision(ask({ ...asked, verb }));
  env.registerFunction(`${authorizer}.path(string): ${path}`, step(CelPathCheck, 'path'));
  env.registerFunction(`${authorizer}.group(string): ${group}`, step(CelGroupCheck, 'group'));
  env.registerFunction(
    `${authorizer}.serviceAccount(string, string): ${authorizer}`,
    ({ ask, asked }: CelAuthorizer, namespace: string, name: string) =>
      new CelAuthorizer(ask, { ...asked, serviceAccount: `${namespace}/${name}` }),
  );
  env.registerFunction(`${group}.resource(string): ${resource}`, step(CelResourceCheck, 'resource'));
  for (const key of ['subresource', 'namespace', 'name'] as const) {
    env.registerFunction(`${resource}.${key}(string): ${resource}`, step(CelResourceCheck, key));
  }
  env.registerFunction(`${path}.check(string): ${decision}`, check);
  env.registerFunction(`${resource}.check(string): ${decision}`, check);
  env.registerFunction(`${decision}.allowed(): bool`, ({ answer }: CelDecision) => answer.allowed);
  env.registerFunction(`${decision}.reason(): string`, ({ answer }: CelDecision) => answer.reason);
  return env;
});

function translated<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof CelError) throw error;
    if (error instanceof ParseError || error instanceof EvaluationError || error instanceof CelTypeError) {
      throw new CelError(error.summary, { cause: error });
    }
    throw error instanceof Error ? new CelError(error.message, { cause: error }) : error;
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
