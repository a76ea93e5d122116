// The front proxy: an aggregator or gateway that has authenticated the user itself and says who it is in headers. It is
// believed when its client certificate was signed by the front-proxy CA and carries an allowed name; a certificate of that
// CA proves nothing else. Source: Kubernetes documentation, "Authenticating", authenticating proxy.

import { X509Certificate } from 'node:crypto';
import { CodedError } from '../../base/index.ts';
import type { Credentials, UserInfo } from '../contracts.ts';

export interface RequestHeaderOptions {
  /** PEM of the CA that signs front-proxy clients. */
  readonly caPem: string;
  /** Common names that are believed; empty: any of that CA. */
  readonly allowedNames?: readonly string[];
  /** Lower case; defaults: x-remote-user, x-remote-group, x-remote-extra-. */
  readonly usernameHeaders?: readonly string[];
  readonly groupHeaders?: readonly string[];
  readonly extraHeaderPrefixes?: readonly string[];
}

type Certificate = NonNullable<Credentials['clientCertificate']>;

export interface RequestHeaderAuthenticator {
  /** Whether the certificate is of the front-proxy CA alone, and so is nobody's own. */
  isFrontProxy(certificate: Certificate): boolean;
  /** The user that an allowed front proxy names; undefined when it names none. */
  authenticate(credentials: Credentials): UserInfo | undefined;
}

/** Throws CodedError FRONT_PROXY_CA_INVALID. @param clientCaPem the CA of ordinary clients; it may be the same. */
export function createRequestHeader(options: RequestHeaderOptions, clientCaPem?: string): RequestHeaderAuthenticator {
  const {
    allowedNames = [],
    usernameHeaders = ['x-remote-user'],
    groupHeaders = ['x-remote-group'],
    extraHeaderPrefixes = ['x-remote-extra-'],
  } = options;
  const frontProxyCas = fingerprintsOf(options.caPem);
  const clientCas = clientCaPem === undefined ? new Set<string>() : fingerprintsOf(clientCaPem);
  const isOfFrontProxy = ({ issuerFingerprint256 = '' }: Certificate): boolean =>
    frontProxyCas.has(issuerFingerprint256);
  return {
    isFrontProxy: (certificate) =>
      isOfFrontProxy(certificate) && !clientCas.has(certificate.issuerFingerprint256 ?? ''),
    authenticate({ clientCertificate, headers }) {
      if (clientCertificate === undefined || !isOfFrontProxy(clientCertificate)) return undefined;
      if (allowedNames.length > 0 && !allowedNames.includes(clientCertificate.commonName)) return undefined;
      const name = usernameHeaders.flatMap((header) => valuesOf(headers[header]))[0] ?? '';
      if (name === '') return undefined;
      return {
        name,
        groups: groupHeaders.flatMap((header) => valuesOf(headers[header])),
        extra: extraOf(headers, extraHeaderPrefixes),
      };
    },
  };
}

function extraOf(headers: Credentials['headers'], prefixes: readonly string[]): Record<string, readonly string[]> {
  const extra: Record<string, readonly string[]> = {};
  for (const [header, value] of Object.entries(headers)) {
    const prefix = prefixes.find((one) => header.startsWith(one));
    if (prefix !== undefined) extra[decodeURIComponent(header.slice(prefix.length))] = valuesOf(value);
  }
  return extra;
}

/** Node joins repeated headers with ', '. */
function valuesOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? value.split(', ') : value;
}

function fingerprintsOf(pem: string): ReadonlySet<string> {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  try {
    if (blocks.length === 0) throw new Error('it holds no certificate');
    return new Set(blocks.map((block) => new X509Certificate(block).fingerprint256));
  } catch (cause) {
    throw new CodedError('FRONT_PROXY_CA_INVALID', 'the CA of front-proxy clients cannot be read', {
      hint: 'give the PEM of front-proxy-ca.crt',
      cause,
    });
  }
}
