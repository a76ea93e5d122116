// Whom this node trusts: the cluster's CA, or two while one replaces the other. Kept in ca.crt, and followed from
// kube-root-ca.crt, which the control plane publishes to every namespace. It came over a connection that the CA of before
// has verified; still, a bundle that shares no certificate with the one in use is not taken over: it is another cluster's,
// or a mistake.
// On a control plane node ca.crt is what kube-root-ca.crt is made from, so there it is read and never written.

import { type ConfigMap, kinds } from '../../api/index.ts';
import { type Logger, messageOf } from '../../base/index.ts';
import { caCertHash, isSignedBy, splitCertificates } from '../../certs/index.ts';
import type { InformerFactory } from '../../client/index.ts';
import type { Host } from '../../host/index.ts';

export interface NodeTrust {
  /** PEM of the CAs, the signing one first. */
  bundle(): string;
  /** Resolves when the bundle has changed; rejects when `signal` aborts. */
  changed(signal: AbortSignal): Promise<void>;
}

interface TrustOptions {
  readonly host: Host;
  readonly caFile: string;
  /** ca.crt is this control plane's own. */
  readonly ownsCa: boolean;
  readonly logger: Logger;
}

export interface FollowedTrust extends NodeTrust {
  /** Takes over what the cluster publishes from now on. */
  follow(informers: InformerFactory): void;
}

export async function createNodeTrust({ host, caFile, ownsCa, logger }: TrustOptions): Promise<FollowedTrust> {
  let bundle = (await host.readFile(caFile)).toString('utf8');
  const waiting = new Set<() => void>();
  let work: Promise<void> = Promise.resolve();

  async function takeOver(published: string): Promise<void> {
    const next = ownsCa ? (await host.readFile(caFile)).toString('utf8') : published;
    if (hashesOf(next).join() === hashesOf(bundle).join()) return;
    const known = hashesOf(bundle);
    if (!hashesOf(next).some((hash) => known.includes(hash))) {
      logger.error('kube-root-ca.crt holds none of the CAs that this node trusts; it is not taken over');
      return;
    }
    if (!ownsCa) await host.writeFile(caFile, next);
    bundle = next;
    logger.info('the CA of the cluster has changed', { trusted: hashesOf(next) });
    for (const wake of [...waiting]) wake();
  }

  const changedTo = ({ data }: ConfigMap): void => {
    work = work
      .then(() => takeOver(data?.['ca.crt'] ?? ''))
      .catch((error: unknown) => logger.error('the CA was not taken over', { error: messageOf(error) }));
  };

  return {
    bundle: () => bundle,
    changed: (signal) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const settle = (end: () => void) => (): void => {
          waiting.delete(wake);
          signal.removeEventListener('abort', stop);
          end();
        };
        const wake = settle(resolve);
        const stop = settle(() => reject(signal.reason));
        waiting.add(wake);
        signal.addEventListener('abort', stop);
      }),
    follow(informers) {
      const selector = { namespace: 'kube-system', fieldSelector: 'metadata.name=kube-root-ca.crt' };
      informers.informer(kinds.configMap, selector).addHandler({ added: changedTo, updated: changedTo });
    },
  };
}

/** `sha256:…` of each CA, as join takes them. */
export function hashesOf(bundle: string): readonly string[] {
  return splitCertificates(bundle).map(caCertHash);
}

/** The hash of the CA in `bundle` that signed the certificate; undefined when none of them did. */
export function signerOf(certPem: string, bundle: string): string | undefined {
  const signer = splitCertificates(bundle).find((ca) => isSignedBy(certPem, ca));
  return signer === undefined ? undefined : caCertHash(signer);
}

/** Whether the CA that signed it is being replaced: it is trusted still, and another one signs. */
export function isOfOldCa(certPem: string, bundle: string): boolean {
  const signer = signerOf(certPem, bundle);
  return signer !== undefined && signer !== hashesOf(bundle)[0];
}
