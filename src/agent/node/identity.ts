// The node's certificates: asked of the cluster by a CertificateSigningRequest, kept on disk, exchanged when two thirds of
// their life are over, or their CA is being replaced.
//
//   client   signer kubernetes.io/kube-apiserver-client-kubelet; the first with the bootstrap token, later ones with the last
//   serving  signer kubernetes.io/kubelet-serving; names of the node, for :10250
//
// Certificate and key are one file, written at once, so that they always fit each other.
// Source: kubernetes.io/docs/reference/access-authn-authz/{kubelet-tls-bootstrapping,certificate-signing-requests}.

import { join } from 'node:path';
import { type CertificateSigningRequest, kinds } from '../../api/index.ts';
import { type Clock, CodedError, codeOf, createBackoff, type Logger, messageOf } from '../../base/index.ts';
import {
  buildKubeconfig,
  createCsr,
  createKeyPair,
  parseCertificate,
  parseKubeconfig,
  renewalTime,
  waitUntil,
  warningTime,
} from '../../certs/index.ts';
import type { ApiClient, TlsIdentity } from '../../client/index.ts';
import type { Host } from '../../host/index.ts';
import { isOfOldCa, type NodeTrust } from './trust.ts';

export interface IdentityFiles {
  /** Client identity of this node; written once the request is answered. */
  readonly kubeconfig: string;
  readonly bootstrapKubeconfig: string;
  readonly caFile: string;
  readonly certDir: string;
  readonly nodeName: string;
}

export interface IdentityDeps {
  readonly host: Host;
  readonly clock: Clock;
  readonly logger: Logger;
}

export type CertificatePurpose = 'client' | 'server';

const signers = {
  client: 'kubernetes.io/kube-apiserver-client-kubelet',
  server: 'kubernetes.io/kubelet-serving',
} as const;

/** Where the certificate and key of that purpose are. */
export function identityFile(certDir: string, purpose: CertificatePurpose): string {
  return join(certDir, `kubelet-${purpose}-current.pem`);
}

/**
 * The text of a kubeconfig with which this node can work: the one there is, or a new one that a bootstrap token has paid
 * for. Waits until the request is answered. The certificate is in a file of its own then.
 * @param connect makes a client for a kubeconfig.
 * @throws CodedError AGENT_NOT_BOOTSTRAPPED, CSR_DENIED
 */
export async function ensureNodeIdentity(
  files: IdentityFiles,
  { host, clock, logger, connect }: IdentityDeps & { readonly connect: (kubeconfig: string) => Promise<ApiClient> },
  signal: AbortSignal,
): Promise<string> {
  const there = await host.readFileIfExists(files.kubeconfig);
  if (there !== undefined && (await isUsable(host, there.toString(), clock.now()))) {
    return await adopt(host, files, there.toString());
  }
  const bootstrap = await host.readFileIfExists(files.bootstrapKubeconfig);
  if (bootstrap === undefined) {
    throw new CodedError(
      'AGENT_NOT_BOOTSTRAPPED',
      `there is no valid ${files.kubeconfig} and no ${files.bootstrapKubeconfig}`,
      {
        hint: 'run k8ts join with a fresh token (k8ts token create --print-join-command on a master)',
      },
    );
  }
  const client = await connect(bootstrap.toString());
  try {
    logger.info('asking for a client certificate', { nodeName: files.nodeName });
    const identity = await persistently({ clock, logger }, signal, () =>
      requestCertificate({ client, nodeName: files.nodeName, purpose: 'client', altNames: [], signal }),
    );
    return await keepIdentity(host, files, { ...identity, server: parseKubeconfig(bootstrap.toString()).server });
  } finally {
    await client.close();
  }
}

/** A certificate inside of the kubeconfig, as init or a person put it there, moves to where it can be renewed. */
async function adopt(host: Host, files: IdentityFiles, kubeconfig: string): Promise<string> {
  const { server, cert, key } = parseKubeconfig(kubeconfig);
  if (cert === undefined || key === undefined || 'file' in cert || 'file' in key) return kubeconfig;
  return await keepIdentity(host, files, { server, cert: cert.text, key: key.text });
}

/** @returns the kubeconfig, which refers to the file with certificate and key */
async function keepIdentity(
  host: Host,
  files: IdentityFiles,
  { server, ...identity }: TlsIdentity & { readonly server: string },
): Promise<string> {
  await saveIdentity(host, files.certDir, 'client', identity);
  const pem = { file: identityFile(files.certDir, 'client') };
  const text = buildKubeconfig({
    server,
    user: `system:node:${files.nodeName}`,
    ca: { file: files.caFile },
    cert: pem,
    key: pem,
  });
  await host.writeFile(files.kubeconfig, text, { mode: 0o600 });
  return text;
}

