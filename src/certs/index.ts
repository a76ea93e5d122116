export { buildKubeconfig, type ClusterAccess, type Credential, parseKubeconfig } from '../kubeconfig/index.ts';
export { type Csr, type CsrOptions, createCsr, parseCsr, signCsr } from './csr.ts';
export {
  createKubeconfig,
  type EnsureCertificatesOptions,
  type EnsureKubeconfigsOptions,
  type EnsureOptions,
  type EnsureReport,
  ensureCertificates,
  ensureKubeconfigs,
} from './ensure.ts';
export { isUsage, type Usage } from './extensions.ts';
export { type CertificatePlaces, type HeldCertificate, readInventory } from './inventory.ts';
export { type IssueOptions, issueCertificate, type Signer } from './issue.ts';
export { createKeyPair, type KeyAlgorithm, type KeyPair, keyAlgorithms } from './keys.ts';
export { renewalTime, waitUntil, warningTime } from './lifetime.ts';
export type { Subject } from './names.ts';
export { type Certificate, caCertHash, isSignedBy, parseCertificate, splitCertificates } from './read.ts';
export { dueCertificates, renewCertificates, renewHeld } from './renew.ts';
export { requestCertificates } from './requests.ts';
export {
  dropOldCa,
  type RotationStage,
  type RotationState,
  readRotation,
  rotationStages,
  signWithNewCa,
  trustNewCa,
} from './rotate.ts';
export { type CertContext, type CertSpec, certs, etcdCerts, type KubeconfigSpec, kubeconfigs } from './table.ts';
