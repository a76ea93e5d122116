// A certificate authority for tests of the agent's server and certificates.

import { createCsr, createKeyPair, issueCertificate, signCsr } from '../../src/certs/index.ts';

export interface TestCa {
  readonly certPem: string;
  readonly keyPem: string;
  client(name: string, groups: readonly string[]): Promise<{ readonly cert: string; readonly key: string }>;
  sign(csrPem: string, usage: 'client auth' | 'server auth', seconds?: number): string;
}

export async function createTestCa(): Promise<TestCa> {
  const ca = await createKeyPair();
  const now = Date.now();
  const certPem = issueCertificate({
    subject: { commonName: 'kubernetes', organizations: [] },
    publicKeyPem: ca.publicKeyPem,
    signer: { self: true, keyPem: ca.privateKeyPem },
    usages: ['digital signature', 'cert sign'],
    notBefore: new Date(now - 60_000),
    notAfter: new Date(now + 86_400_000),
  });
  const signer = { certPem, keyPem: ca.privateKeyPem };
  const sign: TestCa['sign'] = (csrPem, usage, expirationSeconds = 3600) =>
    signCsr({ csrPem, signer, usages: ['digital signature', usage], expirationSeconds, now: new Date() });
  return {
    certPem,
    keyPem: ca.privateKeyPem,
    sign,
    async client(commonName, organizations) {
      const { privateKeyPem } = await createKeyPair();
      const csr = createCsr({ keyPem: privateKeyPem, subject: { commonName, organizations } });
      return { cert: sign(csr, 'client auth'), key: privateKeyPem };
    },
  };
}