async function isUsable(host: Host, kubeconfig: string, now: number): Promise<boolean> {
  const { cert } = parseKubeconfig(kubeconfig);
  if (cert === undefined) return false;
  const pem = 'text' in cert ? cert.text : (await host.readFileIfExists(cert.file))?.toString();
  return pem !== undefined && parseCertificate(pem).notAfter.getTime() > now;
}

/** ms after a refusal. */
const askAgainAfter = 300_000;
/** ms until the next try when what came is due already. */
const tryAgainAfter = 5000;
/** ms between two warnings about the same certificate. */
const warnEvery = 3_600_000;
/** How often a certificate of the new CA is asked for when one of the old comes: the signer may be a moment behind. */
const patience = 3;

export interface KeptCertificate {
  readonly client: ApiClient;
  readonly certDir: string;
  readonly nodeName: string;
  readonly purpose: CertificatePurpose;
  readonly altNames: readonly string[];
  readonly trust: NodeTrust;
  /** Whoever asks works with the certificate on disk already. */
  readonly isInUse?: boolean;
  /** Called with each new certificate or CA, and unless it is in use with the certificate there is. */
  readonly use: (identity: TlsIdentity) => void;
  /** Told of each certificate in use, and of each failure to get one. */
  readonly obtained: (certPem: string) => void;
  readonly failed: () => void;
  /** Tells people, as an Event on the Node. */
  readonly warn: (reason: string, message: string) => void;
}

/** Keeps a valid certificate of that purpose; works until `signal` aborts. */
export async function keepCertificate(kept: KeptCertificate, deps: IdentityDeps, signal: AbortSignal): Promise<void> {
  const { host, clock, logger } = deps;
  const { client, certDir, nodeName, purpose, altNames, trust } = kept;
  let current = await loadIdentity(host, certDir, purpose);
  if (current !== undefined && !isFor(current, altNames)) current = undefined;
  if (current !== undefined && kept.isInUse !== true) kept.use(current);
  if (current !== undefined) kept.obtained(current.cert);
  let tried = { bundle: trust.bundle(), times: 0 };
  let warned = Number.NEGATIVE_INFINITY;

  while (!signal.aborted) {
    if (current !== undefined && !isDue(current)) {
      if (await untilDueOr(trust, clock, current, signal)) {
        kept.use({ ...current, ca: trust.bundle() });
      }
      continue;
    }
    const identity = await persistently({ clock, logger, failed: () => tellFailure(current) }, signal, () =>
      requestCertificate({ client, nodeName, purpose, altNames, signal }),
    ).catch((error: unknown) => {
      if (signal.aborted) return;
      logger.error('certificate refused, asking again later', { purpose, error });
      kept.failed();
      kept.warn('CertificateRenewalFailed', `${purpose} certificate: ${messageOf(error)}`);
    });
    if (identity === undefined) {
      await clock.sleep(askAgainAfter, signal).catch(() => undefined);
      continue;
    }
    await saveIdentity(host, certDir, purpose, identity);
    kept.use({ ...identity, ca: trust.bundle() });
    kept.obtained(identity.cert);
    current = identity;
    tried = { bundle: trust.bundle(), times: tried.bundle === trust.bundle() ? tried.times + 1 : 1 };
    if (isDue(current)) await clock.sleep(tryAgainAfter, signal).catch(() => undefined);
  }

  function isDue({ cert }: TlsIdentity): boolean {
    if (renewalTime(parseCertificate(cert)) <= clock.now()) return true;
    const isFresh = tried.bundle !== trust.bundle() || tried.times < patience;
    return isFresh && isOfOldCa(cert, trust.bundle());
  }

  function tellFailure(having: TlsIdentity | undefined): void {
    kept.failed();
    const now = clock.now();
    if (having === undefined || now - warned < warnEvery) return;
    const certificate = parseCertificate(having.cert);
    if (warningTime(certificate) > now) return;
    warned = now;
    const expires = certificate.notAfter.toISOString();
    kept.warn('CertificateExpiring', `the ${purpose} certificate of this node expires ${expires} and is not renewed`);
  }
}

