// Ingresses and IngressClasses. Source: kubernetes pkg/apis/networking/validation.

import { type FieldError, forbidden, invalid, notSupported, required, tooLong } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { Ingress, IngressClass } from '../types.ts';
import { ipVersion } from './addresses.ts';
import {
  whyNotDns1035Label,
  whyNotDnsLabel,
  whyNotDnsSubdomain,
  whyNotPathSegment,
  whyNotPort,
  whyNotPortName,
} from './names.ts';
import { each, invalidFor, validIp } from './rules.ts';
import { validIngressHostname } from './service.ts';

const networking = 'io.k8s.api.networking.v1';
const pathTypes = valuesOf(`${networking}.HTTPIngressPath`, 'pathType');
const parameterScopes = valuesOf(`${networking}.IngressClassParametersReference`, 'scope');

type IngressSpec = NonNullable<Ingress['spec']>;
type Backend = NonNullable<IngressSpec['defaultBackend']>;
type IngressPath = NonNullable<NonNullable<IngressSpec['rules']>[number]['http']>['paths'][number];
type Parameters = NonNullable<NonNullable<IngressClass['spec']>['parameters']>;

export function validateIngress({ spec }: Ingress): readonly FieldError[] {
  const { defaultBackend, rules = [], tls, ingressClassName } = spec ?? {};
  const errors: FieldError[] = [];
  if (rules.length === 0 && defaultBackend === undefined) {
    errors.push(invalid('spec', rules, 'either `defaultBackend` or `rules` must be specified'));
  }
  if (defaultBackend !== undefined) errors.push(...validateBackend('spec.defaultBackend', defaultBackend));
  errors.push(
    ...each('spec.rules', rules, ({ host, http }, at) => [
      ...validateRuleHost(`${at}.host`, host),
      ...(http !== undefined && (http.paths ?? []).length === 0 ? [required(`${at}.http.paths`)] : []),
      ...each(`${at}.http.paths`, http?.paths, validatePath),
    ]),
    ...each('spec.tls', tls, ({ hosts, secretName }, at) => [
      ...each(`${at}.hosts`, hosts, (host, field) => validHost(field, host)),
      ...(secretName ? invalidFor(`${at}.secretName`, secretName, whyNotDnsSubdomain(secretName)) : []),
    ]),
  );
  if (ingressClassName !== undefined) {
    errors.push(...invalidFor('spec.ingressClassName', ingressClassName, whyNotDnsSubdomain(ingressClassName)));
  }
  return errors;
}

const classAnnotation = 'kubernetes.io/ingress.class';

/** The class has two places, of which an older Ingress may have contradicting values. */
export function validateNewIngress({ metadata, spec }: Ingress): readonly FieldError[] {
  const annotation = metadata?.annotations?.[classAnnotation];
  const name = spec?.ingressClassName;
  if (annotation === undefined || name === undefined || annotation === name) return [];
  const why = 'must match `ingressClassName` when both are specified';
  return [invalid(`annotations.${classAnnotation}`, annotation, why)];
}

/** What load balancers report. */
export function validateIngressStatus({ status }: Ingress): readonly FieldError[] {
  return each('status.loadBalancer.ingress', status?.loadBalancer?.ingress, ({ ip = '', hostname = '' }, at) => [
    ...(ip === '' ? [] : validIp(`${at}.ip`, ip)),
    ...validIngressHostname(`${at}.hostname`, hostname),
  ]);
}

function validateRuleHost(field: string, host = ''): FieldError[] {
  if (host === '') return [];
  const errors = validHost(field, host);
  if (ipVersion(host) !== 0) errors.unshift(invalid(field, host, 'must be a DNS name, not an IP address'));
  return errors;
}

const wildcardMessage =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/** A DNS name, or `*.` and one. */
function validHost(field: string, host: string): FieldError[] {
  if (!host.includes('*')) return invalidFor(field, host, whyNotDnsSubdomain(host));
  const isFine = host.startsWith('*.') && whyNotDnsSubdomain(host.slice(2)).length === 0;
  return isFine ? [] : [invalid(field, host, wildcardMessage)];
}

const badPathParts = ['//', '/./', '/../', '%2f', '%2F'];
const badPathEnds = ['/..', '/.'];

