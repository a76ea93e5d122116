// CertificateSigningRequests. Whether the request's signature holds is the signer's question; here is its outer form.
// Source: kubernetes pkg/apis/certificates/validation.

import { duplicate, type FieldError, forbidden, invalid, notSupported, required, tooLong } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { CertificateSigningRequest } from '../types.ts';
import { whyNotDnsLabel, whyNotDnsSubdomain } from './names.ts';
import { each, requireText, sameJson } from './rules.ts';

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
  errors.push(...validateSignerName('spec.signerName', signerName));
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

const maxDomain = 253;
/** A domain, a slash, and `namespace.name` of some object. */
const maxSigner = 571;

/** `example.com/path`, wherever a signer is named. */
export function validateSignerName(field: string, name = ''): FieldError[] {
  if (name === '') return [required(field)];
  const [domain = '', path, ...more] = name.split('/');
  if (path === undefined || more.length > 0) {
    return [invalid(field, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")];
  }
  const domainLabels = domain.split('.');
  const errors = domain.length > maxDomain ? [tooLong(field, maxDomain)] : [];
  errors.push(...labelErrors(field, domain, domainLabels, whyNotDnsLabel));
  if (domainLabels.length < 2) {
    errors.push(invalid(field, domain, 'should be a domain with at least two segments separated by dots'));
  }
  errors.push(...labelErrors(field, path, path.split('.'), whyNotDnsSubdomain));
  return name.length > maxSigner ? [...errors, tooLong(field, maxSigner)] : errors;
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

const decisions = ['Approved', 'Denied'];

/** What was said stays said, and a certificate that was handed out stays the one. The spec is kept by the server. */
export function validateCertificateSigningRequestUpdate(
  one: CertificateSigningRequest,
  old: CertificateSigningRequest,
): readonly FieldError[] {
  const errors = [...decisions, 'Failed'].flatMap((type) =>
    countOf(one, type) < countOf(old, type)
      ? [forbidden('status.conditions', `updates may not remove a condition of type ${JSON.stringify(type)}`)]
      : [],
  );
  const [issued = '', certificate = ''] = [old.status?.certificate, one.status?.certificate];
  if (issued === certificate) return errors;
  const why = whyNotCertificates(Buffer.from(certificate, 'base64').toString('latin1'));
  const field = 'status.certificate';
  if (why !== undefined) errors.push(invalid(field, '<certificate data>', why));
  if (issued !== '') errors.push(forbidden(field, 'updates may not modify existing certificate content'));
  return errors;
}

/** Through /status: whether a request is approved is decided elsewhere, by those who may. */
export function validateCertificateSigningRequestStatus(
  one: CertificateSigningRequest,
  old: CertificateSigningRequest,
): readonly FieldError[] {
  const errors = [...validateCertificateSigningRequest(one), ...validateCertificateSigningRequestUpdate(one, old)];
  for (const type of decisions) {
    const [now, before] = [one, old].map((request) => conditionsOf(request, type));
    if ((now?.length ?? 0) > (before?.length ?? 0)) {
      errors.push(forbidden('status.conditions', `updates may not add a condition of type ${JSON.stringify(type)}`));
    } else if (now?.length === before?.length && !sameJson(now, before)) {
      errors.push(forbidden('status.conditions', `updates may not modify a condition of type ${JSON.stringify(type)}`));
    }
  }
  return errors;
}

/** The PEM of what was issued; '' is fine. */
function whyNotCertificates(pem: string): string | undefined {
  if (pem === '') return undefined;
  const blocks = [...pem.matchAll(/-----BEGIN ([^-]*)-----/g)];
  if (blocks.length === 0) return 'must contain at least one CERTIFICATE PEM block';
  const other = blocks.find(([, type]) => type !== 'CERTIFICATE')?.[1];
  return other === undefined ? undefined : `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(other)}`;
}

function countOf(request: CertificateSigningRequest, type: string): number {
  return conditionsOf(request, type).length;
}

function conditionsOf({ status }: CertificateSigningRequest, type: string): Conditions {
  return (status?.conditions ?? []).filter((one) => one.type === type);
}