/** Resolves when the certificate is due: false; or when the bundle of CAs has changed: true. Aborted: false. */
async function untilDueOr(
  trust: NodeTrust,
  clock: Clock,
  { cert }: TlsIdentity,
  signal: AbortSignal,
): Promise<boolean> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  try {
    return await Promise.race([
      waitUntil(clock, renewalTime(parseCertificate(cert)), either).then(() => false),
      trust.changed(either).then(() => true),
    ]);
  } catch {
    return false;
  } finally {
    over.abort();
  }
}

function isFor({ cert }: TlsIdentity, altNames: readonly string[]): boolean {
  const { dnsNames, ipAddresses } = parseCertificate(cert);
  const names = new Set([...dnsNames, ...ipAddresses]);
  return altNames.every((name) => names.has(name));
}

async function loadIdentity(
  host: Host,
  certDir: string,
  purpose: CertificatePurpose,
): Promise<TlsIdentity | undefined> {
  const pem = (await host.readFileIfExists(identityFile(certDir, purpose)))?.toString();
  return pem === undefined ? undefined : { cert: pem, key: pem };
}

async function saveIdentity(
  host: Host,
  certDir: string,
  purpose: CertificatePurpose,
  { cert, key }: TlsIdentity,
): Promise<void> {
  await host.makeDir(certDir, { mode: 0o700 });
  await host.writeFile(identityFile(certDir, purpose), `${cert.trim()}\n${key.trim()}\n`, { mode: 0o600 });
}

interface CertificateRequest {
  readonly client: ApiClient;
  readonly nodeName: string;
  readonly purpose: CertificatePurpose;
  readonly altNames: readonly string[];
  readonly signal: AbortSignal;
}

/** How long a request may stay unanswered before another is made: its approver may have been away. */
const answerWithin = 15 * 60_000;

async function requestCertificate(request: CertificateRequest): Promise<TlsIdentity> {
  const { client, nodeName, purpose, altNames, signal } = request;
  const { privateKeyPem } = await createKeyPair();
  const subject = { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] };
  const csr = createCsr({ keyPem: privateKeyPem, subject, altNames });
  const { metadata } = await client.create(
    kinds.certificateSigningRequest,
    {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { generateName: 'csr-' },
      spec: {
        request: Buffer.from(csr).toString('base64'),
        signerName: signers[purpose],
        // An EC key has no use for the second; approvers before Kubernetes 1.22 recognise a node's request by all three.
        usages: ['digital signature', 'key encipherment', purpose === 'client' ? 'client auth' : 'server auth'],
      },
    },
    { signal },
  );
  const cert = await answerOf(client, metadata.name, AbortSignal.any([signal, AbortSignal.timeout(answerWithin)]));
  return { cert, key: privateKeyPem };
}

async function answerOf(client: ApiClient, name: string, signal: AbortSignal): Promise<string> {
  const kind = kinds.certificateSigningRequest;
  const selector = { fieldSelector: `metadata.name=${name}`, signal };
  while (!signal.aborted) {
    const { items, metadata } = await client.list(kind, selector);
    const answer = items[0] === undefined ? undefined : certificateIn(items[0]);
    if (answer !== undefined) return answer;
    const from = metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion };
    for await (const event of client.watch(kind, { ...selector, ...from })) {
      const news = event.type === 'BOOKMARK' ? undefined : certificateIn(event.object);
      if (news !== undefined) return news;
    }
  }
  throw signal.reason;
}

function certificateIn({ metadata, status }: CertificateSigningRequest): string | undefined {
  const refusal = status?.conditions?.find(({ type }) => type === 'Denied' || type === 'Failed');
  if (refusal !== undefined) {
    throw new CodedError(
      'CSR_DENIED',
      `certificate request ${metadata?.name ?? ''} was refused: ${refusal.message ?? refusal.reason ?? refusal.type}`,
      {
        hint: 'look at it with kubectl describe csr; approve the next one with kubectl certificate approve',
      },
    );
  }
  const { certificate } = status ?? {};
  return certificate === undefined || certificate === ''
    ? undefined
    : Buffer.from(certificate, 'base64').toString('utf8');
}

async function persistently<T>(
  { clock, logger, failed }: Pick<IdentityDeps, 'clock' | 'logger'> & { readonly failed?: () => void },
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const backoff = createBackoff({ initial: 500, max: 30_000, jitter: 0.3 });
  for (;;) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (codeOf(error) === 'CSR_DENIED') throw error;
      failed?.();
      logger.warn('no certificate yet, trying again', { error: messageOf(error) });
      await clock.sleep(backoff.next(), signal);
    }
  }
}
