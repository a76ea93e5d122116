// What approving and signing both ask of a CertificateSigningRequest.

import type { CertificateSigningRequest } from '../api/index.ts';
import { CodedError } from '../base/index.ts';
import { type Csr, parseCsr } from '../certs/index.ts';

export const kubeletClientSigner = 'kubernetes.io/kube-apiserver-client-kubelet';
export const kubeletServingSigner = 'kubernetes.io/kubelet-serving';
export const apiserverClientSigner = 'kubernetes.io/kube-apiserver-client';

const nodeUser = 'system:node:';
const nodesGroup = 'system:nodes';

export function hasCsrCondition({ status }: CertificateSigningRequest, type: string): boolean {
  return (status?.conditions ?? []).some((condition) => condition.type === type);
}

/** Neither approved, denied nor failed. */
export function isPending(csr: CertificateSigningRequest): boolean {
  return !['Approved', 'Denied', 'Failed'].some((type) => hasCsrCondition(csr, type));
}

/** The request's content, or why it cannot be read. */
export function readRequest({ spec }: CertificateSigningRequest): Csr | string {
  try {
    return parseCsr(Buffer.from(spec.request, 'base64').toString('utf8'));
  } catch (error) {
    if (error instanceof CodedError) return error.message;
    throw error;
  }
}

/** Why the request is none of a node's client certificate (KEP "certificates.k8s.io" signers table); undefined when it is. */
export function whyNotNodeClient(csr: CertificateSigningRequest, request: Csr): string | undefined {
  if (request.dnsNames.length + request.ipAddresses.length + request.otherNames.length > 0) {
    return 'subject alternative names are not allowed';
  }
  return whyNotNodeSubject(request) ?? whyWrongUsages(csr, 'client auth');
}

/** As whyNotNodeClient, for the certificate that a node serves :10250 with. */
export function whyNotNodeServing(csr: CertificateSigningRequest, request: Csr): string | undefined {
  if (request.otherNames.length > 0) return 'only DNS and IP subject alternative names are allowed';
  if (request.dnsNames.length + request.ipAddresses.length === 0) {
    return 'at least one DNS name or IP address is required';
  }
  return whyNotNodeSubject(request) ?? whyWrongUsages(csr, 'server auth');
}

function whyNotNodeSubject({ subject }: Csr): string | undefined {
  if (subject.organizations.length !== 1 || subject.organizations[0] !== nodesGroup) {
    return `the subject's organization is not exactly ${nodesGroup}`;
  }
  if (nodeNameIn(subject.commonName) === undefined) return `the subject's common name does not begin with ${nodeUser}`;
  return undefined;
}

/** `n1` for `system:node:n1`. */
export function nodeNameIn(user: string | undefined): string | undefined {
  return user?.startsWith(nodeUser) === true && user.length > nodeUser.length ? user.slice(nodeUser.length) : undefined;
}

/** EC keys need no key encipherment, RSA keys may have it; nothing else beside `needed` and digital signature. */
function whyWrongUsages({ spec }: CertificateSigningRequest, needed: string): string | undefined {
  const usages = new Set(spec.usages ?? []);
  if (!usages.has(needed) || !usages.has('digital signature'))
    return `usages must have "digital signature" and "${needed}"`;
  const excess = [...usages].find((usage) => ![needed, 'digital signature', 'key encipherment'].includes(usage));
  return excess === undefined ? undefined : `usage "${excess}" is not allowed`;
}
