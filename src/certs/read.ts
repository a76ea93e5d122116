// What stands in a certificate: crypto.X509Certificate for what it has, the ASN.1 walk for what it lacks (subject parts,
// names without text escapes, usages by Kubernetes' words, raw issuer name).

import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import { CodedError } from '../base/index.ts';
import { type Der, encode, isContext, parseDer, partsOf } from './der.ts';
import { decodeExtensions, keyIdOf, type Usage } from './extensions.ts';
import { decodeSubject, type Subject } from './names.ts';
import { fromPem } from './pem.ts';

export interface Certificate {
  readonly subject: Subject;
  readonly issuer: Subject;
  /** Hex. */
  readonly serialNumber: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly usages: readonly Usage[];
  readonly isCa: boolean;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  /** `AB:CD:…`, SHA-256 of the DER. */
  readonly fingerprint256: string;
}

/** A certificate with the raw parts that a signer copies. */
interface SigningCertificate extends Certificate {
  readonly subjectName: Der;
  readonly keyId: Buffer;
}

/**
 * Reads the first certificate of a PEM text.
 * @throws CodedError CERTIFICATE_INVALID
 */
export function parseCertificate(pem: string): Certificate {
  const { subjectName: _name, keyId: _id, ...certificate } = readCertificate(pem);
  return certificate;
}

/** As parseCertificate, with the raw subject name and key identifier. */
export function readCertificate(pem: string): SigningCertificate {
  try {
    const x509 = new X509Certificate(pem);
    const [toBeSigned] = partsOf(parseDer(x509.raw), 'the certificate');
    const fields = partsOf(toBeSigned, 'the certificate');
    // version [0] may be left out by version 1 certificates.
    const first = fields[0] !== undefined && isContext(fields[0], 0) ? 1 : 0;
    const [, , issuer, , subjectName, spki, ...rest] = fields.slice(first);
    if (subjectName === undefined || spki === undefined) throw new Error('it has no subject or key');
    const wrapped = rest.find((part) => isContext(part, 3));
    const extensions = decodeExtensions(wrapped === undefined ? undefined : partsOf(wrapped, 'the extensions')[0]);
    return {
      subject: decodeSubject(subjectName),
      issuer: decodeSubject(issuer),
      serialNumber: x509.serialNumber,
      dnsNames: extensions.altNames.dns,
      ipAddresses: extensions.altNames.ip,
      usages: extensions.usages,
      isCa: extensions.isCa,
      notBefore: new Date(x509.validFrom),
      notAfter: new Date(x509.validTo),
      publicKey: x509.publicKey,
      fingerprint256: x509.fingerprint256,
      subjectName,
      keyId: extensions.subjectKeyId ?? keyIdOf(encode(spki)),
    };
  } catch (error) {
    throw new CodedError('CERTIFICATE_INVALID', 'the certificate cannot be read', {
      hint: 'check it with: openssl x509 -noout -text -in FILE',
      cause: error,
    });
  }
}

/** `sha256:` and the hex SHA-256 of the DER SubjectPublicKeyInfo: kubeadm's --discovery-token-ca-cert-hash. */
export function caCertHash(pem: string): string {
  const { publicKey } = readCertificate(pem);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(spki).digest('hex')}`;
}

/** Every certificate of a PEM text, each as PEM. */
export function splitCertificates(pem: string): string[] {
  return (pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []).filter(
    (block) => fromPem('CERTIFICATE', block) !== undefined,
  );
}

/** Whether the CA's key made the certificate's signature and the names chain. */
export function isSignedBy(certPem: string, caPem: string): boolean {
  const certificate = new X509Certificate(certPem);
  const ca = new X509Certificate(caPem);
  return certificate.checkIssued(ca) && certificate.verify(ca.publicKey);
}
