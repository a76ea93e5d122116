// Carries out certificate plans on a host: reads what is there, issues what is missing, and leaves the rest as it is.
// Run again after a crash it goes on where it stopped, because a certificate counts only together with its key.

import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { Host } from '../host/index.ts';
import { buildKubeconfig } from '../kubeconfig/index.ts';
import { issueCertificate, type Signer } from './issue.ts';
import { createKeyPair, type KeyAlgorithm } from './keys.ts';
import { type CertFiles, type CertPlan, planCertificates } from './plan.ts';
import { planKubeconfigs } from './plan-kubeconfigs.ts';
import { type CertContext, type CertSpec, certs, kubeconfigs } from './table.ts';

export interface EnsureOptions {
  readonly context: CertContext;
  /** /etc/kubernetes/pki */
  readonly certDir: string;
  readonly algorithm?: KeyAlgorithm;
  readonly now?: Date;
  /** Certificates with less time left are renewed. Default: none before it has expired. */
  readonly renewBeforeMs?: number;
}

/** What was done about one file, for progress lines. */
export interface EnsureReport {
  readonly name: string;
  readonly action: 'keep' | 'issue';
  readonly why: string;
}

const day = 86_400_000;
const leafLifetime = 365 * day;
const caLifetime = 3650 * day;
/** Machines whose clock is a little behind accept a new certificate at once. */
const backdate = 5 * 60_000;

/**
 * Makes every certificate of the table and the service account key pair exist under `certDir`; private keys are 0600.
 * @throws CodedError CA_INVALID, CA_KEY_MISSING
 */
export async function ensureCertificates(host: Host, options: EnsureOptions): Promise<EnsureReport[]> {
  const { context, certDir, algorithm = 'ECDSA-P256', now = new Date(), renewBeforeMs = 0 } = options;
  const files = new Map<string, CertFiles>();
  for (const { name } of certs) files.set(name, await readPair(host, certDir, name));
  const plans = planCertificates(files, { context, now, renewBeforeMs });
  for (const plan of plans) {
    if (plan.action === 'keep') continue;
    const made = await issue(plan, files, { context, algorithm, now });
    files.set(plan.spec.name, made);
    // The key first: a certificate without its key would look complete to nobody, a key without certificate is redone.
    await host.writeFile(`${certDir}/${plan.spec.name}.key`, made.keyPem, { mode: 0o600 });
    await host.writeFile(`${certDir}/${plan.spec.name}.crt`, made.certPem, { mode: 0o644 });
  }
  const reports = plans.map(({ spec, action, why }) => ({ name: spec.name, action, why }));
  return [...reports, await ensureServiceAccountKeys(host, certDir, algorithm)];
}

export interface EnsureKubeconfigsOptions extends EnsureOptions {
  /** /etc/kubernetes */
  readonly kubeconfigDir: string;
  /** Port of this master's own API server, for the kubeconfigs with a local endpoint. Default 6443. */
  readonly bindPort?: number;
  /** Which of the table; default all. */
  readonly names?: readonly string[];
}

/** Makes the kubeconfigs of the table exist, each with an embedded client certificate of its own; 0600. */
export async function ensureKubeconfigs(host: Host, options: EnsureKubeconfigsOptions): Promise<EnsureReport[]> {
  const { context, certDir, kubeconfigDir, algorithm = 'ECDSA-P256', now = new Date(), bindPort = 6443 } = options;
  const { names = kubeconfigs.map(({ name }) => name), renewBeforeMs = 0 } = options;
  const signer = await readSigner(host, certDir, 'ca');
  const texts = new Map<string, string>();
  for (const name of names) {
    const text = await host.readFileIfExists(`${kubeconfigDir}/${name}`);
    if (text !== undefined) texts.set(name, text.toString('utf8'));
  }
  const plans = planKubeconfigs(texts, { context, now, renewBeforeMs, names, bindPort, caPem: signer.certPem });
  for (const { spec, server, action } of plans) {
    if (action === 'keep') continue;
    const text = await createKubeconfig({
      server,
      user: spec.user(context),
      subject: { commonName: spec.commonName(context), organizations: spec.organizations },
      signer,
      algorithm,
      now,
    });
    await host.writeFile(`${kubeconfigDir}/${spec.name}`, text, { mode: 0o600 });
  }
  return plans.map(({ spec, action, why }) => ({ name: spec.name, action, why }));
}

