// Carries out certificate plans on a host: reads what is there, issues what is missing, and leaves the rest as it is.
// Run again after a crash it goes on where it stopped, because a certificate counts only together with its key.

import type { Host } from '../host/index.ts';
import { buildKubeconfig } from '../kubeconfig/index.ts';
import type { Usage } from './extensions.ts';
import { type KeyAndCertificate, publicPem, readPair, readSigner, writePair } from './files.ts';
import { issueCertificate, type Signer } from './issue.ts';
import { createKeyPair, type KeyAlgorithm } from './keys.ts';
import { leafLifetime, validity } from './lifetime.ts';
import { type CertFiles, type CertPlan, keyMissing, planCertificates } from './plan.ts';
import { planKubeconfigs } from './plan-kubeconfigs.ts';
import { type CertContext, type CertSpec, certs, etcdCerts, kubeconfigs } from './table.ts';

export interface EnsureOptions {
  readonly context: CertContext;
  /** /etc/kubernetes/pki */
  readonly certDir: string;
  /** Of new keys; default ECDSA-P256. */
  readonly algorithm?: KeyAlgorithm;
  /** ms; default a year. */
  readonly lifetime?: number;
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

export interface EnsureCertificatesOptions extends EnsureOptions {
  /** Of new CAs, ms; default ten years. */
  readonly caLifetime?: number;
  /** Whether the certificates of etcd are needed as well; default false. */
  readonly etcd?: boolean;
}

/**
 * Makes every certificate of the table and the service account key pair exist under `certDir`. Private keys are 0600 and
 * folders 0700.
 * @throws CodedError CA_INVALID, CA_KEY_MISSING
 */
export async function ensureCertificates(host: Host, options: EnsureCertificatesOptions): Promise<EnsureReport[]> {
  const { certDir, algorithm = 'ECDSA-P256', etcd = false } = options;
  const specs: readonly CertSpec[] = etcd ? [...certs, ...etcdCerts] : certs;
  const files = new Map<string, CertFiles>();
  for (const { name, file } of specs) files.set(name, await readPair(host, `${certDir}/${file}`));
  const { context, now = new Date(), renewBeforeMs = 0 } = options;
  const plans = planCertificates(specs, files, { context, now, renewBeforeMs });
  await host.makeDir(certDir, { mode: 0o700 });
  if (etcd) await host.makeDir(`${certDir}/etcd`, { mode: 0o700 });
  for (const plan of plans) {
    if (plan.action === 'keep') continue;
    const made = await issue(plan.spec, files, options);
    files.set(plan.spec.name, made);
    await writePair(host, `${certDir}/${plan.spec.file}`, made);
  }
  return [...plans.map(reportOf), await ensureServiceAccountKeys(host, certDir, algorithm)];
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
  const { names = kubeconfigs.map(({ name }) => name), renewBeforeMs = 0, lifetime = leafLifetime } = options;
  const ca = await readPair(host, `${certDir}/ca`);
  const texts = new Map<string, string>();
  for (const name of names) {
    const text = await host.readFileIfExists(`${kubeconfigDir}/${name}`);
    if (text !== undefined) texts.set(name, text.toString('utf8'));
  }
  const caPem = ca.certPem ?? '';
  const plans = planKubeconfigs(texts, { context, now, renewBeforeMs, names, bindPort, caPem });
  const due = plans.filter(({ action }) => action === 'issue');
  if (due.length === 0) return plans.map(reportOf);
  if (ca.certPem !== undefined && ca.keyPem === undefined) {
    throw keyMissing(
      due.map(({ spec, why }) => ({ name: spec.name, why })),
      ['ca'],
    );
  }
  const signer = await readSigner(host, `${certDir}/ca`);
  for (const { spec, server } of due) {
    const text = await createKubeconfig({
      server,
      user: spec.user(context),
      subject: { commonName: spec.commonName(context), organizations: spec.organizations },
      signer,
      algorithm,
      lifetime,
      now,
    });
    await host.writeFile(`${kubeconfigDir}/${spec.name}`, text, { mode: 0o600 });
  }
  return plans.map(reportOf);
}

function reportOf({ spec, action, why }: Pick<CertPlan, 'action' | 'why'> & { spec: { name: string } }): EnsureReport {
  return { name: spec.name, action, why };
}

/** A kubeconfig with a fresh client certificate in it. */
export async function createKubeconfig(options: {
  readonly server: string;
  readonly user: string;
  readonly subject: { readonly commonName: string; readonly organizations: readonly string[] };
  readonly signer: Signer;
  readonly algorithm?: KeyAlgorithm;
  /** ms; default a year. */
  readonly lifetime?: number;
  readonly now?: Date;
}): Promise<string> {
  const { server, user, subject, signer, algorithm = 'ECDSA-P256', now = new Date() } = options;
  const pair = await createKeyPair(algorithm);
  const certPem = issueCertificate({
    subject,
    publicKeyPem: pair.publicKeyPem,
    signer,
    usages: ['digital signature', 'client auth'],
    ...validity(now, options.lifetime ?? leafLifetime),
  });
  const credentials = { cert: { text: certPem }, key: { text: pair.privateKeyPem } };
  return buildKubeconfig({ server, user, ca: { text: signer.certPem }, ...credentials });
}

async function issue(
  spec: CertSpec,
  files: ReadonlyMap<string, CertFiles>,
  options: EnsureCertificatesOptions,
): Promise<KeyAndCertificate> {
  const { context, algorithm = 'ECDSA-P256', now = new Date() } = options;
  const { lifetime = leafLifetime, caLifetime = 10 * leafLifetime } = options;
  // A CA's key that lies there alone is used: it was made by a run that was stopped, or brought along.
  const kept = spec.signer === null ? files.get(spec.name)?.keyPem : undefined;
  const keyPem = kept ?? (await createKeyPair(algorithm)).privateKeyPem;
  const certPem = issueCertificate({
    subject: { commonName: spec.commonName(context), organizations: spec.organizations },
    publicKeyPem: publicPem(keyPem),
    signer: spec.signer === null ? { self: true, keyPem } : signerIn(files, spec),
    usages: usagesFor(spec, algorithm),
    altNames: spec.altNames(context),
    ...validity(now, spec.signer === null ? caLifetime : lifetime),
  });
  return { certPem, keyPem };
}

/** An RSA key may be used for key exchange in TLS 1.2; an EC key cannot. */
function usagesFor({ usages }: CertSpec, algorithm: KeyAlgorithm): readonly Usage[] {
  return algorithm.startsWith('RSA') ? [...usages, 'key encipherment'] : usages;
}

function signerIn(files: ReadonlyMap<string, CertFiles>, spec: CertSpec): Signer {
  const { certPem, keyPem } = files.get(spec.signer ?? '') ?? {};
  if (certPem === undefined || keyPem === undefined) throw new Error(`${spec.signer} must be made before ${spec.name}`);
  return { certPem, keyPem };
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
