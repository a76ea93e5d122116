// What the API server uses of a control plane's certificates, read together and consistent: a file set in the middle of
// being replaced (the key of one certificate, the text of another) is not taken over. node:crypto only: the certs folder
// reads ASN.1 by node-forge, which would cost an idle server 10 MB.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError, codeOf, messageOf } from '../base/index.ts';

export interface ServerMaterial {
  readonly ca: string;
  /** Of the cluster's own front proxies. */
  readonly frontProxyCa: string;
  readonly serving: CertificatePair;
  /** Towards nodes. */
  readonly node: CertificatePair;
  /** Towards other API servers. */
  readonly frontProxy: CertificatePair;
}

interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

const pairs = ['apiserver', 'apiserver-kubelet-client', 'front-proxy-client'] as const;

/** @throws CodedError CERTIFICATE_UNREADABLE, CERTIFICATE_MISMATCH */
export async function readServerMaterial(certDir: string): Promise<ServerMaterial> {
  const [serving, node, frontProxy] = await Promise.all([
    readPair(certDir, pairs[0]),
    readPair(certDir, pairs[1]),
    readPair(certDir, pairs[2]),
  ]);
  const [ca, frontProxyCa] = await Promise.all(
    ['ca.crt', 'front-proxy-ca.crt'].map((name) => readPem(join(certDir, name))),
  );
  return { ca: ca ?? '', frontProxyCa: frontProxyCa ?? '', serving, node, frontProxy };
}

/** Whether a certificate that the server needs has expired, or does not fit its key. */
export async function needsMending(certDir: string, now: number): Promise<boolean> {
  const states = pairs.map(async (name) => {
    try {
      const { cert } = await readPair(certDir, name);
      return new X509Certificate(cert).validToDate.getTime() <= now;
    } catch (error) {
      return codeOf(error) === 'CERTIFICATE_MISMATCH';
    }
  });
  return (await Promise.all(states)).includes(true);
}

/** When each certificate in the folder expires, by file name without .crt. */
export async function readExpiries(certDir: string): Promise<ReadonlyMap<string, Date>> {
  const expiries = new Map<string, Date>();
  const names = await readdir(certDir, { recursive: true });
  for (const name of names.filter((one) => one.endsWith('.crt')).sort()) {
    const { validToDate } = new X509Certificate(await readPem(join(certDir, name)));
    expiries.set(name.slice(0, -'.crt'.length), validToDate);
  }
  return expiries;
}

/** @throws CodedError CERTIFICATE_UNREADABLE */
export async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CodedError('CERTIFICATE_UNREADABLE', `${path} cannot be read: ${messageOf(error)}`, {
      hint: 'run k8ts init again: it makes what is missing',
      cause: error,
    });
  }
}

/** Empty when the file is not there. */
export async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}

async function readPair(certDir: string, name: string): Promise<CertificatePair> {
  const path = join(certDir, name);
  const [cert, key] = await Promise.all([readPem(`${path}.crt`), readPem(`${path}.key`)]);
  if (fits(cert, key)) return { cert, key };
  throw new CodedError('CERTIFICATE_MISMATCH', `${path}.crt and ${path}.key do not belong together`, {
    hint: `make both anew: k8ts certs renew ${name}`,
  });
}

function fits(cert: string, key: string): boolean {
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}
