// The line for a machine that has nothing of k8ts yet. curl checks the key of the API server against the pin before it
// sends the token, and runs nothing but what that server answered. The pin is that of the serving certificate's key,
// because curl can pin no CA: when the certificate gets a new key, the line stops working and a new one has to be made.

import { createHash } from 'node:crypto';
import { connect } from 'node:tls';
import { CodedError, messageOf } from '../base/index.ts';
import { architectureOfThis, bundleFor, currentLink, installedManifest } from '../bundle/index.ts';
import type { Host } from '../host/index.ts';

export interface InstallCommand {
  readonly host: Host;
  /** host:port */
  readonly endpoint: string;
  readonly caPem: string;
  readonly token: string;
  readonly say: (line: string) => void;
}

/** Ready to paste; makes the archive that the line leads to where it is missing, which takes some seconds once. */
export async function installCommandFor({ host, endpoint, caPem, token, say }: InstallCommand): Promise<string> {
  if ((await installedManifest(host)) === undefined) {
    throw new CodedError('NOT_INSTALLED', 'this machine has no installed k8ts that others could get', {
      hint: 'run this on the master, and `k8ts init` there once more if it runs from a checkout',
    });
  }
  await bundleFor(architectureOfThis(), { root: currentLink, onMake: () => say('making the archive of k8ts …') });
  const pin = await pinOf(endpoint, caPem);
  return `curl -fsSk --pinnedpubkey 'sha256//${pin}' -H 'Authorization: Bearer ${token}' https://${endpoint}/k8ts/install | sh -s --`;
}

/** SHA-256 over the DER SubjectPublicKeyInfo of the serving certificate, base64, as curl takes it. */
function pinOf(endpoint: string, caPem: string): Promise<string> {
  const url = new URL(`https://${endpoint}`);
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void =>
      reject(
        new CodedError(
          'API_UNREACHABLE',
          `the API server at ${endpoint} cannot be asked for its key: ${messageOf(cause)}`,
          {
            hint: 'k8ts status says what is not ready',
            cause,
          },
        ),
      );
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const socket = connect({ host, port: Number(url.port || 6443), ca: caPem, timeout: 5000 }, () => {
      const certificate = socket.getPeerX509Certificate();
      socket.destroy();
      if (certificate === undefined) return fail('it showed no certificate');
      const key = certificate.publicKey.export({ type: 'spki', format: 'der' });
      resolve(createHash('sha256').update(key).digest('base64'));
    });
    socket.on('error', fail);
    socket.on('timeout', () => socket.destroy(new Error('no answer within 5 s')));
  });
}
