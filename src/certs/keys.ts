// Key pairs and signatures, all of it by node:crypto (an RSA signature by forge would block the event loop for 20 ms).

import { createPublicKey, generateKeyPair, type KeyObject, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import { type Der, nothing, oid, sequence } from './der.ts';

/** The names that kubeadm's `encryptionAlgorithm` has. */
export const keyAlgorithms = ['ECDSA-P256', 'ECDSA-P384', 'RSA-2048', 'RSA-3072', 'RSA-4096'] as const;
export type KeyAlgorithm = (typeof keyAlgorithms)[number];

export interface KeyPair {
  /** PKCS#8 */
  readonly privateKeyPem: string;
  /** SubjectPublicKeyInfo */
  readonly publicKeyPem: string;
}

const generate = promisify(generateKeyPair);

/** Makes a key pair off the event loop: P-256 0.1 ms, RSA-2048 40 ms, RSA-4096 0.5 s. */
export async function createKeyPair(algorithm: KeyAlgorithm = 'ECDSA-P256'): Promise<KeyPair> {
  const pair = await generateFor(algorithm);
  return {
    privateKeyPem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKeyPem: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

function generateFor(algorithm: KeyAlgorithm): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  switch (algorithm) {
    case 'ECDSA-P256':
      return generate('ec', { namedCurve: 'P-256' });
    case 'ECDSA-P384':
      return generate('ec', { namedCurve: 'P-384' });
    case 'RSA-2048':
    case 'RSA-3072':
    case 'RSA-4096':
      return generate('rsa', { modulusLength: Number(algorithm.slice('RSA-'.length)) });
  }
}

/** The algorithm of a public or private key, so that a renewed one is of the same kind; P-256 for kinds of others. */
export function algorithmOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): KeyAlgorithm {
  if (asymmetricKeyType === 'rsa') {
    const bits = asymmetricKeyDetails?.modulusLength ?? 0;
    return bits > 3072 ? 'RSA-4096' : bits > 2048 ? 'RSA-3072' : 'RSA-2048';
  }
  return asymmetricKeyDetails?.namedCurve === 'secp384r1' ? 'ECDSA-P384' : 'ECDSA-P256';
}

/** Signature algorithms that are verified; the ones that k8ts signs with are chosen by signatureFor. */
const signatureAlgorithms: Readonly<Record<string, { readonly hash: string | null; readonly keyType: string }>> = {
  '1.2.840.113549.1.1.11': { hash: 'sha256', keyType: 'rsa' },
  '1.2.840.113549.1.1.12': { hash: 'sha384', keyType: 'rsa' },
  '1.2.840.113549.1.1.13': { hash: 'sha512', keyType: 'rsa' },
  '1.2.840.10045.4.3.2': { hash: 'sha256', keyType: 'ec' },
  '1.2.840.10045.4.3.3': { hash: 'sha384', keyType: 'ec' },
  '1.2.840.10045.4.3.4': { hash: 'sha512', keyType: 'ec' },
  '1.3.101.112': { hash: null, keyType: 'ed25519' },
};

interface Signature {
  /** AlgorithmIdentifier */
  readonly algorithm: Der;
  sign(bytes: Buffer): Buffer;
}

/** How `key` signs: the hash that fits the key's strength (RFC 5758, RFC 4055). */
export function signatureFor(key: KeyObject): Signature {
  if (key.asymmetricKeyType === 'rsa') {
    return {
      algorithm: sequence(oid('1.2.840.113549.1.1.11'), nothing()),
      sign: (bytes) => sign('sha256', bytes, key),
    };
  }
  if (key.asymmetricKeyType === 'ed25519') {
    return { algorithm: sequence(oid('1.3.101.112')), sign: (bytes) => sign(null, bytes, key) };
  }
  if (key.asymmetricKeyType === 'ec') {
    const large = key.asymmetricKeyDetails?.namedCurve !== 'prime256v1';
    const [algorithm, hash] = large ? ['1.2.840.10045.4.3.3', 'sha384'] : ['1.2.840.10045.4.3.2', 'sha256'];
    return { algorithm: sequence(oid(algorithm)), sign: (bytes) => sign(hash, bytes, key) };
  }
  throw new Error(`no signature with a key of type ${key.asymmetricKeyType}`);
}

/** Why `signature` is not one of `key` over `bytes`; undefined when it is. */
export function whyNotSigned(options: {
  readonly algorithm: string;
  readonly key: KeyObject;
  readonly bytes: Buffer;
  readonly signature: Buffer;
}): string | undefined {
  const known = signatureAlgorithms[options.algorithm];
  if (known === undefined) return `the signature algorithm ${options.algorithm} is not supported`;
  if (known.keyType !== options.key.asymmetricKeyType) return 'the signature algorithm does not fit the key';
  if (!verify(known.hash, options.bytes, options.key, options.signature)) return 'the signature is wrong';
  return undefined;
}

/** The key in a DER SubjectPublicKeyInfo. */
export function publicKeyOf(spki: Buffer): KeyObject {
  return createPublicKey({ key: spki, format: 'der', type: 'spki' });
}