/** A kubeconfig with a fresh client certificate in it. */
export async function createKubeconfig(options: {
  readonly server: string;
  readonly user: string;
  readonly subject: { readonly commonName: string; readonly organizations: readonly string[] };
  readonly signer: Signer;
  readonly algorithm?: KeyAlgorithm;
  readonly now?: Date;
}): Promise<string> {
  const { server, user, subject, signer, algorithm = 'ECDSA-P256', now = new Date() } = options;
  const pair = await createKeyPair(algorithm);
  const certPem = issueCertificate({
    subject,
    publicKeyPem: pair.publicKeyPem,
    signer,
    usages: ['digital signature', 'client auth'],
    ...validity(now, leafLifetime),
  });
  const credentials = { cert: { text: certPem }, key: { text: pair.privateKeyPem } };
  return buildKubeconfig({ server, user, ca: { text: signer.certPem }, ...credentials });
}

async function issue(
  { spec }: CertPlan,
  files: ReadonlyMap<string, CertFiles>,
  { context, algorithm, now }: { context: CertContext; algorithm: KeyAlgorithm; now: Date },
): Promise<{ certPem: string; keyPem: string }> {
  const pair = await createKeyPair(algorithm);
  const keyPem = pair.privateKeyPem;
  const certPem = issueCertificate({
    subject: { commonName: spec.commonName, organizations: spec.organizations },
    publicKeyPem: pair.publicKeyPem,
    signer: spec.signer === null ? { self: true, keyPem } : signerIn(files, spec),
    // An RSA key may be used for key exchange in TLS 1.2; an EC key cannot.
    usages: algorithm === 'RSA-2048' ? [...spec.usages, 'key encipherment'] : spec.usages,
    altNames: spec.altNames(context),
    ...validity(now, spec.signer === null ? caLifetime : leafLifetime),
  });
  return { certPem, keyPem };
}

function signerIn(files: ReadonlyMap<string, CertFiles>, spec: CertSpec): Signer {
  const { certPem, keyPem } = files.get(spec.signer ?? '') ?? {};
  if (certPem === undefined || keyPem === undefined) throw new Error(`${spec.signer} must be made before ${spec.name}`);
  return { certPem, keyPem };
}

function validity(now: Date, lifetime: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(now.getTime() - backdate), notAfter: new Date(now.getTime() + lifetime) };
}

/** sa.key and sa.pub, which service account tokens are signed and verified with; no certificate. */
async function ensureServiceAccountKeys(host: Host, certDir: string, algorithm: KeyAlgorithm): Promise<EnsureReport> {
  const key = (await host.readFileIfExists(`${certDir}/sa.key`))?.toString('utf8');
  const pub = await host.readFileIfExists(`${certDir}/sa.pub`);
  if (key !== undefined && pub !== undefined) return { name: 'sa', action: 'keep', why: 'valid' };
  const pair =
    key === undefined ? await createKeyPair(algorithm) : { privateKeyPem: key, publicKeyPem: publicPem(key) };
  await host.writeFile(`${certDir}/sa.key`, pair.privateKeyPem, { mode: 0o600 });
  await host.writeFile(`${certDir}/sa.pub`, pair.publicKeyPem, { mode: 0o644 });
  return { name: 'sa', action: 'issue', why: key === undefined ? 'missing' : 'sa.pub is missing' };
}

function publicPem(privateKeyPem: string): string {
  return createPublicKey(createPrivateKey(privateKeyPem)).export({ type: 'spki', format: 'pem' }).toString();
}

async function readPair(host: Host, certDir: string, name: string): Promise<CertFiles> {
  const [cert, key] = await Promise.all([
    host.readFileIfExists(`${certDir}/${name}.crt`),
    host.readFileIfExists(`${certDir}/${name}.key`),
  ]);
  return { certPem: cert?.toString('utf8'), keyPem: key?.toString('utf8') };
}

async function readSigner(host: Host, certDir: string, name: string): Promise<Signer> {
  const [cert, key] = await Promise.all([
    host.readFile(`${certDir}/${name}.crt`),
    host.readFile(`${certDir}/${name}.key`),
  ]);
  return { certPem: cert.toString('utf8'), keyPem: key.toString('utf8') };
}
