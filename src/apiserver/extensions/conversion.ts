// Calls conversion webhooks. Answers are remembered by what was asked: a heartbeat of an object, the many watchers of one
// event and the second look of a write at the same object cost no call. What is asked for in one turn goes out as one
// ConversionReview. Source: apiextensions.k8s.io/v1 ConversionReview; apiextensions-apiserver conversion/webhook_converter.go.

import { createHash, randomUUID } from 'node:crypto';
import type { ConvertObject, KubeObject } from '../../api/index.ts';
import { messageOf } from '../../base/index.ts';
import type { ClientConfig, WebhookClient } from '../admission/dynamic/webhook-call.ts';
import { ApiError } from '../contracts.ts';
import { ConversionPending } from '../registry/conversion.ts';

export interface Converter {
  /** For objects of one definition. */
  of(config: ClientConfig): ConvertObject;
}

interface Wanted {
  readonly object: KubeObject;
  readonly resolve: (converted: KubeObject) => void;
  readonly reject: (why: unknown) => void;
}

/** Upstream's: 30 s for one call. */
const timeoutSeconds = 30;
const rememberedMax = 20_000;
const inOneReview = 500;

export function createConverter(client: Pick<WebhookClient, 'post'>): Converter {
  return {
    of(config) {
      // A changed definition is another webhook, so that nothing remembered outlives it.
      const remembered = new Map<string, KubeObject>();
      const underWay = new Map<string, Promise<KubeObject>>();
      const gathered = new Map<string, Wanted[]>();

      const send = (apiVersion: string): void => {
        const all = gathered.get(apiVersion) ?? [];
        gathered.delete(apiVersion);
        for (let at = 0; at < all.length; at += inOneReview) {
          const group = all.slice(at, at + inOneReview);
          const objects = group.map(({ object }) => object);
          review(client, config, { objects, apiVersion }).then(
            (converted) => {
              for (const [index, { resolve }] of group.entries()) resolve(converted[index] ?? {});
            },
            (error: unknown) => {
              for (const { reject } of group) reject(error);
            },
          );
        }
      };

      const ask = (object: KubeObject, apiVersion: string): Promise<KubeObject> =>
        new Promise((resolve, reject) => {
          const waiting = gathered.get(apiVersion);
          if (waiting !== undefined) waiting.push({ object, resolve, reject });
          else {
            gathered.set(apiVersion, [{ object, resolve, reject }]);
            queueMicrotask(() => send(apiVersion));
          }
        });

      return (object, apiVersion) => {
        const key = keyOf(object, apiVersion);
        const known = remembered.get(key);
        if (known !== undefined) return withMetadataOf(object, known);
        let asked = underWay.get(key);
        if (asked === undefined) {
          asked = ask(object, apiVersion).then((converted) => {
            const oldest = remembered.size < rememberedMax ? undefined : remembered.keys().next().value;
            if (oldest !== undefined) remembered.delete(oldest);
            remembered.set(key, converted);
            return converted;
          });
          underWay.set(key, asked);
          const done = (): void => void underWay.delete(key);
          asked.then(done, done);
        }
        throw new ConversionPending(asked);
      };
    },
  };
}

/** Without what each write changes and no webhook may look at: it would make every answer good for one use. */
function keyOf({ metadata = {}, ...rest }: KubeObject, apiVersion: string): string {
  const { managedFields: _entries, resourceVersion: _revision, generation: _generation, ...same } = metadata;
  return createHash('sha256')
    .update(JSON.stringify([apiVersion, same, rest]))
    .digest('base64');
}

/** A webhook may change labels and annotations, and nothing else of metadata. Source: restoreObjectMeta. */
function withMetadataOf({ metadata }: KubeObject, converted: KubeObject): KubeObject {
  const { labels: _labels, annotations: _annotations, ...own } = metadata ?? {};
  const { labels, annotations } = converted.metadata ?? {};
  return structuredClone({
    ...converted,
    metadata: {
      ...own,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
  });
}

interface Answer {
  readonly response?: {
    readonly uid?: string;
    readonly convertedObjects?: readonly KubeObject[];
    readonly result?: { readonly status?: string; readonly message?: string };
  };
}

async function review(
  client: Pick<WebhookClient, 'post'>,
  config: ClientConfig,
  { objects, apiVersion }: { readonly objects: readonly KubeObject[]; readonly apiVersion: string },
): Promise<readonly KubeObject[]> {
  const uid = randomUUID();
  const [first = {}] = objects;
  const subject = `conversion webhook for ${first.apiVersion}, Kind=${first.kind}`;
  const failed = (why: string, cause?: unknown): ApiError =>
    new ApiError('InternalError', `${subject} ${why}`, { cause });
  const body = JSON.stringify({
    kind: 'ConversionReview',
    apiVersion: 'apiextensions.k8s.io/v1',
    request: { uid, desiredAPIVersion: apiVersion, objects },
  });
  let answer: Answer;
  try {
    answer = JSON.parse(await client.post(config, body, timeoutSeconds)) as Answer;
  } catch (error) {
    throw failed(`failed: ${messageOf(error).replace(/^failed to call webhook: /, '')}`, error);
  }
  const { response } = answer;
  if (response === undefined) throw failed('failed: response is nil');
  if (response.uid !== uid) throw failed(`failed: expected response.uid="${uid}", got "${response.uid ?? ''}"`);
  const { status = '', message = '' } = response.result ?? {};
  if (status !== 'Success') {
    throw failed(`failed: ${message === '' ? `response.result.status was '${status}', not 'Success'` : message}`);
  }
  const converted = response.convertedObjects ?? [];
  if (converted.length !== objects.length) {
    throw failed(`returned ${converted.length} objects, expected ${objects.length}`);
  }
  for (const [index, one] of converted.entries()) {
    const why = whyNot(one, objects[index] ?? {}, apiVersion);
    if (why !== undefined) throw failed(`returned invalid converted object at index ${index}: ${why}`);
  }
  return converted;
}

function whyNot(converted: KubeObject, { kind, metadata }: KubeObject, apiVersion: string): string | undefined {
  if (converted.apiVersion !== apiVersion) {
    return `invalid groupVersion (expected ${apiVersion}, received ${converted.apiVersion})`;
  }
  if (converted.kind !== kind) return `invalid kind (expected ${kind}, received ${converted.kind})`;
  for (const field of ['name', 'namespace', 'uid'] as const) {
    const [want = '', have = ''] = [metadata?.[field], converted.metadata?.[field]];
    if (want !== have) return `must have the same ${field}: ${JSON.stringify(want)} != ${JSON.stringify(have)}`;
  }
  return undefined;
}
