// What a master serves to machines that are to become nodes: the archives in a folder, which init and
// `token create --print-install-command` fill, looked at with each request.

import { createHash, X509Certificate } from 'node:crypto';
import type { InstallationSource } from '../apiserver/index.ts';
import { CodedError } from '../base/index.ts';
import { findBundle, installScript } from '../bundle/index.ts';

export interface InstallationOptions {
  readonly archiveDir: string;
  /** host:port that machines are told. */
  readonly endpoint: string;
  /** The CA that is trusted now. */
  readonly caPem: () => string;
}

const architectures = ['x64', 'arm64'] as const;

export function createInstallationSource({ archiveDir, endpoint, caPem }: InstallationOptions): InstallationSource {
  return {
    async archive(architecture) {
      const known = architectures.find((one) => one === architecture);
      return known === undefined ? undefined : findBundle(archiveDir, known);
    },
    async script(token) {
      const found = await Promise.all(architectures.map((architecture) => findBundle(archiveDir, architecture)));
      const bundles = found.filter((bundle) => bundle !== undefined);
      if (bundles.length === 0) {
        throw new CodedError('BUNDLE_MISSING', 'there is no archive of k8ts here yet', {
          hint: 'on the master, run: k8ts token create --print-install-command',
        });
      }
      const pem = caPem();
      return installScript({ endpoint, caPem: pem, caHash: caHashOf(pem), token, bundles });
    },
  };
}

/** As join takes it: SHA-256 over the DER SubjectPublicKeyInfo. node:crypto, because node-forge costs a server 10 MB. */
function caHashOf(pem: string): string {
  const key = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}
