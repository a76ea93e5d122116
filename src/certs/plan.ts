// Decides which certificates must be made, and why. Pure: PEM texts in, decisions out, so that `init`, renewal and the
// expiry check say the same. A CA is never replaced by itself: every node and every kubeconfig trusts it by its key.
// A CA certificate without its key is an external CA: nothing is signed here, and what is missing is named all at once.

import { createPrivateKey, createPublicKey } from 'node:crypto';
import { CodedError } from '../base/index.ts';
import { type AltNames, altNamesOf } from './names.ts';
import { type Certificate, isSignedBy, parseCertificate } from './read.ts';
import type { CertContext, CertSpec } from './table.ts';

/** What is there of one table entry. */
export interface CertFiles {
  readonly certPem: string | undefined;
  readonly keyPem: string | undefined;
}

export interface CertPlan {
  readonly spec: CertSpec;
  readonly action: 'keep' | 'issue';
  /** For people: `missing`, `expires 2027-01-01T00:00:00Z`, `lacks 10.0.0.9`, …; `valid` when kept. */
  readonly why: string;
}

export interface PlanOptions {
  readonly context: CertContext;
  readonly now: Date;
  /** Certificates with less time left are renewed. Default: none before it has expired. */
  readonly renewBeforeMs?: number;
}

/**
 * @param specs a CA before what it signs
 * @param files by the names of the table
 * @throws CodedError CA_INVALID, CA_KEY_MISSING
 */
export function planCertificates(
  specs: readonly CertSpec[],
  files: ReadonlyMap<string, CertFiles>,
  options: PlanOptions,
): CertPlan[] {
  const plans = new Map<string, CertPlan>();
  const unsigned: (Unsigned & { readonly spec: CertSpec })[] = [];
  for (const spec of specs) {
    const have = files.get(spec.name) ?? { certPem: undefined, keyPem: undefined };
    if (spec.signer === null) {
      const hasSigned = specs.some(
        ({ name, signer }) => signer === spec.name && files.get(name)?.certPem !== undefined,
      );
      plans.set(spec.name, planCa(spec, have, { ...options, hasSigned }));
      continue;
    }
    const ca = files.get(spec.signer);
    const renewed = plans.get(spec.signer)?.action === 'issue';
    const why = renewed ? `its CA "${spec.signer}" is new` : whyNotUsable(spec, have, ca?.certPem, options);
    if (why !== undefined && !renewed && ca?.keyPem === undefined) unsigned.push({ name: spec.name, why, spec });
    plans.set(spec.name, { spec, action: why === undefined ? 'keep' : 'issue', why: why ?? 'valid' });
  }
  if (unsigned.length > 0) {
    throw keyMissing(
      unsigned,
      unsigned.map(({ spec }) => spec.signer ?? ''),
    );
  }
  return [...plans.values()];
}

function planCa(
  spec: CertSpec,
  { certPem, keyPem }: CertFiles,
  { now, hasSigned }: PlanOptions & { readonly hasSigned: boolean },
): CertPlan {
  // A key alone, that has signed nothing: whoever made it was stopped before the certificate was written.
  if (certPem === undefined && (keyPem === undefined || !hasSigned)) return { spec, action: 'issue', why: 'missing' };
  const problem = certPem === undefined ? 'its key is there without its certificate' : whyNotCa(certPem, keyPem, now);
  if (problem === undefined) return { spec, action: 'keep', why: 'valid' };
  throw new CodedError('CA_INVALID', `the CA "${spec.name}" cannot be used: ${problem}`, {
    hint: `put ${spec.name}.crt and ${spec.name}.key back, or run k8ts reset to begin with a new CA`,
  });
}

function whyNotCa(certPem: string, keyPem: string | undefined, now: Date): string | undefined {
  const certificate = parseCertificate(certPem);
  if (!certificate.isCa) return 'it is not a CA certificate';
  if (certificate.notAfter <= now) return `it expired ${certificate.notAfter.toISOString()}`;
  // Without a key it is an external CA: fine as long as nothing must be signed.
  return keyPem === undefined ? undefined : whyNotPair(certificate, keyPem);
}

/** Why a certificate cannot serve as `spec` wants; undefined when it can. */
function whyNotUsable(
  spec: CertSpec,
  { certPem, keyPem }: CertFiles,
  caPem: string | undefined,
  { context, now, renewBeforeMs = 0 }: PlanOptions,
): string | undefined {
  if (certPem === undefined || keyPem === undefined) return 'missing';
  const certificate = readOrUndefined(certPem);
  if (certificate === undefined) return 'unreadable';
  return (
    whyNotPair(certificate, keyPem) ??
    whyExpiring(certificate, now, renewBeforeMs) ??
    (caPem !== undefined && isSignedBy(certPem, caPem) ? undefined : `not signed by "${spec.signer}"`) ??
    whyOtherSubject(spec, spec.commonName(context), certificate) ??
    whyNamesLack(altNamesOf(spec.altNames(context)), certificate)
  );
}

export function whyExpiring({ notAfter }: Certificate, now: Date, renewBeforeMs: number): string | undefined {
  if (notAfter.getTime() - now.getTime() > renewBeforeMs) return undefined;
  return `${notAfter <= now ? 'expired' : 'expires'} ${notAfter.toISOString()}`;
}

export function whyNotPair(certificate: Certificate, keyPem: string): string | undefined {
  const spki = (pem: ReturnType<typeof createPublicKey>): string =>
    pem.export({ type: 'spki', format: 'pem' }).toString();
  try {
    const own = spki(createPublicKey(createPrivateKey(keyPem)));
    return own === spki(certificate.publicKey) ? undefined : 'the key is not the certificate’s';
  } catch {
    return 'the key is unreadable';
  }
}

function whyOtherSubject(spec: CertSpec, commonName: string, { subject, usages }: Certificate): string | undefined {
  if (subject.commonName !== commonName) return `its name is "${subject.commonName}", not "${commonName}"`;
  const have = new Set(subject.organizations);
  const missing = spec.organizations.find((organization) => !have.has(organization));
  if (missing !== undefined || have.size > spec.organizations.length) return 'its organizations are others';
  const unusable = spec.usages.find((usage) => usage.endsWith('auth') && !usages.includes(usage));
  return unusable === undefined ? undefined : `it is not for ${unusable}`;
}

function whyNamesLack(want: AltNames, { dnsNames, ipAddresses }: Certificate): string | undefined {
  const have = new Set([...dnsNames, ...ipAddresses]);
  const missing = [...want.dns, ...want.ip].filter((name) => !have.has(name));
  return missing.length === 0 ? undefined : `lacks ${missing.join(', ')}`;
}

function readOrUndefined(pem: string): Certificate | undefined {
  try {
    return parseCertificate(pem);
  } catch {
    return undefined;
  }
}

/** What must be issued and cannot be. */
interface Unsigned {
  readonly name: string;
  readonly why: string;
}

/** For what an external CA must sign. @param signers names of the CAs whose keys are not here */
export function keyMissing(unsigned: readonly Unsigned[], signers: readonly string[]): CodedError {
  const list = unsigned.map(({ name, why }) => `${name} (${why})`).join(', ');
  const keys = [...new Set(signers)].map((signer) => `"${signer}"`).join(' and ');
  return new CodedError('CA_KEY_MISSING', `must be signed by the CA ${keys}, whose key is not here: ${list}`, {
    hint: 'k8ts certs generate-csr makes keys and requests for them; have the requests signed, put the certificates beside them, and run this again',
  });
}
