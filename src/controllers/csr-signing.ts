// certificatesigningrequest-signing: turns approved requests into certificates of the cluster's CA. Approval said that
// the sender may have it; here the request is held against its signer's rules once more, and a request that breaks them
// gets the condition Failed. Source: the signers table of the Kubernetes documentation of CertificateSigningRequest.

import { type CertificateSigningRequest, kinds, type Stored, timestamp } from '../api/index.ts';
import { CodedError } from '../base/index.ts';
import { isUsage, type Signer, signCsr } from '../certs/index.ts';
import { keyOf } from '../client/index.ts';
import { updateSubresource } from './actions.ts';
import { type Action, type Controller, watch } from './controller.ts';
import {
  apiserverClientSigner,
  hasCsrCondition,
  kubeletClientSigner,
  kubeletServingSigner,
  readRequest,
  whyNotNodeClient,
  whyNotNodeServing,
} from './csr-request.ts';

const shortestLife = 600;

const signers = [kubeletClientSigner, kubeletServingSigner, apiserverClientSigner];

export const csrSigningController: Controller = {
  name: 'certificatesigningrequest-signing-controller',
  parallel: 2,
  watches: [watch(kinds.certificateSigningRequest, (csr) => (isToBeSigned(csr) ? [keyOf(csr)] : []))],
  reconcile(name, { view, options, now }) {
    const csr = view.get(kinds.certificateSigningRequest, name);
    if (csr === undefined || options.ca === undefined || !isToBeSigned(csr)) return [];
    return reconcileSigning(csr, { ca: options.ca, longest: options.certificateDuration, now });
  },
};

function isToBeSigned(csr: CertificateSigningRequest): boolean {
  const isDecided = hasCsrCondition(csr, 'Denied') || hasCsrCondition(csr, 'Failed');
  const isIssued = (csr.status?.certificate ?? '') !== '';
  return hasCsrCondition(csr, 'Approved') && !isDecided && !isIssued && signers.includes(csr.spec.signerName);
}

export interface SigningRequest {
  readonly ca: Signer;
  /** Longest life of a certificate, ms. */
  readonly longest: number;
  readonly now: number;
}

/** For an approved request of one of the signers that are served here. */
export function reconcileSigning(csr: Stored<CertificateSigningRequest>, on: SigningRequest): readonly Action[] {
  const refusal = whyRefused(csr);
  if (refusal !== undefined) return [fail(csr, refusal, on.now)];
  const { request, usages = [], expirationSeconds } = csr.spec;
  const longest = Math.floor(on.longest / 1000);
  try {
    const pem = signCsr({
      csrPem: Buffer.from(request, 'base64').toString('utf8'),
      signer: on.ca,
      usages: usages.filter(isUsage),
      expirationSeconds: Math.min(longest, Math.max(shortestLife, expirationSeconds ?? longest)),
      now: new Date(on.now),
    });
    const status = { ...csr.status, certificate: Buffer.from(pem).toString('base64') };
    return [updateSubresource(kinds.certificateSigningRequest, 'status', { ...csr, status })];
  } catch (error) {
    if (error instanceof CodedError) return [fail(csr, error.message, on.now)];
    throw error;
  }
}

function whyRefused(csr: CertificateSigningRequest): string | undefined {
  const request = readRequest(csr);
  if (typeof request === 'string') return request;
  const { signerName, usages = [] } = csr.spec;
  const unknown = usages.find((usage) => !isUsage(usage));
  if (unknown !== undefined) return `usage "${unknown}" cannot be put into a certificate`;
  if (signerName === kubeletClientSigner) return whyNotNodeClient(csr, request);
  if (signerName === kubeletServingSigner) return whyNotNodeServing(csr, request);
  // kube-apiserver-client: any subject, but never a server's certificate.
  if (!usages.includes('client auth')) return 'usages must have "client auth"';
  const excess = usages.find((usage) => !['client auth', 'digital signature', 'key encipherment'].includes(usage));
  return excess === undefined ? undefined : `usage "${excess}" is not allowed`;
}

function fail(csr: Stored<CertificateSigningRequest>, message: string, now: number): Action {
  const time = timestamp(now);
  const condition = {
    type: 'Failed',
    status: 'True',
    reason: 'SignerValidationFailure',
    message,
    lastUpdateTime: time,
    lastTransitionTime: time,
  };
  const status = { ...csr.status, conditions: [...(csr.status?.conditions ?? []), condition] };
  return updateSubresource(kinds.certificateSigningRequest, 'status', { ...csr, status });
}
