// Makes certificates: an X.509 v3 structure built with forge's ASN.1 and signed by node:crypto, 0.3 ms with P-256.
// The issuer's name and key identifier are copied byte for byte from its certificate, so that chains verify whoever
// made the CA (OpenSSL, Go, a company's PKI) and however it encodes text.
// Format: RFC 5280 §4.1.

import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { bits, type Der, encode, explicit, integer, parseDer, sequence, time } from './der.ts';
import { encodeExtensions, keyIdOf, type Usage } from './extensions.ts';
import { signatureFor } from './keys.ts';
import { altNamesOf, encodeSubject, type Subject } from './names.ts';
import { toPem } from './pem.ts';
import { readCertificate } from './read.ts';

/** A CA that can sign. */
export interface Signer {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface IssueOptions {
  readonly subject: Subject;
  /** The subject's public key, PEM SubjectPublicKeyInfo. */
  readonly publicKeyPem: string;
  /** `self`: a CA of its own, signed with the key given. */
  readonly signer: Signer | { readonly self: true; readonly keyPem: string };
  readonly usages: readonly Usage[];
  /** DNS names and IP addresses, mixed. */
  readonly altNames?: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Whether it may sign others; default: when it signs itself. */
  readonly isCa?: boolean;
}

/** Answers the certificate as PEM. Times are cut to whole seconds; notAfter never passes the signer's own. */
export function issueCertificate(options: IssueOptions): string {
  const { subject, signer, usages, altNames = [], notBefore } = options;
  const spki = createPublicKey(options.publicKeyPem).export({ type: 'spki', format: 'der' });
  const key = createPrivateKey(signer.keyPem);
  const issuer = 'self' in signer ? undefined : readCertificate(signer.certPem);
  const signature = signatureFor(key);
  const { isCa = issuer === undefined } = options;
  const notAfter = issuer === undefined ? options.notAfter : earlier(options.notAfter, issuer.notAfter);
  const subjectName = encodeSubject(subject);
  const keyId = keyIdOf(spki);
  const toSign = sequence(
    explicit(0, integer(Buffer.of(2))),
    integer(serialNumber()),
    signature.algorithm,
    issuer === undefined ? subjectName : issuer.subjectName,
    sequence(time(notBefore), time(notAfter)),
    subjectName,
    parseDer(spki),
    explicit(
      3,
      encodeExtensions({
        isCa,
        usages,
        altNames: altNamesOf(altNames),
        subjectKeyId: keyId,
        authorityKeyId: issuer === undefined ? keyId : issuer.keyId,
      }),
    ),
  );
  return toPem('CERTIFICATE', encode(signed(toSign, signature)));
}

/** SEQUENCE { what, how it is signed, signature }: the outer form of certificates and of requests. */
export function signed(content: Der, signature: ReturnType<typeof signatureFor>): Der {
  return sequence(content, signature.algorithm, bits(signature.sign(encode(content))));
}

/** 128 bits: positive, and never with a needless first byte (RFC 5280 §4.1.2.2). */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

function earlier(a: Date, b: Date): Date {
  return a < b ? a : b;
}
