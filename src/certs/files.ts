// Certificates on disk: `<file>.crt` and `<file>.key` side by side, as kubeadm has them.

import { createPrivateKey, createPublicKey } from 'node:crypto';
import { CodedError } from '../base/index.ts';
import type { Host } from '../host/index.ts';
import type { Signer } from './issue.ts';
import type { CertFiles } from './plan.ts';

export interface KeyAndCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

/** @param path without .crt and .key */
export async function readPair(host: Host, path: string): Promise<CertFiles> {
  const [cert, key] = await Promise.all([host.readFileIfExists(`${path}.crt`), host.readFileIfExists(`${path}.key`)]);
  return { certPem: cert?.toString('utf8'), keyPem: key?.toString('utf8') };
}

/**
 * The key goes first: a certificate counts only together with its key, so a crash in between is noticed, and whoever
 * follows the files waits until both fit each other.
 */
export async function writePair(host: Host, path: string, { certPem, keyPem }: KeyAndCertificate): Promise<void> {
  await host.writeFile(`${path}.key`, keyPem, { mode: 0o600 });
  await host.writeFile(`${path}.crt`, certPem, { mode: 0o644 });
}

/**
 * A CA that can sign. Of several certificates in the file (a CA that is being replaced) the first is the one that signs.
 * @throws CodedError CA_ABSENT, CA_KEY_MISSING
 */
export async function readSigner(host: Host, path: string): Promise<Signer> {
  const { certPem, keyPem } = await readPair(host, path);
  if (certPem === undefined) {
    throw new CodedError('CA_ABSENT', `there is no ${path}.crt`, {
      hint: 'run this on a control plane node, or name its folder with --cert-dir',
    });
  }
  if (keyPem === undefined) {
    throw new CodedError(
      'CA_KEY_MISSING',
      `there is no ${path}.key: the CA is an external one, and nothing can be signed here`,
      {
        hint: 'k8ts certs generate-csr makes requests to have signed where the key is',
      },
    );
  }
  return { certPem, keyPem };
}

export function publicPem(privateKeyPem: string): string {
  return createPublicKey(createPrivateKey(privateKeyPem)).export({ type: 'spki', format: 'pem' }).toString();
}
