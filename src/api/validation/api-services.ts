// APIServices: which group and version, of what weight, and who serves it when it is not this server.
// Source: kube-aggregator pkg/apis/apiregistration/validation.

import { type FieldError, invalid, required } from '../field-error.ts';
import type { APIService } from '../types.ts';
import { whyNotDns1035Label, whyNotDnsSubdomain, whyNotPathSegment, whyNotPort } from './names.ts';
import { each, invalidFor, requireText, strictlyOneOf } from './rules.ts';

type Spec = NonNullable<APIService['spec']>;

const maxGroupPriority = 20_000;
const maxVersionPriority = 1000;

export function validateApiService({ metadata, spec = {} as Spec }: APIService): readonly FieldError[] {
  const { group = '', version = '', service, groupPriorityMinimum = 0, versionPriority = 0 } = spec;
  const errors: FieldError[] = [];
  const name = metadata?.name ?? '';
  const wanted = `${version}.${group}`;
  if (name !== '' && name !== wanted && whyNotPathSegment(name).length === 0) {
    errors.push(invalid('metadata.name', name, `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`));
  }
  if (group !== '') errors.push(...invalidFor('spec.group', group, whyNotDnsSubdomain(group)));
  else if (version !== 'v1') {
    errors.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
  }
  errors.push(
    ...invalidFor('spec.version', version, whyNotDns1035Label(version)),
    ...validateWeight('spec.groupPriorityMinimum', groupPriorityMinimum, maxGroupPriority),
    ...validateWeight('spec.versionPriority', versionPriority, maxVersionPriority),
  );
  return [...errors, ...(service === undefined ? validateLocal(spec) : validateRemote(spec, service))];
}

/** Of the status nothing but the conditions' own is looked at. */
export function validateApiServiceStatus({ status }: APIService): readonly FieldError[] {
  return each('status.conditions', status?.conditions, (condition, at) =>
    strictlyOneOf(`${at}.status`, condition.status ?? '', ['True', 'False', 'Unknown']),
  );
}

function validateWeight(field: string, weight: number, max: number): FieldError[] {
  return weight > 0 && weight <= max ? [] : [invalid(field, weight, `must be positive and less than ${max}`)];
}

function validateLocal({ caBundle = '', insecureSkipTLSVerify }: Spec): FieldError[] {
  const errors: FieldError[] = [];
  if (caBundle !== '') {
    const size = `${Buffer.byteLength(caBundle, 'base64')} bytes`;
    errors.push(invalid('spec.caBundle', size, 'local APIServices may not have a caBundle'));
  }
  if (insecureSkipTLSVerify === true) {
    errors.push(invalid('spec.insecureSkipTLSVerify', true, 'local APIServices may not have insecureSkipTLSVerify'));
  }
  return errors;
}

function validateRemote(
  { caBundle = '', insecureSkipTLSVerify }: Spec,
  service: NonNullable<Spec['service']>,
): FieldError[] {
  const { namespace, name, port = 443 } = service;
  const errors = [
    ...requireText('spec.service.namespace', namespace),
    ...requireText('spec.service.name', name),
    ...invalidFor(
      'spec.service.port',
      port,
      whyNotPort(port).map((why) => `port is not valid: ${why}`),
    ),
  ];
  if (insecureSkipTLSVerify === true && caBundle !== '') {
    errors.push(invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'));
  }
  return errors;
}
