// POST pods/NAME/eviction. Admission judges the Eviction, the budget is charged, the pod is marked and deleted. The pod's
// deletion itself is not judged again: who may evict may not need the right to delete, as upstream.

import { apiVersionOf, type KubeObject, kinds, type Pod, type PodDisruptionBudget } from '../../api/index.ts';
import { ApiError } from '../contracts.ts';
import { type DeleteOptions, parseDeleteOptions, timestampOf } from '../registry/deletion.ts';
import { chargedBudget, evictedPod, planEviction } from '../registry/eviction.ts';
import { inNamespace } from '../registry/metadata.ts';
import type { Registry } from '../registry/registry.ts';
import type { Resource } from '../registry/resource.ts';
import { decodeBodyAs } from '../registry/schema.ts';
import { section } from '../registry/strategies/fields.ts';
import type { WriteRequest } from '../registry/writing.ts';
import { warn } from './exchange.ts';
import { type BodyFormat, bodyFormatOf, parseBody } from './negotiate.ts';
import { fieldValidationOf, type ResourceRequest, writeRequestOf } from './resource-request.ts';
import { sendJson } from './respond.ts';
import { badRequest, conflict, notFound } from './status-body.ts';

interface Target {
  readonly pods: Resource;
  readonly write: WriteRequest;
  readonly options: DeleteOptions;
}

/** Source: policy/v1 Eviction. Throws ApiError 400, 404, 429 (the budget does not allow it) or what admission says. */
export async function serveEviction(registry: Registry, request: ResourceRequest): Promise<void> {
  const { exchange, resource, target } = request;
  const eviction = await readEviction(request);
  if (eviction.metadata?.name !== target.name) throw badRequest('name in URL does not match name in Eviction object');
  inNamespace(eviction.metadata, kinds.eviction, target.namespace);
  const options = parseDeleteOptions(section(eviction, 'deleteOptions'), noQuery);
  const asked = writeRequestOf(request);
  const write = { ...asked, dryRun: asked.dryRun || options.dryRun === true };
  await judge(registry, request, { write, eviction });
  await evict(registry, { pods: resource, write: { ...write, subresource: '' }, options });
  sendJson(exchange, 201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
}

const noQuery = new URLSearchParams();
/** kubectl sent it until 1.21. It has the form of v1. */
const v1beta1 = { ...kinds.eviction, version: 'v1beta1' };

async function readEviction({ exchange, bodyLimit, query }: ResourceRequest): Promise<KubeObject> {
  const body = await exchange.readBody(bodyLimit);
  const format = bodyFormatOf(exchange.headers['content-type']);
  const kind = apiVersionIn(body, format) === apiVersionOf(v1beta1) ? v1beta1 : kinds.eviction;
  const { object, warnings } = decodeBodyAs(kind, body, { format, mode: fieldValidationOf(query) });
  for (const message of warnings) warn(exchange, message);
  return { ...object, apiVersion: apiVersionOf(kinds.eviction) };
}

/** undefined also for what does not parse: the decoder says why. */
function apiVersionIn(body: Buffer, format: BodyFormat): unknown {
  try {
    return (parseBody(body, format) as Partial<KubeObject> | null)?.apiVersion;
  } catch (error) {
    if (error instanceof ApiError) return undefined;
    throw error;
  }
}

async function judge(
  { admission }: Registry,
  { resource, target }: ResourceRequest,
  { write, eviction }: { readonly write: WriteRequest; readonly eviction: KubeObject },
): Promise<void> {
  if (resource.cache.get(target.namespace, target.name) === undefined) throw notFound(resource.spec, target.name);
  const judged = { ...write, kind: resource.spec, operation: 'CREATE', oldObject: undefined } as const;
  const object = await admission.mutate({ ...judged, object: eviction });
  await admission.validate({ ...judged, object });
}

const attemptsMax = 5;

async function evict(registry: Registry, { pods, write, options }: Target): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    // The newest state, writes on their way included: what is judged is what gets deleted.
    const entry = await registry.store.newest(pods.keyOf(write.namespace, write.name));
    if (entry === undefined) throw notFound(pods.spec, write.name);
    const pod = JSON.parse(Buffer.from(entry.bytes).toString()) as Pod;
    const pinned = await chargeBudget(registry, pod, write);
    try {
      return await deletePod(registry, { pods, write, options: pinned ? pinnedTo(pod, options) : options });
    } catch (error) {
      // The pod became another one (got ready, say) after it was found unguarded: ask again what guards it.
      const moved = error instanceof ApiError && error.reason === 'Conflict' && pinned;
      if (!moved || options.preconditions?.resourceVersion !== undefined || attempt >= attemptsMax) throw error;
    }
  }
}

/** Answers whether the pod must be the one that was judged. */
async function chargeBudget({ resources, unjudged, clock }: Registry, pod: Pod, write: WriteRequest): Promise<boolean> {
  const budgets = resources.ofKind(kinds.podDisruptionBudget);
  if (budgets === undefined) return false;
  const all = budgets.cache.list(write.namespace);
  const plan = planEviction(
    pod,
    all.map((one) => one.parsed<PodDisruptionBudget>()),
  );
  if (plan.action === 'delete') return plan.pinned;
  const now = timestampOf(clock.now());
  const name = plan.budget.metadata?.name ?? '';
  const status = { ...write, name, subresource: 'status' };
  await unjudged.update(budgets, status, (old) => chargedBudget(old as PodDisruptionBudget, write.name, { now }), {
    isPatch: true,
  });
  return false;
}

async function deletePod(registry: Registry, { pods, write, options }: Target): Promise<void> {
  const { unjudged } = registry;
  if (write.dryRun) return void (await unjudged.remove(pods, write, options));
  const { preconditions } = options;
  const pinned = preconditions?.resourceVersion;
  const now = timestampOf(registry.clock.now());
  const mark = (old: KubeObject): KubeObject => {
    const have = old.metadata?.resourceVersion;
    if (pinned === undefined || pinned === have) return evictedPod(old as Pod, now);
    const why = `Precondition failed: ResourceVersion in precondition: ${pinned}, ResourceVersion in object meta: ${have}`;
    throw conflict(pods.spec, write.name, why);
  };
  const { bytes } = await unjudged.update(pods, { ...write, subresource: 'status' }, mark, { isPatch: true });
  const marked = JSON.parse((bytes ?? Buffer.from('{}')).toString()) as Pod;
  const resourceVersion = marked.metadata?.resourceVersion;
  const moved = pinned === undefined || resourceVersion === undefined ? {} : { resourceVersion };
  await unjudged.remove(pods, write, { ...options, preconditions: { ...preconditions, ...moved } });
}

function pinnedTo({ metadata }: Pod, options: DeleteOptions): DeleteOptions {
  const { uid, resourceVersion } = metadata ?? {};
  const own = {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  return { ...options, preconditions: { ...own, ...options.preconditions } };
}
