// Admission by webhooks. Mutating ones are called one after another, in the order of their configurations' names; when one
// changed the object, the plugins before them run once more, and so do webhooks that ask for it. Validating ones are called
// all at once. Configurations are compiled when they change: without any, a write pays one comparison.
// Source: Kubernetes documentation, "Dynamic Admission Control"; apiserver pkg/admission/plugin/webhook.

import {
  applyDefaults,
  applyJsonPatch,
  conformObject,
  type KindOf,
  type KindSpec,
  type KubeObject,
  kinds,
  type MutatingWebhookConfiguration,
  sameJson,
  type ValidatingWebhookConfiguration,
} from '../../../api/index.ts';
import { messageOf } from '../../../base/index.ts';
import {
  type AdmissionPlugin,
  type AdmissionRequest,
  ApiError,
  type Authorizer,
  type ObjectReader,
} from '../../contracts.ts';
import { whenConverted } from '../../registry/conversion.ts';
import { bindingsOf, compileConditions, requestVariables } from './conditions.ts';
import { compileMatch, type Matcher } from './match.ts';
import { seenIn, storedFrom } from './versions.ts';
import { createWebhookClient, type WebhookClient } from './webhook-call.ts';
import { denied, type ReviewAnswer, readAnswer, reviewOf } from './webhook-review.ts';

type Mutating = NonNullable<MutatingWebhookConfiguration['webhooks']>[number];
type Configured = Omit<Mutating, 'reinvocationPolicy'> & { readonly reinvocationPolicy?: string };
type Configuration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;

interface Compiled {
  readonly webhook: Configured;
  readonly configuration: string;
  readonly match: Matcher;
  readonly conditions: ReturnType<typeof compileConditions>;
}

/** One that may be about a request, which it sees in `version`. */
interface Hook extends Compiled {
  readonly version: KindSpec;
}

export interface Webhooks {
  readonly mutating: AdmissionPlugin;
  readonly validating: AdmissionPlugin;
  stop(): void;
}

export interface WebhookOptions {
  readonly reader: ObjectReader;
  readonly authorize: Authorizer;
  /** The plugins that come earlier: they see once more what mutating webhooks made of the object (an added container). */
  readonly before: readonly AdmissionPlugin[];
}

export function createWebhooks(options: WebhookOptions): Webhooks {
  const { reader, authorize, before } = options;
  const client = createWebhookClient(reader);
  const mutatingHooks = hooksOf(reader, kinds.mutatingWebhookConfiguration);
  const validatingHooks = hooksOf(reader, kinds.validatingWebhookConfiguration);
  const call = createCaller(client, authorize);

  /** Asks `hooks`, then, when one changed something, the plugins before them and those hooks that want to see it. */
  async function mutateBy(hooks: readonly Hook[], request: AdmissionRequest): Promise<KubeObject> {
    const first = await mutateInTurn(call, hooks, request);
    const last = first.changedAt.lastIndexOf(true);
    if (last < 0) return first.object;
    const settled = await beforeHooks({ ...request, object: first.object });
    const moved = !sameJson(settled, first.object);
    const again = hooks.filter(
      ({ webhook }, index) => webhook.reinvocationPolicy === 'IfNeeded' && (moved || index < last),
    );
    return (await mutateInTurn(call, again, { ...request, object: settled })).object;
  }

  async function beforeHooks(request: AdmissionRequest): Promise<KubeObject> {
    let { object = {} } = request;
    for (const { mutate } of before) if (mutate !== undefined) object = await mutate({ ...request, object });
    return object;
  }

  return {
    mutating: {
      name: 'MutatingAdmissionWebhook',
      mutate(request) {
        const hooks = mutatingHooks(request);
        return hooks.length === 0 || request.object === undefined ? (request.object ?? {}) : mutateBy(hooks, request);
      },
      // There is nothing to change in a deletion or connection, but mutating webhooks are told and may refuse.
      validate(request) {
        const isWritten = request.operation === 'CREATE' || request.operation === 'UPDATE';
        const hooks = isWritten ? none : mutatingHooks(request);
        return hooks.length === 0 ? undefined : judgeBy(call, hooks, request);
      },
    },
    validating: {
      name: 'ValidatingAdmissionWebhook',
      validate(request) {
        const hooks = validatingHooks(request);
        return hooks.length === 0 ? undefined : judgeBy(call, hooks, request);
      },
    },
    stop: () => client.close(),
  };
}

const none: readonly Hook[] = [];
/** A webhook must not be able to lock its own configuration. */
const untouchable = new Set([
  'mutatingwebhookconfigurations',
  'validatingwebhookconfigurations',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
]);

/** The hooks that may be about a request, by its resource and operation; remembered until a configuration changes. */
function hooksOf<T extends Configuration>(
  reader: ObjectReader,
  kind: KindOf<T>,
): (request: AdmissionRequest) => readonly Hook[] {
  let all: readonly Compiled[] | undefined;
  // A definition that changes makes new kinds, so what is known of the old ones goes with them.
  let byKind = new WeakMap<KindSpec, Map<string, readonly Hook[]>>();
  reader.onChange(kind, () => {
    all = undefined;
    byKind = new WeakMap();
  });
  return (request) => {
    all ??= compile(reader, reader.list<T>(kind));
    if (all.length === 0) return none;
    const { group, plural } = request.kind;
    if (group === 'admissionregistration.k8s.io' && untouchable.has(plural)) return none;
    const requested = request.requested ?? request.kind;
    let ofKind = byKind.get(requested);
    if (ofKind === undefined) {
      ofKind = new Map();
      byKind.set(requested, ofKind);
    }
    const key = `${request.operation}/${request.subresource}`;
    let found = ofKind.get(key);
    if (found === undefined) {
      found = all.flatMap((hook) => {
        const version = hook.match.versionFor(request);
        return version === undefined ? [] : [{ ...hook, version }];
      });
      ofKind.set(key, found);
    }
    return found;
  };
}

