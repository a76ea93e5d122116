// A CA, a serving certificate for loopback and an administrator's client certificate, made for one test.

import { createKeyPair, issueCertificate, type Usage } from '../../src/certs/index.ts';

export interface TestPki {
  readonly ca: string;
  readonly caKey: string;
  readonly server: { readonly cert: string; readonly key: string };
  /** A client certificate for `name` in `groups`. */
  client(name: string, groups: readonly string[]): Promise<{ readonly cert: string; readonly key: string }>;
}

export async function createTestPki(): Promise<TestPki> {
  const notBefore = new Date(Date.now() - 60_000);
  const notAfter = new Date(Date.now() + 3_600_000);
  const caPair = await createKeyPair();
  const ca = issueCertificate({
    subject: { commonName: 'test-ca', organizations: [] },
    publicKeyPem: caPair.publicKeyPem,
    signer: { self: true, keyPem: caPair.privateKeyPem },
    usages: [],
    notBefore,
    notAfter,
  });
  const issue = async (
    subject: { readonly commonName: string; readonly organizations: readonly string[] },
    usage: Usage,
    altNames: readonly string[],
  ) => {
    const pair = await createKeyPair();
    const cert = issueCertificate({
      subject,
      publicKeyPem: pair.publicKeyPem,
      signer: { certPem: ca, keyPem: caPair.privateKeyPem },
      usages: [usage],
      altNames,
      notBefore,
      notAfter,
    });
    return { cert, key: pair.privateKeyPem };
  };
  return {
    ca,
    caKey: caPair.privateKeyPem,
    server: await issue({ commonName: 'kube-apiserver', organizations: [] }, 'server auth', ['localhost', '127.0.0.1']),
    client: (commonName, groups) => issue({ commonName, organizations: groups }, 'client auth', []),
  };
}
