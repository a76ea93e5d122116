// What every handler of a resource's requests is given, and the pieces that reads and writes of any kind share.

import type { KindSpec, KubeObject } from '../../api/index.ts';
import type { UserInfo } from '../contracts.ts';
import { whenConverted } from '../registry/conversion.ts';
import type { Registry } from '../registry/registry.ts';
import type { Resource } from '../registry/resource.ts';
import { type Decoded, decodeBodyAs, type FieldValidation } from '../registry/schema.ts';
import type { WriteRequest, Written } from '../registry/writing.ts';
import { type Exchange, warn } from './exchange.ts';
import { fieldManagerOf } from './field-manager.ts';
import { type Accepted, bodyFormatFor } from './negotiate.ts';
import { dryRunOf, type OptionsKind } from './request-options.ts';
import type { RequestVerb, ResourceTarget } from './request-target.ts';
import { sendMade, sendObject } from './respond.ts';
import { badRequest, successBody } from './status-body.ts';

export interface ResourceRequest {
  readonly exchange: Exchange;
  readonly resource: Resource;
  readonly target: ResourceTarget;
  readonly verb: RequestVerb;
  readonly query: URLSearchParams;
  readonly user: UserInfo;
  readonly accepted: Accepted;
  readonly bodyLimit: number;
  /** Absent when nobody keeps an audit log. */
  readonly annotate?: ((key: string, value: string) => void) | undefined;
}

export function fieldValidationOf(query: URLSearchParams): FieldValidation {
  const wanted = query.get('fieldValidation') ?? '';
  switch (wanted) {
    case '':
      return 'Warn';
    case 'Strict':
    case 'Warn':
    case 'Ignore':
      return wanted;
    default:
      throw badRequest(`fieldValidation: Unsupported value: "${wanted}": supported values: "Ignore", "Strict", "Warn"`);
  }
}

/** The body as an object of `kind`. Throws ApiError 400, 413, 415. */
export async function readAs(
  kind: KindSpec,
  { exchange, bodyLimit, query }: Pick<ResourceRequest, 'exchange' | 'bodyLimit' | 'query'>,
): Promise<Decoded> {
  const body = await exchange.readBody(bodyLimit);
  const format = bodyFormatFor(kind, exchange.headers['content-type']);
  return decodeBodyAs(kind, body, { format, mode: fieldValidationOf(query) });
}

export function toStored({ resource }: Pick<ResourceRequest, 'resource'>, object: KubeObject): KubeObject {
  return resource.toStored === undefined ? object : resource.toStored(object);
}

export function fromStored({ resource }: Pick<ResourceRequest, 'resource'>, object: KubeObject): KubeObject {
  return resource.fromStored === undefined ? object : resource.fromStored(object);
}

/** Waits where another version of an object has to be asked for; everywhere else nothing is in the way. */
export function converted<T>({ spec }: Resource, work: () => T | Promise<T>): T | Promise<T> {
  return spec.custom?.converts === true ? whenConverted(work) : work();
}

/** What messages call the parameters of a write. */
const optionsOf: Readonly<Record<string, OptionsKind>> = {
  POST: 'CreateOptions',
  PUT: 'UpdateOptions',
  DELETE: 'DeleteOptions',
};

export function writeRequestOf({
  user,
  target,
  query,
  exchange,
  annotate,
}: Pick<ResourceRequest, 'user' | 'target' | 'query' | 'exchange' | 'annotate'>): WriteRequest {
  const options = optionsOf[exchange.method] ?? 'PatchOptions';
  return {
    user,
    namespace: target.namespace === '' ? undefined : target.namespace,
    name: target.name,
    subresource: target.subresource,
    dryRun: dryRunOf(query.getAll('dryRun'), options),
    manager: fieldManagerOf(query, exchange.headers['user-agent'], options),
    warn: (message) => warn(exchange, message),
    ...(annotate && { annotate }),
  };
}

export function sendWritten(
  registry: Registry,
  { exchange, resource, accepted, query }: ResourceRequest,
  { bytes, status, details }: Written,
  warnings: readonly string[],
): void {
  if (bytes === undefined) sendMade(exchange, status, successBody(details ?? {}));
  else sendObject(exchange, resource, { bytes, status }, { accepted, query, now: registry.clock.now(), warnings });
}