function compile(reader: ObjectReader, configurations: readonly Configuration[]): readonly Compiled[] {
  return configurations.flatMap(({ metadata, webhooks = [] }) =>
    webhooks.map((webhook: Configured) => ({
      webhook,
      configuration: metadata?.name ?? '',
      match: compileMatch(reader, { ...webhook, rules: webhook.rules ?? [] }),
      conditions: compileConditions(webhook.matchConditions, requestVariables),
    })),
  );
}

interface Called {
  readonly answer: ReviewAnswer;
  /** What it was asked. */
  readonly seen: AdmissionRequest;
}

type Caller = (hook: Hook, request: AdmissionRequest) => Promise<Called | undefined>;

/** Asks one webhook; undefined when it is not concerned, or failed and may be ignored. Throws ApiError. */
function createCaller(client: WebhookClient, authorize: Authorizer): Caller {
  return async ({ webhook, match, conditions, version }, request) => {
    if (!match.matches(request)) return undefined;
    const seen = await whenConverted(() => seenIn(version, request));
    const { name, failurePolicy = 'Fail' } = webhook;
    const verdict = conditions(() => bindingsOf(seen, authorize));
    if (verdict.matches === false) return undefined;
    if (verdict.matches === 'error') {
      if (failurePolicy === 'Ignore') return undefined;
      throw new ApiError('Forbidden', `admission webhook ${JSON.stringify(name)} could not be matched: ${verdict.why}`);
    }
    try {
      const { uid, body } = reviewOf(seen);
      const answer = readAnswer(await client.post(webhook.clientConfig, body, webhook.timeoutSeconds ?? 10), uid);
      for (const warning of answer.warnings) request.warn?.(warning);
      for (const [key, value] of Object.entries(answer.auditAnnotations)) request.annotate?.(`${name}/${key}`, value);
      return { answer, seen };
    } catch (error) {
      if (failurePolicy === 'Ignore') {
        request.annotate?.(`failed-open.webhook.admission.k8s.io/${name}`, messageOf(error));
        return undefined;
      }
      const why = `failed calling webhook ${JSON.stringify(name)}: ${messageOf(error)}`;
      throw new ApiError('InternalError', `Internal error occurred: ${why}`, {
        details: { causes: [{ message: why }] },
        cause: error,
      });
    }
  };
}

async function judgeBy(call: Caller, hooks: readonly Hook[], request: AdmissionRequest): Promise<void> {
  const verdicts = await Promise.allSettled(hooks.map((hook) => judgeOnce(call, hook, request)));
  for (const verdict of verdicts) if (verdict.status === 'rejected') throw verdict.reason;
}

async function judgeOnce(call: Caller, hook: Hook, request: AdmissionRequest): Promise<void> {
  const called = await call(hook, request);
  if (called?.answer.allowed === false) throw denied(hook.webhook.name, called.answer.status);
}

/** Which hooks changed the object, by their place, and what it is now. */
async function mutateInTurn(
  call: Caller,
  hooks: readonly Hook[],
  request: AdmissionRequest,
): Promise<{ readonly object: KubeObject; readonly changedAt: readonly boolean[] }> {
  let object = request.object ?? {};
  const changedAt: boolean[] = [];
  for (const hook of hooks) {
    const mutated = await mutateOnce(call, hook, { ...request, object });
    changedAt.push(mutated?.differs === true);
    object = mutated?.object ?? object;
  }
  return { object, changedAt };
}

interface Mutated {
  readonly object: KubeObject;
  readonly differs: boolean;
}

async function mutateOnce(call: Caller, hook: Hook, request: AdmissionRequest): Promise<Mutated | undefined> {
  const called = await call(hook, request);
  if (called === undefined) return undefined;
  const { name } = hook.webhook;
  const { answer, seen } = called;
  if (!answer.allowed) throw denied(name, answer.status);
  const { object = {} } = request;
  if (answer.patch === undefined) return { object, differs: false };
  try {
    const made = applyJsonPatch(structuredClone(seen.object ?? {}), answer.patch) as KubeObject;
    const settle = (one: KubeObject): void => {
      conformObject(hook.version, one);
      applyDefaults(hook.version, one);
    };
    const changed = { stored: object, seen: seen.object ?? {}, made };
    const patched = await whenConverted(() => storedFrom(hook.version, changed, settle));
    request.annotate?.(`patch.webhook.admission.k8s.io/${name}`, JSON.stringify({ configuration: hook.configuration }));
    return { object: patched, differs: !sameJson(patched, object) };
  } catch (error) {
    const why = `admission webhook ${JSON.stringify(name)} attempted to modify the object: ${messageOf(error)}`;
    throw new ApiError('InternalError', `Internal error occurred: ${why}`, { cause: error });
  }
}
