// Decides which kubeconfig files must be written anew, and why. Pure, as plan.ts is for certificates.

import { messageOf } from '../base/index.ts';
import { type ClusterAccess, type Credential, parseKubeconfig } from '../kubeconfig/index.ts';
import { whyExpiring, whyNotPair } from './plan.ts';
import { isSignedBy, parseCertificate } from './read.ts';
import { type CertContext, type KubeconfigSpec, kubeconfigs } from './table.ts';

interface KubeconfigPlan {
  readonly spec: KubeconfigSpec;
  readonly server: string;
  readonly action: 'keep' | 'issue';
  readonly why: string;
}

interface KubeconfigPlanOptions {
  readonly context: CertContext;
  readonly now: Date;
  readonly renewBeforeMs: number;
  readonly names: readonly string[];
  readonly bindPort: number;
  readonly caPem: string;
}

/** @param texts what is there, by file name. */
export function planKubeconfigs(texts: ReadonlyMap<string, string>, options: KubeconfigPlanOptions): KubeconfigPlan[] {
  const specs: readonly KubeconfigSpec[] = kubeconfigs;
  return specs
    .filter(({ name }) => options.names.includes(name))
    .map((spec) => {
      const server = serverOf(spec, options);
      const why = whyNotUsable(spec, texts.get(spec.name), server, options);
      return { spec, server, action: why === undefined ? 'keep' : 'issue', why: why ?? 'valid' };
    });
}

/** The URL that a kubeconfig of the table names. */
export function serverOf(
  { endpoint }: Pick<KubeconfigSpec, 'endpoint'>,
  { context, bindPort }: Pick<KubeconfigPlanOptions, 'context' | 'bindPort'>,
): string {
  if (endpoint === 'cluster') return `https://${context.controlPlaneEndpoint}`;
  const { advertiseAddress: address } = context;
  return `https://${address.includes(':') ? `[${address}]` : address}:${bindPort}`;
}

function whyNotUsable(
  spec: KubeconfigSpec,
  text: string | undefined,
  server: string,
  { context, now, renewBeforeMs, caPem }: KubeconfigPlanOptions,
): string | undefined {
  if (text === undefined) return 'missing';
  try {
    const access = parseKubeconfig(text);
    // The node's own file refers to certificates that its agent renews; those are not ours to judge.
    if (access.cert !== undefined && 'file' in access.cert) return whyOtherServer(access, server);
    const cert = inline(access.cert);
    const certificate = parseCertificate(cert);
    const { commonName } = certificate.subject;
    const wanted = spec.commonName(context);
    return (
      whyOtherServer(access, server) ??
      (inline(access.ca).trim() === caPem.trim() ? undefined : 'it trusts another CA') ??
      (commonName === wanted ? undefined : `its user is "${commonName}", not "${wanted}"`) ??
      whyNotPair(certificate, inline(access.key)) ??
      whyExpiring(certificate, now, renewBeforeMs) ??
      (isSignedBy(cert, caPem) ? undefined : 'its certificate is not signed by "ca"')
    );
  } catch (error) {
    return `unreadable: ${messageOf(error)}`;
  }
}

function whyOtherServer(access: ClusterAccess, server: string): string | undefined {
  return access.server === server ? undefined : `it names ${access.server}, not ${server}`;
}

function inline(credential: Credential | undefined): string {
  return credential !== undefined && 'text' in credential ? credential.text : '';
}
