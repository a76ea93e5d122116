// Renewal: a certificate is made anew from the one that is there, not from the table, so that whoever made it (kubeadm,
// an older k8ts, a person) finds its names, organizations, usages and kind of key as they were. Only key, serial number and
// dates change; kubeconfigs keep everything but the certificate and its key.

import { CodedError } from '../base/index.ts';
import type { Host } from '../host/index.ts';
import { parseKubeconfig, replaceInKubeconfig } from '../kubeconfig/index.ts';
import { type KeyAndCertificate, readPair, readSigner, writePair } from './files.ts';
import { type CertificatePlaces, type HeldCertificate, readInventory } from './inventory.ts';
import { issueCertificate, type Signer } from './issue.ts';
import { algorithmOf, createKeyPair } from './keys.ts';
import { leafLifetime, lifetimeOf, renewalTime, validity } from './lifetime.ts';
import { parseCertificate } from './read.ts';
import { readBridge } from './rotate.ts';
import { type CertSpec, certs, etcdCerts } from './table.ts';

interface RenewOptions extends CertificatePlaces {
  readonly now?: Date;
}

/** What was renewed, or why it was not. */
interface RenewReport {
  readonly name: string;
  readonly action: 'renewed' | 'missing' | 'external';
}

/**
 * Renews what `names` says; `all`: everything that is there.
 * @throws CodedError CERTIFICATE_UNKNOWN, CA_ABSENT, CA_KEY_MISSING (when it was asked for by name), CERTIFICATE_ABSENT
 */
export async function renewCertificates(
  host: Host,
  names: 'all' | readonly string[],
  options: RenewOptions,
): Promise<RenewReport[]> {
  const held = (await readInventory(host, options)).filter(({ kind }) => kind !== 'ca');
  const chosen = names === 'all' ? held : names.map((name) => heldCalled(held, name));
  const reports: RenewReport[] = [];
  for (const one of chosen) {
    if (names === 'all' && one.certificate === undefined) reports.push({ name: one.name, action: 'missing' });
    else if (names === 'all' && one.isExternal) reports.push({ name: one.name, action: 'external' });
    else {
      await renewHeld(host, one, options);
      reports.push({ name: one.name, action: 'renewed' });
    }
  }
  return reports;
}

/**
 * What must be renewed at `now` and can be: two thirds of its life are over, its key is another one's (a renewal that was
 * cut short), or its CA signs no more.
 */
export function dueCertificates(held: readonly HeldCertificate[], now: number): readonly HeldCertificate[] {
  return held.filter(
    ({ kind, certificate, isExternal, problem }) =>
      kind !== 'ca' &&
      certificate !== undefined &&
      !isExternal &&
      (problem !== undefined || renewalTime(certificate) <= now),
  );
}

/** Renews one certificate of the inventory. @param addNames further names for it */
export async function renewHeld(
  host: Host,
  held: HeldCertificate,
  options: RenewOptions,
  addNames: readonly string[] = [],
): Promise<void> {
  const { certDir, now = new Date() } = options;
  const signer = await readSigner(host, `${certDir}/${fileOf(held.caName)}`);
  if (held.kind === 'kubeconfig') {
    const text = (await host.readFile(held.path)).toString('utf8');
    const { cert } = parseKubeconfig(text);
    const before = cert !== undefined && 'text' in cert ? cert.text : '';
    const made = await reissue(before, signer, now);
    const news = { ca: signer.certPem, cert: made.certPem, key: made.keyPem };
    await host.writeFile(held.path, replaceInKubeconfig(text, news), { mode: 0o600 });
    return;
  }
  const { certPem } = await readPair(host, held.path);
  if (certPem === undefined) {
    throw new CodedError('CERTIFICATE_ABSENT', `there is no ${held.path}.crt to renew`, {
      hint: 'k8ts init phase certs makes what is missing',
    });
  }
  const made = await reissue(certPem, signer, now, addNames);
  const bridge = held.caName === 'ca' ? await readBridge(host, certDir) : '';
  await writePair(host, held.path, { ...made, certPem: made.certPem + bridge });
}

/**
 * A new key and certificate that say what `certPem` says. Lives as long as that one was made for, at most a year (kubeadm
 * dates the beginning of all certificates back to the CA's, so that what is there looks longer than it was).
 */
async function reissue(
  certPem: string,
  signer: Signer,
  now: Date,
  addNames: readonly string[] = [],
): Promise<KeyAndCertificate> {
  const { subject, usages, dnsNames, ipAddresses, publicKey, ...dates } = parseCertificate(certPem);
  const pair = await createKeyPair(algorithmOf(publicKey));
  const made = issueCertificate({
    subject,
    publicKeyPem: pair.publicKeyPem,
    signer,
    usages,
    altNames: [...dnsNames, ...ipAddresses, ...addNames],
    ...validity(now, Math.min(lifetimeOf(dates), leafLifetime)),
  });
  return { certPem: made, keyPem: pair.privateKeyPem };
}

function heldCalled(held: readonly HeldCertificate[], name: string): HeldCertificate {
  const found = held.find((one) => one.name === name);
  if (found === undefined) {
    throw new CodedError('CERTIFICATE_UNKNOWN', `there is no certificate called "${name}"`, {
      exit: 'invalidInput',
      hint: `one of: all, ${held.map((one) => one.name).join(', ')}`,
    });
  }
  if (found.certificate !== undefined) return found;
  throw new CodedError('CERTIFICATE_ABSENT', `${name} is not there, or unreadable: ${found.problem ?? found.path}`, {
    hint: 'k8ts init phase certs and k8ts init phase kubeconfig make what is missing',
  });
}

/** Where the files of a certificate of the tables are, below the certificate folder. */
function fileOf(name: string): string {
  const tables: readonly CertSpec[] = [...certs, ...etcdCerts];
  return tables.find((spec) => spec.name === name)?.file ?? name;
}
