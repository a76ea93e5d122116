// Finds out whom to trust, knowing only an address, a token and the hash of a CA (kubeadm's token discovery):
//
//   1. GET kube-public/cluster-info from whoever answers
//   2. its signature must be made with our token          → written by someone who knows the token
//   3. the CA in it must have the hash that we were given → the cluster that we were told of
//   4. GET it again over TLS verified by that CA, and compare → that is who answers
//
// The token itself is not sent before step 4 has passed.

import type { ConfigMap } from '../api/index.ts';
import { CodedError, codeOf, systemClock } from '../base/index.ts';
import { caCertHash, splitCertificates } from '../certs/index.ts';
import { parseKubeconfig } from '../kubeconfig/index.ts';
import {
  type BootstrapToken,
  clusterInfoName,
  clusterInfoNamespace,
  formatToken,
  verifyClusterInfo,
} from '../tokens/index.ts';
import type { Progress } from '../workflow/index.ts';
import { type ApiAnswer, askApi } from './ask-api.ts';

export interface Discovered {
  /** https://host:port, as the cluster names itself. */
  readonly server: string;
  readonly caPem: string;
}

export interface DiscoveryOptions {
  /** host:port as given. */
  readonly endpoint: string;
  readonly token: BootstrapToken;
  /** sha256:…; any of them will do. */
  readonly caCertHashes: readonly string[];
  /** True: step 3 is left out. */
  readonly skipCaVerification: boolean;
  readonly progress: Progress;
  /** How long a token may stay unsigned, ms: one that was made a moment ago is signed within this time. Default 5000. */
  readonly patience?: number;
}

const path = `/api/v1/namespaces/${clusterInfoNamespace}/configmaps/${clusterInfoName}`;
/** Certificates are backdated by five minutes; beyond that a new one is refused by the slower clock. */
const skewBound = 300_000;
const skewWarning = 30_000;

/** @throws CodedError of askApi, verifyClusterInfo; CLUSTER_INFO_ABSENT, CA_HASH_MISMATCH, CLUSTER_INFO_CHANGED, CLOCK_SKEW, TOKEN_REFUSED */
export async function discover(options: DiscoveryOptions): Promise<Discovered> {
  const { endpoint, token, progress } = options;
  const server = `https://${endpoint}`;
  progress.report(`asking ${endpoint} for the cluster's identity`);
  const { text, unsigned } = await readSigned(server, options);
  const access = parseKubeconfig(text);
  const caPem = access.ca !== undefined && 'text' in access.ca ? access.ca.text : '';
  requirePin(caPem, options);
  progress.report('verifying it over TLS');
  const secure = await askApi({ server: access.server, path, ca: caPem, signal: progress.signal });
  const again = parseConfigMap(access.server, secure);
  if (again.data?.['kubeconfig'] !== text) {
    throw new CodedError('CLUSTER_INFO_CHANGED', `${endpoint} and ${access.server} name different clusters`, {
      hint: 'check the address in the join command, and what `kubectl -n kube-public get cm cluster-info -o yaml` says on the master',
    });
  }
  // Only now is it known to be the right server, so only now may it be asked about the token.
  const refusal = await whyTokenRefused(access.server, caPem, token, progress.signal);
  if (refusal !== undefined) throw refusal;
  if (unsigned !== undefined) throw unsigned;
  return { server: access.server, caPem };
}

/**
 * cluster-info once it is signed for our token. When it stays unsigned and a CA hash is given, the error is kept back: the
 * verified server can say more about the token than the missing signature does.
 */
async function readSigned(
  server: string,
  { token, caCertHashes, progress, patience = 5000 }: DiscoveryOptions,
): Promise<{ readonly text: string; readonly unsigned: unknown }> {
  const end = Date.now() + patience;
  for (;;) {
    const answer = await askApi({ server, path, signal: progress.signal });
    const map = parseConfigMap(server, answer);
    requireClock(server, answer.skew, progress);
    try {
      return { text: verifyClusterInfo(map, token), unsigned: undefined };
    } catch (error) {
      if (codeOf(error) !== 'TOKEN_UNKNOWN') throw error;
      if (Date.now() > end) {
        if (caCertHashes.length === 0) throw error;
        return { text: map.data?.['kubeconfig'] ?? '', unsigned: error };
      }
      progress.report(`waiting for the cluster to sign its identity with token ${token.id}`);
      await systemClock.sleep(250, progress.signal);
    }
  }
}

function parseConfigMap(server: string, { status, body }: ApiAnswer): ConfigMap {
  if (status === 200) {
    try {
      return JSON.parse(body) as ConfigMap;
    } catch (cause) {
      throw new CodedError('API_NOT_KUBERNETES', `what answers at ${server} is not an API server`, {
        hint: 'check the address and the port',
        cause,
      });
    }
  }
  const what =
    status === 404 ? 'there is no cluster-info in kube-public' : `cluster-info cannot be read (HTTP ${status})`;
  throw new CodedError('CLUSTER_INFO_ABSENT', `${what} at ${server}`, {
    hint: 'on the master run `k8ts init` again: it makes cluster-info and its reading rights anew',
  });
}

function requireClock(server: string, skew: number | undefined, progress: Progress): void {
  if (skew === undefined || Math.abs(skew) < skewWarning) return;
  const seconds = Math.round(Math.abs(skew) / 1000);
  const what = `this machine's clock is ${seconds} s ${skew > 0 ? 'behind' : 'ahead of'} that of ${server}`;
  if (Math.abs(skew) >= skewBound) {
    throw new CodedError('CLOCK_SKEW', what, { hint: `set it: date -u -s @${Math.round((Date.now() + skew) / 1000)}` });
  }
  progress.report(`warning: ${what}`);
}

function requirePin(caPem: string, { caCertHashes, skipCaVerification, endpoint }: DiscoveryOptions): void {
  const have = splitCertificates(caPem).map(caCertHash);
  if (have.length === 0) {
    throw new CodedError('CLUSTER_INFO_INVALID', `the cluster-info of ${endpoint} holds no CA certificate`);
  }
  if (skipCaVerification || have.some((hash) => caCertHashes.includes(hash))) return;
  throw new CodedError(
    'CA_HASH_MISMATCH',
    `the cluster at ${endpoint} has the CA ${have.join(', ')}, not ${caCertHashes.join(', ')}`,
    { hint: 'if the master was made anew, get a new join command there: k8ts token create --print-join-command' },
  );
}

async function whyTokenRefused(
  server: string,
  ca: string,
  token: BootstrapToken,
  signal: AbortSignal,
): Promise<CodedError | undefined> {
  const { status, body } = await askApi({ server, path: '/api', ca, token: formatToken(token), signal });
  if (status !== 401) return undefined;
  const said = /"message":"((?:[^"\\]|\\.)*)"/.exec(body)?.[1];
  const why = said === undefined || said === 'Unauthorized' ? 'it is unknown there, or has expired' : said;
  return new CodedError('TOKEN_REFUSED', `the cluster does not accept token "${token.id}": ${why}`, {
    hint: 'on the master run: k8ts token create --print-join-command',
  });
}
