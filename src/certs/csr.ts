// Certificate signing requests (PKCS #10, RFC 2986): made by agents, read and signed by the CSR controller. A request
// can come from anyone with a bootstrap token, so reading one is strict: DER only, known signature algorithms only, and
// the signature must prove that the sender has the key.

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { CodedError, messageOf } from '../base/index.ts';
import { bitsOf, encode, explicit, integer, isContext, oid, oidOf, parseDer, partsOf, sequence, set } from './der.ts';
import { decodeExtensions, encodeRequestedExtensions, type Usage } from './extensions.ts';
import { issueCertificate, type Signer, signed } from './issue.ts';
import { publicKeyOf, signatureFor, whyNotSigned } from './keys.ts';
import { altNamesOf, decodeSubject, encodeSubject, type Subject } from './names.ts';
import { fromPem, toPem } from './pem.ts';

export interface CsrOptions {
  readonly keyPem: string;
  readonly subject: Subject;
  /** DNS names and IP addresses, mixed. */
  readonly altNames?: readonly string[];
}

export interface Csr {
  readonly subject: Subject;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  /** Tags of names that are neither: 1 email, 6 URI, … */
  readonly otherNames: readonly number[];
  readonly publicKey: KeyObject;
}

const extensionRequest = '1.2.840.113549.1.9.14';
const signatureGrace = 5 * 60_000;
/** Larger requests are refused unread; a real one has about 500 bytes. */
const maxBytes = 16 * 1024;

/** Answers a PEM `CERTIFICATE REQUEST`. */
export function createCsr({ keyPem, subject, altNames = [] }: CsrOptions): string {
  const key = createPrivateKey(keyPem);
  const spki = createPublicKey(keyPem).export({ type: 'spki', format: 'der' });
  const names = altNamesOf(altNames);
  const attributes =
    altNames.length === 0 ? [] : [sequence(oid(extensionRequest), set(encodeRequestedExtensions(names)))];
  const request = sequence(integer(Buffer.of(0)), encodeSubject(subject), parseDer(spki), explicit(0, ...attributes));
  return toPem('CERTIFICATE REQUEST', encode(signed(request, signatureFor(key))));
}

/**
 * Reads a request and verifies its signature. RSA and EC keys, from any maker.
 * @throws CodedError CSR_INVALID
 */
export function parseCsr(pem: string): Csr {
  const der =
    pem.length > maxBytes
      ? undefined
      : (fromPem('CERTIFICATE REQUEST', pem) ?? fromPem('NEW CERTIFICATE REQUEST', pem));
  if (der === undefined) throw invalid('it is not a PEM "CERTIFICATE REQUEST"');
  try {
    return readCsr(der);
  } catch (error) {
    throw error instanceof CodedError ? error : invalid(messageOf(error), error);
  }
}

function readCsr(der: Buffer): Csr {
  const [request, algorithm, signature] = partsOf(parseDer(der), 'the request');
  const [, subject, spki, ...rest] = partsOf(request, 'the request');
  if (request === undefined || spki === undefined) throw invalid('it has no public key');
  const publicKey = publicKeyOf(encode(spki));
  const problem = whyNotSigned({
    algorithm: oidOf(partsOf(algorithm, 'the signature algorithm')[0], 'the signature algorithm'),
    key: publicKey,
    bytes: encode(request),
    signature: bitsOf(signature, 'the signature'),
  });
  if (problem !== undefined) throw invalid(problem);
  const attributes = rest.find((part) => isContext(part, 0));
  const requested = (attributes === undefined ? [] : partsOf(attributes, 'the attributes'))
    .map((attribute) => partsOf(attribute, 'an attribute'))
    .find(([id]) => oidOf(id, 'an attribute type') === extensionRequest);
  const { altNames } = decodeExtensions(requested === undefined ? undefined : partsOf(requested[1], 'extensions')[0]);
  return {
    subject: decodeSubject(subject),
    dnsNames: altNames.dns,
    ipAddresses: altNames.ip,
    otherNames: altNames.others,
    publicKey,
  };
}

/**
 * Signs a request as it is; whether its subject and names are allowed is the caller's to judge first. Valid from five
 * minutes ago, so that a machine whose clock is behind accepts it at once.
 * @throws CodedError CSR_INVALID
 */
export function signCsr(options: {
  readonly csrPem: string;
  readonly signer: Signer;
  readonly usages: readonly Usage[];
  readonly expirationSeconds: number;
  readonly now: Date;
}): string {
  const { csrPem, signer, usages, expirationSeconds, now } = options;
  const csr = parseCsr(csrPem);
  return issueCertificate({
    subject: csr.subject,
    publicKeyPem: csr.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    signer,
    usages,
    altNames: [...csr.dnsNames, ...csr.ipAddresses],
    notBefore: new Date(now.getTime() - signatureGrace),
    notAfter: new Date(now.getTime() + expirationSeconds * 1000),
  });
}

function invalid(problem: string, cause?: unknown): CodedError {
  return new CodedError('CSR_INVALID', `the certificate signing request cannot be used: ${problem}`, {
    hint: 'check it with: openssl req -verify -noout -text -in FILE',
    cause,
  });
}
