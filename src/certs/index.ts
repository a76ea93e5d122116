export { type Csr, type CsrOptions, createCsr, parseCsr, signCsr } from './csr.ts';
export { isUsage, type Usage } from './extensions.ts';
export { type IssueOptions, issueCertificate, type Signer } from './issue.ts';
export { createKeyPair, type KeyAlgorithm, type KeyPair, keyAlgorithms } from './keys.ts';
export type { Subject } from './names.ts';
export { type Certificate, caCertHash, parseCertificate, splitCertificates } from './read.ts';
