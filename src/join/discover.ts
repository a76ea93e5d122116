// Finds out whom to trust, knowing only an address, a token and the hash of a CA (kubeadm's token discovery):
//
//   1. GET kube-public/cluster-info from whoever answers
//   2. its signature must be made with our token          → written by someone who knows the token
//   3. the CA in it must have the hash that we were given → the cluster that we were told of
//   4. GET it again over TLS verified by that CA, and compare → that is who answers
//
// The token itself is not sent before step 4 has passed.

import { CodedError, codeOf, systemClock } from '../base/index.ts';
import { caCertHash, splitCertificates } from '../certs/index.ts';
import { parseKubeconfig } from '../kubeconfig/index.ts';
import { type BootstrapToken, formatToken, verifyClusterInfo } from '../tokens/index.ts';
import type { Progress } from '../workflow/index.ts';
import { askApi } from './ask-api.ts';
import { askClusterInfo } from './cluster-info.ts';
import type { Discovered, Discovery } from './context.ts';

export interface DiscoveryOptions {
  readonly discovery: Discovery & { readonly by: 'token' };
  /** The token that logs in; usually the same. */
  readonly login: BootstrapToken;
  readonly progress: Progress;
  /** How long a token may stay unsigned, ms: one that was made a moment ago is signed within this time. Default 5000. */
  readonly patience?: number;
}

/** Certificates are backdated by five minutes; beyond that a new one is refused by the slower clock. */
const skewBound = 300_000;
/** What is worth trying the next endpoint for. */
const unreachable = /^API_(NAME_UNKNOWN|UNREACHABLE|REFUSED|CUT|NOT_TLS|WRONG_PORT|FAILING)$/;

/**
 * @throws CodedError of askClusterInfo, verifyClusterInfo; CA_HASH_MISMATCH, CLUSTER_INFO_CHANGED, CLOCK_SKEW,
 * TOKEN_EXPIRED, TOKEN_UNKNOWN, TOKEN_UNSIGNED, TOKEN_REFUSED
 */
export async function discover(options: DiscoveryOptions): Promise<Discovered> {
  const { endpoints } = options.discovery;
  for (const [at, endpoint] of endpoints.entries()) {
    try {
      return await discoverAt(endpoint, options);
    } catch (error) {
      if (at === endpoints.length - 1 || !unreachable.test(codeOf(error) ?? '')) throw error;
      options.progress.report(`${endpoint} cannot be used (${codeOf(error)}); trying ${endpoints[at + 1]}`);
    }
  }
  throw new Error('discovery needs an endpoint');
}

async function discoverAt(endpoint: string, options: DiscoveryOptions): Promise<Discovered> {
  const { discovery, login, progress, patience = 5000 } = options;
  const server = `https://${endpoint}`;
  const end = Date.now() + patience;
  const hasPin = discovery.caCertHashes.length > 0;
  let verified: Pick<Discovered, 'server' | 'caPem'> | undefined;
  progress.report(`asking ${endpoint} for the cluster's identity`);
  for (;;) {
    const { map, skew } = await askClusterInfo(server, { signal: progress.signal });
    requireClock(server, skew);
    const unsigned = whyUnsigned(() => verifyClusterInfo(map, discovery.token));
    // Unsigned, it may still be verified by the CA's hash; and then the server itself says what is wrong with the token.
    if (verified === undefined && (unsigned === undefined || hasPin)) {
      verified = await verify(endpoint, map.data?.['kubeconfig'] ?? '', options);
      const refusal = await whyTokenRefused(verified, login, progress.signal);
      if (refusal !== undefined) throw refusal;
    }
    if (unsigned === undefined && verified !== undefined) return { ...verified, clockSkew: skew };
    if (Date.now() > end) throw hasPin ? neverSigned(discovery.token) : unsigned;
    progress.report(`waiting for the cluster to sign its identity with token ${discovery.token.id}`);
    await systemClock.sleep(250, progress.signal);
  }
}

