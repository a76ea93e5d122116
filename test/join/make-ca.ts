// A CA of a cluster, for the tests of this folder.

import { createKeyPair, issueCertificate } from '../../src/certs/index.ts';

const day = 86_400_000;

export async function makeCa() {
  const pair = await createKeyPair('ECDSA-P256');
  const certPem = issueCertificate({
    subject: { commonName: 'kubernetes', organizations: [] },
    publicKeyPem: pair.publicKeyPem,
    signer: { self: true, keyPem: pair.privateKeyPem },
    usages: ['digital signature', 'cert sign'],
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + day),
  });
  return { certPem, keyPem: pair.privateKeyPem };
}