function validatePath({ path = '', pathType, backend }: Partial<IngressPath>, field: string): FieldError[] {
  const at = `${field}.path`;
  const errors: FieldError[] = [];
  if (pathType === undefined) return [required(`${field}.pathType`, 'pathType must be specified')];
  if (pathType === 'Exact' || pathType === 'Prefix') {
    if (!path.startsWith('/')) errors.push(invalid(at, path, 'must be an absolute path'));
    for (const part of badPathParts)
      if (path.includes(part)) errors.push(invalid(at, path, `must not contain '${part}'`));
    for (const end of badPathEnds) if (path.endsWith(end)) errors.push(invalid(at, path, `cannot end with '${end}'`));
  } else if (pathType === 'ImplementationSpecific') {
    if (path !== '' && !path.startsWith('/')) errors.push(invalid(at, path, 'must be an absolute path'));
  } else errors.push(notSupported(`${field}.pathType`, pathType, pathTypes()));
  return [...errors, ...validateBackend(`${field}.backend`, backend)];
}

function validateBackend(field: string, backend: Backend | undefined): FieldError[] {
  const { service, resource } = backend ?? {};
  if (service === undefined && resource === undefined) {
    return [invalid(field, '', 'resource or service backend is required')];
  }
  if (service !== undefined && resource !== undefined) {
    return [invalid(field, '', 'cannot set both resource and service backends')];
  }
  if (resource !== undefined) return validateReference(`${field}.resource`, resource);
  const at = `${field}.service`;
  const { name, port } = service ?? {};
  const errors = name ? invalidFor(`${at}.name`, name, whyNotDns1035Label(name)) : [required(`${at}.name`)];
  const { name: portName, number } = port ?? {};
  if (portName && number) errors.push(invalid(field, '', 'cannot set both port name & port number'));
  else if (portName) errors.push(...invalidFor(`${at}.port.name`, portName, whyNotPortName(portName)));
  else if (number) errors.push(...invalidFor(`${at}.port.number`, number, whyNotPort(number)));
  else errors.push(required(field, 'port name or number is required'));
  return errors;
}

/** What an object of some kind is called by. */
function validateReference(
  field: string,
  { apiGroup, kind, name }: { readonly apiGroup?: string; readonly kind?: string; readonly name?: string },
): FieldError[] {
  const errors = apiGroup === undefined ? [] : invalidFor(`${field}.apiGroup`, apiGroup, whyNotDnsSubdomain(apiGroup));
  for (const [key, value] of [
    ['kind', kind],
    ['name', name],
  ] as const) {
    const at = `${field}.${key}`;
    errors.push(...(value ? invalidFor(at, value, whyNotPathSegment(value)) : [required(at)]));
  }
  return errors;
}

const maxController = 250;
const pathCharacters = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";

export function validateIngressClass({ spec }: IngressClass): readonly FieldError[] {
  const controller = spec?.controller;
  const field = 'spec.controller';
  const errors: FieldError[] = [];
  if (!controller) errors.push(required(field));
  else {
    if (Buffer.byteLength(controller) > maxController) errors.push(tooLong(field, maxController));
    errors.push(...validPrefixedPath(field, controller));
  }
  return spec?.parameters === undefined ? errors : [...errors, ...validateClassParameters(spec.parameters)];
}

/** `example.com/path`. Source: apimachinery IsDomainPrefixedPath. */
function validPrefixedPath(field: string, text: string): FieldError[] {
  const slash = text.indexOf('/');
  const [domain, path] = [text.slice(0, slash), text.slice(slash + 1)];
  if (slash <= 0 || path === '') {
    return [invalid(field, text, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  }
  const errors = invalidFor(field, domain, whyNotDnsSubdomain(domain));
  if (/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(path)) return errors;
  return [...errors, invalid(field, path, `Invalid path (regex used for validation is '${pathCharacters}')`)];
}

function validateClassParameters(parameters: Partial<Parameters>): FieldError[] {
  const field = 'spec.parameters';
  const { scope, namespace } = parameters;
  const errors = validateReference(field, parameters);
  if (scope === undefined) errors.push(required(`${field}.scope`));
  else if (!parameterScopes().includes(scope)) {
    errors.push(notSupported(`${field}.scope`, scope, parameterScopes()));
  } else if (scope === 'Namespace') {
    if (namespace === undefined) {
      errors.push(required(`${field}.namespace`, "`parameters.scope` is set to 'Namespace'"));
    } else errors.push(...invalidFor(`${field}.namespace`, namespace, whyNotDnsLabel(namespace)));
  } else if (namespace !== undefined) {
    errors.push(forbidden(`${field}.namespace`, "`parameters.scope` is set to 'Cluster'"));
  }
  return errors;
}
