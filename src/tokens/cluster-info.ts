// cluster-info: the ConfigMap in kube-public from which a joining node learns whom to trust before it can trust anyone.
// It holds a kubeconfig (server and CA, no user) and, per token, a signature over that text which only someone who knows
// the token can have made: a detached JWS, HMAC-SHA256 (RFC 7515 appendix F), under `jws-kubeconfig-<token id>`.
//
//   protected header  {"alg":"HS256","kid":"<token id>"}
//   signed text       base64url(header) "." base64url(kubeconfig)
//   stored            base64url(header) ".." base64url(hmac)

import { createHmac } from 'node:crypto';
import type { ConfigMap } from '../api/index.ts';
import { CodedError } from '../base/index.ts';
import { buildKubeconfig } from '../kubeconfig/index.ts';
import { type BootstrapToken, equalSecrets } from './token.ts';

export const clusterInfoName = 'cluster-info';
export const clusterInfoNamespace = 'kube-public';
const kubeconfigKey = 'kubeconfig';
const signaturePrefix = 'jws-kubeconfig-';

/** The detached signature of a kubeconfig text. */
export function signClusterInfo(kubeconfigText: string, token: BootstrapToken): string {
  const header = base64url(JSON.stringify({ alg: 'HS256', kid: token.id }));
  return `${header}..${hmac(`${header}.${base64url(kubeconfigText)}`, token)}`;
}

/** The kubeconfig that cluster-info carries: where the cluster is and its CA, and nobody's credentials. */
export function clusterInfoKubeconfig(options: { readonly server: string; readonly caPem: string }): string {
  return buildKubeconfig({ server: options.server, ca: { text: options.caPem }, cluster: 'kubernetes' });
}

/** The ConfigMap, signed for each token. */
export function clusterInfoConfigMap(kubeconfigText: string, tokens: readonly BootstrapToken[]): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: clusterInfoName, namespace: clusterInfoNamespace },
    data: signedData({ [kubeconfigKey]: kubeconfigText }, tokens),
  };
}

/**
 * `data` with exactly one right signature per token: missing ones are added, those of other tokens removed. Answers the
 * same object when nothing has to change, so that a controller writes only then.
 */
export function signedData(
  data: Readonly<Record<string, string>>,
  tokens: readonly BootstrapToken[],
): Readonly<Record<string, string>> {
  const kubeconfigText = data[kubeconfigKey];
  if (kubeconfigText === undefined) return data;
  const others = Object.entries(data).filter(([name]) => !name.startsWith(signaturePrefix));
  const signatures = tokens.map(
    (token) => [signaturePrefix + token.id, signClusterInfo(kubeconfigText, token)] as const,
  );
  const next = Object.fromEntries([...others, ...signatures]);
  const same =
    Object.keys(next).length === Object.keys(data).length && signatures.every(([name, value]) => data[name] === value);
  return same ? data : next;
}

/**
 * The kubeconfig text, once its signature proves that it comes from someone who knows `token`.
 * @throws CodedError CLUSTER_INFO_INVALID (no kubeconfig in it), TOKEN_UNKNOWN (the cluster has signed nothing for this
 * token), CLUSTER_INFO_SIGNATURE (signed for this token id with another secret, or changed on the way)
 */
export function verifyClusterInfo(configMap: ConfigMap, token: BootstrapToken): string {
  const kubeconfigText = configMap.data?.[kubeconfigKey];
  if (kubeconfigText === undefined || kubeconfigText === '') {
    throw new CodedError('CLUSTER_INFO_INVALID', 'the cluster-info ConfigMap holds no kubeconfig', {
      hint: 'on the master run: k8ts init phase bootstrap-token',
    });
  }
  const signature = configMap.data?.[signaturePrefix + token.id];
  if (signature === undefined) {
    throw new CodedError('TOKEN_UNKNOWN', `the cluster knows no valid token "${token.id}"`, {
      hint: 'it may have expired; on the master run: k8ts token create --print-join-command',
    });
  }
  const problem = whyNotSignedWith(kubeconfigText, signature, token);
  if (problem !== undefined) {
    throw new CodedError('CLUSTER_INFO_SIGNATURE', `cluster-info is not signed with token "${token.id}": ${problem}`, {
      hint: 'check the token for a typing error and that the address is really your master’s',
    });
  }
  return kubeconfigText;
}

function whyNotSignedWith(kubeconfigText: string, signature: string, token: BootstrapToken): string | undefined {
  const [header = '', payload, mac, more] = signature.split('.');
  if (payload !== '' || mac === undefined || more !== undefined) return 'the signature is malformed';
  const { alg, kid } = parseHeader(header);
  if (alg !== 'HS256') return `the algorithm is ${JSON.stringify(alg)}, not "HS256"`;
  if (kid !== token.id) return 'the signature names another token';
  const expected = hmac(`${header}.${base64url(kubeconfigText)}`, token);
  return equalSecrets(expected, mac) ? undefined : 'the signature does not match';
}

function parseHeader(header: string): { readonly alg?: unknown; readonly kid?: unknown } {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}

function hmac(text: string, token: BootstrapToken): string {
  return createHmac('sha256', token.secret).update(text).digest('base64url');
}

function base64url(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url');
}
