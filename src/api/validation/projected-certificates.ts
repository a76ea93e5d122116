// Certificates in a pod's folder of files: what others are trusted by (clusterTrustBundle), and the pod's own with its key
// (podCertificate). Source: kubernetes pkg/apis/core/validation (validateProjectionSources, ValidateClusterTrustBundleName).

import { type FieldError, invalid, notSupported, required } from '../field-error.ts';
import type { Volume } from '../types.ts';
import { validateSignerName } from './certificates.ts';
import { validFilePath } from './file-paths.ts';
import { whyNotDnsSubdomain } from './names.ts';
import { invalidFor, validLabelSelector } from './rules.ts';

type Projection = NonNullable<NonNullable<Volume['projected']>['sources']>[number];
type Bundle = NonNullable<Projection['clusterTrustBundle']>;
type Certificate = NonNullable<Projection['podCertificate']>;

/** Takes a path in the folder for one source; says so when another one has it. '' and absent are nobody's. */
export type ClaimPath = (path: string | undefined, shown: string) => FieldError[];

export function validateTrustBundle(field: string, bundle: Bundle): FieldError[] {
  const { name, signerName, labelSelector, path = '' } = bundle;
  const errors: FieldError[] = [];
  if (name !== undefined && signerName !== undefined) {
    errors.push(invalid(field, bundle, 'only one of name and signerName may be used'));
  } else if (name !== undefined) {
    if (name === '') errors.push(required(`${field}.name`, 'must be a valid object name'));
    const told = whyNotBundleName(name).map((why) => `not a valid clustertrustbundlename: ${why}`);
    errors.push(...invalidFor(`${field}.name`, name, told));
    if (labelSelector !== undefined) {
      const selector = `${field}.labelSelector`;
      errors.push(invalid(selector, labelSelector, 'labelSelector must be unset if name is specified'));
    }
  } else if (signerName !== undefined) {
    if (signerName === '') errors.push(required(`${field}.signerName`, 'must be a valid signer name'));
    errors.push(...validateSignerName(`${field}.signerName`, signerName));
    errors.push(...validLabelSelector(`${field}.labelSelector`, labelSelector));
  } else errors.push(required(field, 'either name or signerName must be specified'));
  if (path === '') return [...errors, required(`${field}.path`)];
  return [...errors, ...validFilePath(`${field}.path`, path)];
}

/** `name`, or `example.com:signer:name` of a bundle that belongs to a signer. */
function whyNotBundleName(name: string): readonly string[] {
  const end = name.lastIndexOf(':');
  // What stands before it with slashes for colons is the signer; there is none in an empty text.
  if (end === 0) return ['ClusterTrustBundle without signer name must not have ":" in its name'];
  return whyNotDnsSubdomain(name.slice(end + 1));
}

const keyTypes = ['RSA3072', 'RSA4096', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519'];
const minSeconds = 3600;
const maxSeconds = 91 * 24 * 3600;
/** Of Kubernetes' own signers. */
const maxOwnSeconds = 24 * 3600;
const paths = ['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const;

export function validatePodCertificate(field: string, certificate: Certificate, claim: ClaimPath): FieldError[] {
  const { signerName, keyType = '', maxExpirationSeconds: seconds } = certificate;
  const errors = validateSignerName(`${field}.signerName`, signerName);
  if (!keyTypes.includes(keyType)) errors.push(notSupported(`${field}.keyType`, keyType, keyTypes));
  if (seconds !== undefined) {
    const most = signerName?.startsWith('kubernetes.io/') === true ? maxOwnSeconds : maxSeconds;
    const wrong = seconds < minSeconds ? `>= ${minSeconds}` : seconds > most ? `<= ${most}` : undefined;
    const at = `${field}.maxExpirationSeconds`;
    if (wrong !== undefined) errors.push(invalid(at, seconds, `if provided, maxExpirationSeconds must be ${wrong}`));
  }
  for (const key of paths) {
    const path = certificate[key] ?? '';
    if (path !== '') errors.push(...validFilePath(`${field}.${key}`, path), ...claim(path, path));
  }
  if (paths.every((key) => !certificate[key])) {
    errors.push(required(field, 'specify at least one of credentialBundlePath, keyPath, and certificateChainPath'));
  }
  return errors;
}
