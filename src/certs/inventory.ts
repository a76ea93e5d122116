// Every certificate that a control plane node has, by the two tables: what is there, who signed it, how long it lives.
// check-expiration, renewal, metrics and warnings all start from this list.

import { messageOf } from '../base/index.ts';
import type { Host } from '../host/index.ts';
import { type ClusterAccess, type Credential, parseKubeconfig } from '../kubeconfig/index.ts';
import { readPair } from './files.ts';
import { type CertFiles, whyNotPair } from './plan.ts';
import { type Certificate, isSignedBy, parseCertificate } from './read.ts';
import { type CertSpec, certs, etcdCerts, kubeconfigs } from './table.ts';

export interface CertificatePlaces {
  /** /etc/kubernetes/pki */
  readonly certDir: string;
  /** /etc/kubernetes */
  readonly kubeconfigDir: string;
}

export interface HeldCertificate {
  /** As `certs renew` calls it: `apiserver`, `admin.conf`, `ca`. */
  readonly name: string;
  readonly kind: 'ca' | 'certificate' | 'kubeconfig';
  /** Path of the kubeconfig; of certificates without .crt and .key. */
  readonly path: string;
  /** The CA's name in the table; its own for a CA. */
  readonly caName: string;
  /** undefined: missing or unreadable. */
  readonly certificate: Certificate | undefined;
  /** Its CA's key is elsewhere. */
  readonly isExternal: boolean;
  /** Why it cannot be used though it is there. */
  readonly problem: string | undefined;
}

const tables: readonly CertSpec[] = [...certs, ...etcdCerts];
/** Its certificate is the agent's, which renews it by requests to the cluster. */
const agentsOwn = 'kubelet.conf';

/** In the order of the tables. Certificates of etcd are listed where there are any. */
export async function readInventory(host: Host, places: CertificatePlaces): Promise<HeldCertificate[]> {
  const { certDir, kubeconfigDir } = places;
  const files = new Map<string, CertFiles>();
  for (const { name, file } of tables) files.set(name, await readPair(host, `${certDir}/${file}`));
  const hasEtcd = etcdCerts.some(({ name }) => files.get(name)?.certPem !== undefined);
  const held = (hasEtcd ? tables : certs).map((spec) => heldOf(spec, `${certDir}/${spec.file}`, files));
  const configs: HeldCertificate[] = [];
  for (const { name } of kubeconfigs) {
    if (name === agentsOwn) continue;
    const path = `${kubeconfigDir}/${name}`;
    configs.push(ofKubeconfig(name, path, (await host.readFileIfExists(path))?.toString('utf8'), files));
  }
  return [...held, ...configs];
}

function heldOf(spec: CertSpec, path: string, files: ReadonlyMap<string, CertFiles>): HeldCertificate {
  const caName = spec.signer ?? spec.name;
  const { certPem, keyPem } = files.get(spec.name) ?? {};
  const base = {
    name: spec.name,
    kind: spec.signer === null ? ('ca' as const) : ('certificate' as const),
    path,
    caName,
    isExternal: files.get(caName)?.keyPem === undefined,
  };
  if (certPem === undefined) return { ...base, certificate: undefined, problem: undefined };
  try {
    const certificate = parseCertificate(certPem);
    const mismatch = keyPem === undefined ? undefined : whyNotPair(certificate, keyPem);
    const caPem = spec.signer === null ? undefined : files.get(spec.signer)?.certPem;
    return { ...base, certificate, problem: mismatch ?? whyForeign(certPem, caPem, caName) };
  } catch (error) {
    return { ...base, certificate: undefined, problem: messageOf(error) };
  }
}

function ofKubeconfig(
  name: string,
  path: string,
  text: string | undefined,
  files: ReadonlyMap<string, CertFiles>,
): HeldCertificate {
  const ca = files.get('ca');
  const base = { name, kind: 'kubeconfig' as const, path, caName: 'ca', isExternal: ca?.keyPem === undefined };
  if (text === undefined) return { ...base, certificate: undefined, problem: undefined };
  try {
    const { cert, key } = parseKubeconfig(text);
    const certPem = inline(cert);
    if (certPem === undefined) return { ...base, certificate: undefined, problem: 'it holds no client certificate' };
    const certificate = parseCertificate(certPem);
    const mismatch = whyNotPair(certificate, inline(key) ?? '');
    return { ...base, certificate, problem: mismatch ?? whyForeign(certPem, ca?.certPem, 'ca') };
  } catch (error) {
    return { ...base, certificate: undefined, problem: messageOf(error) };
  }
}

function whyForeign(certPem: string, caPem: string | undefined, caName: string): string | undefined {
  return caPem === undefined || isSignedBy(certPem, caPem) ? undefined : `it is not signed by "${caName}"`;
}

function inline(credential: ClusterAccess['cert']): string | undefined {
  const given: Credential | undefined = credential;
  return given !== undefined && 'text' in given ? given.text : undefined;
}
