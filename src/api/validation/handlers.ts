// What a probe or a lifecycle hook does: exactly one of its handlers, with what that one needs.
// Source: kubernetes pkg/apis/core/validation (validateHandler).

import { type FieldError, forbidden, invalid, notSupported, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { Container, Probe } from '../types.ts';
import { whyNotHttpHeader, whyNotPort, whyNotPortName } from './names.ts';
import { invalidFor } from './rules.ts';

type Hook = NonNullable<NonNullable<Container['lifecycle']>['preStop']>;
/** Probes cannot sleep, hooks have no grpc. */
type Handler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & Pick<Hook, 'sleep'>;
type HttpGet = NonNullable<Probe['httpGet']>;

const schemes = valuesOf('io.k8s.api.core.v1.HTTPGetAction', 'scheme');
const kinds = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

/**
 * @param field the probe or hook: its handlers are fields of it.
 * @param grace seconds that the pod has to end; no hook may sleep longer.
 */
export function validateHandler(field: string, handler: Handler, grace: number | undefined): FieldError[] {
  const errors: FieldError[] = [];
  let first: string | undefined;
  for (const kind of kinds) {
    if (handler[kind] === undefined) continue;
    if (first === undefined) errors.push(...validateAction(`${field}.${kind}`, kind, handler, grace));
    else errors.push(forbidden(`${field}.${kind}`, 'may not specify more than 1 handler type'));
    first ??= kind;
  }
  if (first === undefined) errors.push(required(field, 'must specify a handler type'));
  return errors;
}

function validateAction(
  field: string,
  kind: (typeof kinds)[number],
  { exec, httpGet, tcpSocket, grpc, sleep }: Handler,
  grace: number | undefined,
): FieldError[] {
  if (kind === 'exec') return (exec?.command ?? []).length === 0 ? [required(`${field}.command`)] : [];
  if (kind === 'httpGet') return httpGet === undefined ? [] : validateHttpGet(field, httpGet);
  if (kind === 'tcpSocket') return validatePort(`${field}.port`, tcpSocket?.port);
  if (kind === 'grpc') return validatePort(`${field}.port`, grpc?.port);
  const seconds = sleep?.seconds ?? 0;
  if (grace === undefined || (seconds >= 0 && seconds <= grace)) return [];
  return [invalid(field, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${grace})`)];
}

function validateHttpGet(field: string, { path, port, scheme = '', httpHeaders = [] }: HttpGet): FieldError[] {
  const errors = path ? [] : [required(`${field}.path`)];
  errors.push(...validatePort(`${field}.port`, port));
  if (!schemes().includes(scheme)) errors.push(notSupported(`${field}.scheme`, scheme, schemes()));
  for (const { name = '' } of httpHeaders) {
    errors.push(...invalidFor(`${field}.httpHeaders`, name, whyNotHttpHeader(name)));
  }
  return errors;
}

/** A number or the name of a container port; handlers come from JSON, where it may also be absent. */
function validatePort(field: string, port: unknown): FieldError[] {
  if (typeof port === 'string') return invalidFor(field, port, whyNotPortName(port));
  return invalidFor(field, port ?? 0, whyNotPort(typeof port === 'number' ? port : 0));
}
