// CertificateSigningRequests. Whether the request's signature holds is the signer's question; here is its outer form.
// Source: kubernetes pkg/apis/certificates/validation.

import { duplicate, type FieldError, invalid, notSupported, required } from '../field-error.ts';
import { valuesOf } from '../schema/values.ts';
import type { CertificateSigningRequest } from '../types.ts';
import { whyNotDnsSubdomain } from './names.ts';
import { immutable } from './rules.ts';

const usages = valuesOf('io.k8s.api.certificates.v1.CertificateSigningRequestSpec', 'usages');

export function validateCertificateSigningRequest({ spec }: CertificateSigningRequest): readonly FieldError[] {
  if (spec === undefined) return [required('spec')];
  const errors: FieldError[] = [];
  const pem = Buffer.from(spec.request ?? '', 'base64').toString('latin1');
  if (!/^\s*-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(pem)) {
    errors.push(invalid('spec.request', spec.request ?? '', 'PEM block type must be CERTIFICATE REQUEST'));
  }
  if ((spec.usages ?? []).length === 0) errors.push(required('spec.usages'));
  for (const [index, usage] of (spec.usages ?? []).entries()) {
    if (!usages().includes(usage)) errors.push(notSupported(`spec.usages[${index}]`, usage, usages()));
    if (spec.usages?.indexOf(usage) !== index) errors.push(duplicate(`spec.usages[${index}]`, usage));
  }
  if (!spec.signerName) errors.push(required('spec.signerName'));
  else errors.push(...validateSignerName('spec.signerName', spec.signerName));
  if (spec.expirationSeconds !== undefined && spec.expirationSeconds < 600) {
    errors.push(
      invalid(
        'spec.expirationSeconds',
        spec.expirationSeconds,
        'may not specify a duration less than 600 seconds (10 minutes)',
      ),
    );
  }
  return errors;
}

function validateSignerName(field: string, name: string): FieldError[] {
  const [domain = '', path, ...more] = name.split('/');
  if (path === undefined || path === '' || more.length > 0) {
    return [invalid(field, name, 'must be a fully qualified domain and path of the form "example.com/signer-name"')];
  }
  const reasons = [...whyNotDnsSubdomain(domain)];
  if (reasons.length === 0 && !domain.includes('.'))
    reasons.push('should be a domain with at least two segments separated by dots');
  return reasons.map((reason) => invalid(field, domain, reason));
}

export function validateCertificateSigningRequestUpdate(
  { spec }: CertificateSigningRequest,
  { spec: old }: CertificateSigningRequest,
): readonly FieldError[] {
  return immutable('spec', spec, old);
}
