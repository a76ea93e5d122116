// Replacing the cluster's CA while the cluster runs, on the disk of a control plane node. Three stages, each of which can be
// run again after a crash, and between which everybody has time to follow:
//
//   stage    ca.crt        ca.key   leafs by   further files
//   (none)   old           old      old
//   trust    old, new      old      old        ca-next.crt, ca-next.key
//   issue    new, old      new      new        ca-bridge.crt
//   finish   new           new      new
//
// ca-bridge.crt is the new CA's key and name signed by the old CA. Served behind the API server's certificate from `issue`
// until `finish`, it lets clients that know the old CA alone (a copied kubeconfig, a pod that read its CA at start) go on.
// Replacing both at once, as documents for kubeadm have it, cuts all of them off in the same moment.

import { CodedError } from '../base/index.ts';
import type { Host } from '../host/index.ts';
import { replaceInKubeconfig } from '../kubeconfig/index.ts';
import { readPair, readSigner, writePair } from './files.ts';
import type { CertificatePlaces } from './inventory.ts';
import { issueCertificate, type Signer } from './issue.ts';
import { algorithmOf, createKeyPair, type KeyAlgorithm } from './keys.ts';
import { leafLifetime, validity } from './lifetime.ts';
import { whyNotPair } from './plan.ts';
import { parseCertificate, splitCertificates } from './read.ts';
import { kubeconfigs } from './table.ts';

export const rotationStages = ['trust', 'issue', 'finish'] as const;
export type RotationStage = (typeof rotationStages)[number];

export interface RotationState {
  /** The last stage that was begun; undefined: no rotation is under way. */
  readonly stage: 'trust' | 'issue' | undefined;
  /** All CA certificates that are trusted now, the signing one first, each as PEM. */
  readonly trusted: readonly string[];
}

/** @throws CodedError CA_ABSENT, CA_KEY_MISSING */
export async function readRotation(host: Host, certDir: string): Promise<RotationState> {
  const { certPem } = await readSigner(host, `${certDir}/ca`);
  const trusted = splitCertificates(certPem);
  if (trusted.length < 2) return { stage: undefined, trusted };
  const next = await readPair(host, `${certDir}/ca-next`);
  return { stage: next.keyPem === undefined ? 'issue' : 'trust', trusted };
}

/** Makes the new CA and trusts it beside the old one. @param algorithm default: that of the old CA's key */
export async function trustNewCa(
  host: Host,
  places: CertificatePlaces,
  { algorithm, now = new Date() }: { readonly algorithm?: KeyAlgorithm | undefined; readonly now?: Date } = {},
): Promise<void> {
  const { certDir } = places;
  const old = await readSigner(host, `${certDir}/ca`);
  const before = await readPair(host, `${certDir}/ca-next`);
  const next =
    before.certPem !== undefined && before.keyPem !== undefined && fits(before.certPem, before.keyPem)
      ? { certPem: before.certPem, keyPem: before.keyPem }
      : await newCaLike(old, algorithm, now);
  await writePair(host, `${certDir}/ca-next`, next);
  const [first = old.certPem] = splitCertificates(old.certPem);
  await publish(host, places, [first, next.certPem]);
}

/** Lets the new CA sign; nothing when it does already. The caller renews every certificate after that. @throws CodedError ROTATION_NOT_BEGUN */
export async function signWithNewCa(host: Host, places: CertificatePlaces, now = new Date()): Promise<void> {
  const { certDir } = places;
  const next = await readPair(host, `${certDir}/ca-next`);
  if (next.certPem === undefined || next.keyPem === undefined) {
    if ((await readRotation(host, certDir)).stage === 'issue') return;
    throw notBegun();
  }
  const { certPem, keyPem } = await readSigner(host, `${certDir}/ca`);
  const [old = certPem] = splitCertificates(certPem);
  // The bridge is the last thing that the old key signs, so it must be there before that key is gone.
  if (fits(old, keyPem)) {
    await host.writeFile(`${certDir}/ca-bridge.crt`, bridge(next.certPem, { certPem: old, keyPem }, now), {
      mode: 0o644,
    });
  }
  await host.writeFile(`${certDir}/ca.key`, next.keyPem, { mode: 0o600 });
  await publish(host, places, [next.certPem, old]);
  for (const suffix of ['key', 'crt']) await host.remove(`${certDir}/ca-next.${suffix}`);
}

/** Trusts the new CA alone. The caller renews the API server's certificate after that, which drops the bridge. */
export async function dropOldCa(host: Host, places: CertificatePlaces): Promise<void> {
  const { stage, trusted } = await readRotation(host, places.certDir);
  if (stage === 'trust') throw notBegun();
  await publish(host, places, trusted.slice(0, 1));
  await host.remove(`${places.certDir}/ca-bridge.crt`);
}

/** What the API server shows behind its own certificate while the CA is being replaced; empty otherwise. */
export async function readBridge(host: Host, certDir: string): Promise<string> {
  return (await host.readFileIfExists(`${certDir}/ca-bridge.crt`))?.toString('utf8') ?? '';
}

/** Writes ca.crt and tells every kubeconfig of this machine. */
async function publish(
  host: Host,
  { certDir, kubeconfigDir }: CertificatePlaces,
  trusted: readonly string[],
): Promise<void> {
  const bundle = trusted.map((pem) => `${pem.trim()}\n`).join('');
  await host.writeFile(`${certDir}/ca.crt`, bundle, { mode: 0o644 });
  for (const { name } of kubeconfigs) {
    const path = `${kubeconfigDir}/${name}`;
    const text = (await host.readFileIfExists(path))?.toString('utf8');
    // The agent's own names ca.crt by its path.
    if (text === undefined || !text.includes('certificate-authority-data')) continue;
    await host.writeFile(path, replaceInKubeconfig(text, { ca: bundle }), { mode: 0o600 });
  }
}

async function newCaLike(old: Signer, algorithm: KeyAlgorithm | undefined, now: Date): Promise<Signer> {
  const { subject, usages, publicKey } = parseCertificate(old.certPem);
  const pair = await createKeyPair(algorithm ?? algorithmOf(publicKey));
  const certPem = issueCertificate({
    subject,
    publicKeyPem: pair.publicKeyPem,
    signer: { self: true, keyPem: pair.privateKeyPem },
    usages,
    ...validity(now, 10 * leafLifetime),
  });
  return { certPem, keyPem: pair.privateKeyPem };
}

function bridge(newCaPem: string, old: Signer, now: Date): string {
  const { subject, usages, publicKey } = parseCertificate(newCaPem);
  return issueCertificate({
    subject,
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    signer: old,
    usages,
    isCa: true,
    ...validity(now, 10 * leafLifetime),
  });
}

function fits(certPem: string, keyPem: string): boolean {
  return whyNotPair(parseCertificate(certPem), keyPem) === undefined;
}

function notBegun(): CodedError {
  return new CodedError('ROTATION_NOT_BEGUN', 'this stage of replacing the CA comes after another one', {
    exit: 'invalidInput',
    hint: 'k8ts certs rotate-ca without --stage does the stage that is next',
  });
}
