// What a probe or a lifecycle hook does: exactly one of its handlers, with what that one needs.
// Source: kubernetes pkg/apis/core/validation (validateHandler).

import { type FieldError, forbidden, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { Probe } from '../types.ts';
import { whyNotPort, whyNotPortName } from './names.ts';
import { invalidFor, oneOf, requireText } from './rules.ts';

const schemes = valuesOf('io.k8s.api.core.v1.HTTPGetAction', 'scheme');
const kinds = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;

/** Probes cannot sleep, hooks have no grpc. */
type Handler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & { readonly sleep?: object };

/** @param field the probe or hook: its handlers are fields of it. */
export function validateHandler(field: string, handler: Handler): FieldError[] {
  const [kind, ...extra] = kinds.filter((one) => handler[one] !== undefined);
  if (kind === undefined) return [required(field, 'must specify a handler type')];
  const errors = extra.map((one) => forbidden(`${field}.${one}`, 'may not specify more than 1 handler type'));
  const { exec, httpGet, tcpSocket, grpc } = handler;
  if (exec !== undefined && (exec.command ?? []).length === 0) errors.push(required(`${field}.exec.command`));
  if (httpGet !== undefined) {
    errors.push(
      ...requireText(`${field}.httpGet.path`, httpGet.path),
      ...validatePort(`${field}.httpGet.port`, httpGet.port),
      ...oneOf(`${field}.httpGet.scheme`, httpGet.scheme, schemes()),
    );
  }
  if (tcpSocket !== undefined) errors.push(...validatePort(`${field}.tcpSocket.port`, tcpSocket.port));
  if (grpc !== undefined) errors.push(...invalidFor(`${field}.grpc.port`, grpc.port, whyNotPort(grpc.port)));
  return errors;
}

/** A number or the name of a container port; handlers come from JSON, where it may also be absent. */
function validatePort(field: string, port: unknown): FieldError[] {
  if (typeof port === 'string') return invalidFor(field, port, whyNotPortName(port));
  return invalidFor(field, port ?? 0, whyNotPort(typeof port === 'number' ? port : 0));
}
