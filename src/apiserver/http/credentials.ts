// What a request carries that can prove who sent it. The certificate is read once per connection: authentication keys what
// it knows of a user by that very object.

import type { TLSSocket } from 'node:tls';
import type { Credentials } from '../contracts.ts';
import type { Exchange } from './exchange.ts';

type ClientCertificate = NonNullable<Credentials['clientCertificate']>;

const certificates = new WeakMap<TLSSocket, ClientCertificate | 'none'>();

export function credentialsOf({ socket, headers }: Pick<Exchange, 'socket' | 'headers'>): Credentials {
  const certificate = certificateOf(socket);
  const { authorization } = headers;
  return {
    headers,
    ...(certificate === 'none' ? {} : { clientCertificate: certificate }),
    ...(authorization === undefined ? {} : bearerOf(authorization)),
  };
}

function bearerOf(authorization: string): { readonly bearerToken?: string } {
  const [scheme = '', token = ''] = authorization.split(' ', 2);
  return scheme.toLowerCase() === 'bearer' ? { bearerToken: token } : {};
}

function certificateOf(socket: TLSSocket): ClientCertificate | 'none' {
  const known = certificates.get(socket);
  if (known !== undefined) return known;
  const read = readCertificate(socket);
  certificates.set(socket, read);
  return read;
}

/** Only what TLS verified against the client CA. */
function readCertificate(socket: TLSSocket): ClientCertificate | 'none' {
  if (!socket.authorized) return 'none';
  const { subject, fingerprint256, issuerCertificate, valid_to: validTo } = socket.getPeerCertificate(true);
  if (subject === undefined) return 'none';
  // Node gives an array when an attribute is repeated, which its types do not say.
  const { CN, O: organizations } = subject as { readonly CN?: string | string[]; readonly O?: string | string[] };
  return {
    commonName: (Array.isArray(CN) ? CN[0] : CN) ?? '',
    organizations: organizations === undefined ? [] : [organizations].flat(),
    fingerprint256,
    expires: Date.parse(validTo),
    ...(issuerCertificate === undefined ? {} : { issuerFingerprint256: issuerCertificate.fingerprint256 }),
  };
}
