// Keys and certificate signing requests for an external CA (kubeadm certs generate-csr): beside each missing certificate a
// key and `<name>.csr`, and for each kubeconfig one with the key in it and `<name>.conf.csr`. Where the CA's key is, the
// requests are signed with any tool; the answers go beside the keys, and into the kubeconfigs as client-certificate-data.

import type { Host } from '../host/index.ts';
import { buildKubeconfig, parseKubeconfig } from '../kubeconfig/index.ts';
import { createCsr } from './csr.ts';
import { readPair } from './files.ts';
import type { CertificatePlaces } from './inventory.ts';
import { createKeyPair, type KeyAlgorithm } from './keys.ts';
import { serverOf } from './plan-kubeconfigs.ts';
import { type CertContext, type CertSpec, certs, etcdCerts, kubeconfigs } from './table.ts';

interface RequestOptions extends CertificatePlaces {
  readonly context: CertContext;
  readonly algorithm?: KeyAlgorithm;
  /** Port of this master's own API server; default 6443. */
  readonly bindPort?: number;
  /** Whether etcd's are wanted as well; default false. */
  readonly etcd?: boolean;
}

/** Keys that are there are used again. @returns the paths of the requests */
export async function requestCertificates(host: Host, options: RequestOptions): Promise<string[]> {
  const { context, certDir, kubeconfigDir, algorithm = 'ECDSA-P256', bindPort = 6443, etcd = false } = options;
  const specs: readonly CertSpec[] = etcd ? [...certs, ...etcdCerts] : certs;
  const made: string[] = [];
  await host.makeDir(certDir, { mode: 0o700 });
  if (etcd) await host.makeDir(`${certDir}/etcd`, { mode: 0o700 });
  for (const spec of specs.filter(({ signer }) => signer !== null)) {
    const path = `${certDir}/${spec.file}`;
    const keyPem = (await readPair(host, path)).keyPem ?? (await createKeyPair(algorithm)).privateKeyPem;
    await host.writeFile(`${path}.key`, keyPem, { mode: 0o600 });
    const subject = { commonName: spec.commonName(context), organizations: spec.organizations };
    await host.writeFile(`${path}.csr`, createCsr({ keyPem, subject, altNames: spec.altNames(context) }));
    made.push(`${path}.csr`);
  }
  const ca = (await readPair(host, `${certDir}/ca`)).certPem;
  for (const spec of kubeconfigs.filter(({ name }) => name !== 'kubelet.conf')) {
    const path = `${kubeconfigDir}/${spec.name}`;
    const keyPem = (await keyIn(host, path)) ?? (await createKeyPair(algorithm)).privateKeyPem;
    if ((await host.stat(path)) === undefined) {
      const server = serverOf(spec, { context, bindPort });
      const trust = ca === undefined ? {} : { ca: { text: ca } };
      const text = buildKubeconfig({ server, user: spec.user(context), key: { text: keyPem }, ...trust });
      await host.writeFile(path, text, { mode: 0o600 });
    }
    const subject = { commonName: spec.commonName(context), organizations: spec.organizations };
    await host.writeFile(`${path}.csr`, createCsr({ keyPem, subject }));
    made.push(`${path}.csr`);
  }
  return made;
}

async function keyIn(host: Host, path: string): Promise<string | undefined> {
  const text = (await host.readFileIfExists(path))?.toString('utf8');
  const key = text === undefined ? undefined : parseKubeconfig(text).key;
  return key !== undefined && 'text' in key ? key.text : undefined;
}