/** Steps 3 and 4 for the kubeconfig of cluster-info. */
async function verify(endpoint: string, text: string, { discovery, progress }: DiscoveryOptions) {
  const access = parseKubeconfig(text);
  const caPem = access.ca !== undefined && 'text' in access.ca ? access.ca.text : '';
  requirePin(caPem, endpoint, discovery);
  const secure = await askClusterInfo(access.server, { ca: caPem, signal: progress.signal });
  if (secure.map.data?.['kubeconfig'] !== text) {
    throw new CodedError('CLUSTER_INFO_CHANGED', `${endpoint} and ${access.server} name different clusters`, {
      hint: 'check the address in the join command, and what `kubectl -n kube-public get cm cluster-info -o yaml` says on the master',
    });
  }
  return { server: access.server, caPem };
}

/** The error of `look` when it is that the token has no signature; others are thrown. */
function whyUnsigned(look: () => unknown): unknown {
  try {
    look();
    return undefined;
  } catch (error) {
    if (codeOf(error) !== 'TOKEN_UNKNOWN') throw error;
    return error;
  }
}

/** Smaller differences are a check of the preflight phases: a warning. */
export function requireClock(server: string, skew: number | undefined): void {
  if (skew === undefined || Math.abs(skew) < skewBound) return;
  const seconds = Math.round(Math.abs(skew) / 1000);
  const what = `this machine's clock is ${seconds} s ${skew > 0 ? 'behind' : 'ahead of'} that of ${server}`;
  throw new CodedError('CLOCK_SKEW', what, { hint: `set it: date -u -s @${Math.round((Date.now() + skew) / 1000)}` });
}

function requirePin(
  caPem: string,
  endpoint: string,
  { caCertHashes, skipCaVerification }: DiscoveryOptions['discovery'],
): void {
  const have = splitCertificates(caPem).map(caCertHash);
  if (have.length === 0) {
    throw new CodedError('CLUSTER_INFO_INVALID', `the cluster-info of ${endpoint} holds no CA certificate`, {
      hint: 'on the master run: k8ts init phase bootstrap-token',
    });
  }
  if (skipCaVerification || have.some((hash) => caCertHashes.includes(hash))) return;
  throw new CodedError(
    'CA_HASH_MISMATCH',
    `the cluster at ${endpoint} has the CA ${have.join(', ')}, not ${caCertHashes.join(', ')}`,
    { hint: 'if the master was made anew, get a new join command there: k8ts token create --print-join-command' },
  );
}

/** What a verified server says about the token. kubeadm's clusters say no more than Unauthorized. */
export async function whyTokenRefused(
  { server, caPem }: Pick<Discovered, 'server' | 'caPem'>,
  token: BootstrapToken,
  signal: AbortSignal,
): Promise<CodedError | undefined> {
  const { status, body } = await askApi({ server, path: '/api', ca: caPem, token: formatToken(token), signal });
  if (status !== 401) return undefined;
  const said = /"message":"((?:[^"\\]|\\.)*)"/.exec(body)?.[1] ?? '';
  const hint = 'on the master run: k8ts token create --print-join-command';
  const name = `token "${token.id}"`;
  const expired = /expired at ([^;\s]+)/.exec(said)?.[1];
  if (expired !== undefined) {
    return new CodedError('TOKEN_EXPIRED', `${name} expired at ${expired}`, { hint });
  }
  if (/not known/.test(said) || said === 'Unauthorized' || said === '') {
    const why = /not known/.test(said) ? 'is not known to the cluster' : 'is unknown there, or has expired';
    return new CodedError('TOKEN_UNKNOWN', `${name} ${why}`, { hint });
  }
  return new CodedError('TOKEN_REFUSED', `the cluster does not accept ${name}: ${said}`, { hint });
}

function neverSigned({ id }: BootstrapToken): CodedError {
  return new CodedError(
    'TOKEN_UNSIGNED',
    `token "${id}" is valid, but the cluster does not sign its identity with it`,
    {
      hint: 'it may not be for signing; on the master run: k8ts token create --usages signing,authentication --print-join-command; if that does not help, look at its controllers: k8ts status',
    },
  );
}
