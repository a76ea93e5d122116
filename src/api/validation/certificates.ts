// CertificateSigningRequests. Whether the request's signature holds is the signer's question; here is its outer form.
// Source: kubernetes pkg/apis/certificates/validation.

import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { CertificateSigningRequest } from '../types.ts';
import { whyNotDnsLabel, whyNotDnsSubdomain } from './names.ts';
import { each, requireText } from './rules.ts';

const usages = valuesOf('io.k8s.api.certificates.v1.CertificateSigningRequestSpec', 'usages');

type Spec = NonNullable<CertificateSigningRequest['spec']>;
type Conditions = NonNullable<NonNullable<CertificateSigningRequest['status']>['conditions']>;

const minSeconds = 600;

export function validateCertificateSigningRequest({
  spec = {} as Spec,
  status,
}: CertificateSigningRequest): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { request, usages: asked = [], signerName, expirationSeconds: seconds } = spec;
  const pem = Buffer.from(request ?? '', 'base64').toString('latin1');
  if (!/^\s*-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(pem)) {
    errors.push(invalid('spec.request', request, 'PEM block type must be CERTIFICATE REQUEST'));
  }
  if (asked.length === 0) errors.push(required('spec.usages'));
  for (const [index, usage] of asked.entries()) {
    if (!usages().includes(usage)) errors.push(notSupported(`spec.usages[${index}]`, usage, usages()));
    if (asked.indexOf(usage) !== index) errors.push(duplicate(`spec.usages[${index}]`, usage));
  }
  errors.push(...requireText('spec.signerName', signerName));
  if (signerName) errors.push(...validateSignerName('spec.signerName', signerName));
  if (seconds !== undefined && seconds < minSeconds) {
    const why = `may not specify a duration less than ${minSeconds} seconds (${minSeconds / 60} minutes)`;
    errors.push(invalid('spec.expirationSeconds', seconds, why));
  }
  return [...errors, ...validateConditions('status.conditions', status?.conditions ?? [])];
}

/** What is said of a request is said once, and as true; approved and denied exclude each other. */
function validateConditions(field: string, conditions: Conditions): FieldError[] {
  const seen = new Set<string>();
  return each(field, conditions, ({ type = '', status = '' }, at) => {
    const errors = requireText(`${at}.type`, type);
    const values = ['Approved', 'Denied', 'Failed'].includes(type) ? ['True'] : ['False', 'True', 'Unknown'];
    if (status === '') errors.push(required(`${at}.status`));
    else if (!values.includes(status)) errors.push(notSupported(`${at}.status`, status, values));
    if ((type === 'Approved' && seen.has('Denied')) || (type === 'Denied' && seen.has('Approved'))) {
      errors.push(invalid(field, type, 'Approved and Denied conditions are mutually exclusive'));
    }
    if (seen.has(type)) errors.push(duplicate(`${at}.type`, type));
    seen.add(type);
    return errors;
  });
}

function validateSignerName(field: string, name: string): FieldError[] {
  const [domain = '', path, ...more] = name.split('/');
  if (path === undefined || more.length > 0) {
    return [invalid(field, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")];
  }
  const domainLabels = domain.split('.');
  const errors = labelErrors(field, domain, domainLabels, whyNotDnsLabel);
  if (domainLabels.length < 2) {
    errors.push(invalid(field, domain, 'should be a domain with at least two segments separated by dots'));
  }
  return [...errors, ...labelErrors(field, path, path.split('.'), whyNotDnsSubdomain)];
}

/** Of the first label that is wrong. */
function labelErrors(
  field: string,
  value: string,
  labels: readonly string[],
  whyNot: (label: string) => readonly string[],
): FieldError[] {
  const label = labels.find((one) => whyNot(one).length > 0);
  if (label === undefined) return [];
  return whyNot(label).map((why) => invalid(field, value, `validating label ${JSON.stringify(label)}: ${why}`));
}

/** What was decided stays decided, and a certificate that was handed out stays the one. The spec is kept by the server. */
export function validateCertificateSigningRequestUpdate(
  one: CertificateSigningRequest,
  old: CertificateSigningRequest,
): readonly FieldError[] {
  const errors = ['Approved', 'Denied', 'Failed'].flatMap((type) =>
    countOf(one, type) < countOf(old, type)
      ? [forbidden('status.conditions', `updates may not remove a condition of type ${JSON.stringify(type)}`)]
      : [],
  );
  const issued = old.status?.certificate;
  if (!issued || one.status?.certificate === issued) return errors;
  return [...errors, forbidden('status.certificate', 'updates may not modify existing certificate content')];
}

function countOf({ status }: CertificateSigningRequest, type: string): number {
  return (status?.conditions ?? []).filter((one) => one.type === type).length;
}
