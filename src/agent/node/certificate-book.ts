// What is known of this node's certificates: for /metrics (under the kubelet's names), and for the annotations by which
// `k8ts certs rotate-ca` sees that the node follows.

import { kinds } from '../../api/index.ts';
import { type Clock, createBackoff, type Logger, messageOf } from '../../base/index.ts';
import { parseCertificate } from '../../certs/index.ts';
import type { ApiClient } from '../../client/index.ts';
import type { CertificatePurpose } from './identity.ts';
import { hashesOf, type NodeTrust, signerOf } from './trust.ts';

/** Hashes of the CAs that the node trusts, by commas. */
const trustedAnnotation = 'k8ts.dev/trusted-ca';
/** Hash of the CA that signed all of its certificates. */
const signedAnnotation = 'k8ts.dev/certificates-signed-by';

export interface CertificateBook {
  obtained(purpose: CertificatePurpose, certPem: string): void;
  failed(): void;
  /** Prometheus text. */
  metrics(now: number): string;
  /** Keeps the annotations of the Node as they should be; works until `signal` aborts. */
  annotate(to: AnnotateOptions): Promise<void>;
}

interface AnnotateOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: string;
  readonly trust: NodeTrust;
  readonly signal: AbortSignal;
}

export function createCertificateBook(): CertificateBook {
  const current = new Map<CertificatePurpose, string>();
  let failures = 0;
  let wake: () => void = () => undefined;

  function annotationsFor(trust: NodeTrust): Readonly<Record<string, string>> {
    const signers = new Set([...current.values()].map((pem) => signerOf(pem, trust.bundle())));
    const [signer] = signers;
    return {
      [trustedAnnotation]: hashesOf(trust.bundle()).join(','),
      [signedAnnotation]: signers.size === 1 && current.size === 2 ? (signer ?? '') : '',
    };
  }

  return {
    obtained(purpose, certPem) {
      current.set(purpose, certPem);
      wake();
    },
    failed() {
      failures += 1;
    },
    metrics(now) {
      const left = (purpose: CertificatePurpose): string => {
        const pem = current.get(purpose);
        if (pem === undefined) return '+Inf';
        return String(Math.round((parseCertificate(pem).notAfter.getTime() - now) / 1000));
      };
      return [
        '# HELP kubelet_certificate_manager_client_ttl_seconds Seconds until the client certificate expires',
        '# TYPE kubelet_certificate_manager_client_ttl_seconds gauge',
        `kubelet_certificate_manager_client_ttl_seconds ${left('client')}`,
        '# HELP kubelet_certificate_manager_server_ttl_seconds Seconds until the serving certificate expires',
        '# TYPE kubelet_certificate_manager_server_ttl_seconds gauge',
        `kubelet_certificate_manager_server_ttl_seconds ${left('server')}`,
        '# HELP kubelet_certificate_manager_client_expiration_renew_errors Failed renewals of certificates',
        '# TYPE kubelet_certificate_manager_client_expiration_renew_errors counter',
        `kubelet_certificate_manager_client_expiration_renew_errors ${failures}`,
        '',
      ].join('\n');
    },
    async annotate({ client, clock, logger, nodeName, trust, signal }) {
      const backoff = createBackoff({ initial: 500, max: 30_000, jitter: 0.3 });
      let told = '';
      while (!signal.aborted) {
        const annotations = annotationsFor(trust);
        const change = new Promise<void>((resolve) => {
          wake = resolve;
        });
        const text = JSON.stringify(annotations);
        if (text === told) {
          const waiting = new AbortController();
          const stop = AbortSignal.any([signal, waiting.signal]);
          await Promise.race([change, trust.changed(stop).catch(() => undefined)]);
          waiting.abort();
          continue;
        }
        try {
          await client.patch(kinds.node, { name: nodeName }, 'merge', { metadata: { annotations } }, { signal });
          told = text;
          backoff.reset();
        } catch (error) {
          // Not registered yet, or the API server is away.
          if (!signal.aborted) logger.debug('annotations not written yet', { error: messageOf(error) });
          await clock.sleep(backoff.next(), signal).catch(() => undefined);
        }
      }
    },
  };
}
