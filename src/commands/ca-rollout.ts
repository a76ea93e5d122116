// The cluster's side of replacing its CA (certs/rotate.ts has the disk's): telling everybody whom to trust, and waiting
// until every node has followed, which its agent says in two annotations.
//
//   who                             learns it from
//   machines that join              kube-public/cluster-info, signed for each token
//   other API servers (aggregated)  kube-system/extension-apiserver-authentication
//   pods                            kube-root-ca.crt in each namespace, written by the control plane itself
//   agents                          kube-root-ca.crt in kube-system

import { type ConfigMap, kinds, type Node, type Stored } from '../api/index.ts';
import { CodedError, createBackoff, messageOf, systemClock } from '../base/index.ts';
import { caCertHash, splitCertificates } from '../certs/index.ts';
import { type ApiClient, ApiStatusError } from '../client/index.ts';
import { replaceInKubeconfig } from '../kubeconfig/index.ts';
import {
  clusterInfoName,
  clusterInfoNamespace,
  signedData,
  signingTokens,
  tokenNamespace,
  tokenSecretType,
} from '../tokens/index.ts';

const conflicts = 8;

/** What a node has to say before the next stage may begin. */
export interface Followed {
  /** PEM of the CAs, the signing one first. */
  readonly bundle: string;
  /** Whether its certificates must be of the signing one. */
  readonly isReissued: boolean;
}

/** Writes the bundle where others read it. */
export async function publishBundle(client: ApiClient, bundle: string, signal: AbortSignal): Promise<void> {
  const secrets = await client.list(kinds.secret, {
    namespace: tokenNamespace,
    fieldSelector: `type=${tokenSecretType}`,
    signal,
  });
  const tokens = signingTokens(secrets.items, new Date()).map(({ token }) => token);
  await changeConfigMap(client, { namespace: clusterInfoNamespace, name: clusterInfoName }, signal, (data) => {
    const kubeconfig = replaceInKubeconfig(data['kubeconfig'] ?? '', { ca: bundle });
    // Signed here and now: in the moment until the controller comes to it, machines would be turned away.
    return signedData({ ...data, kubeconfig }, tokens);
  });
  const authentication = { namespace: 'kube-system', name: 'extension-apiserver-authentication' };
  await changeConfigMap(client, authentication, signal, (data) => ({ ...data, 'client-ca-file': bundle }));
}

/**
 * Until every node has followed.
 * @param timeout ms
 * @throws CodedError ROTATION_NOT_FOLLOWED, which names the nodes that have not
 */
export async function waitForNodes(
  client: ApiClient,
  want: Followed,
  options: { readonly timeout: number; readonly signal: AbortSignal; readonly say: (line: string) => void },
): Promise<void> {
  const { timeout, signal, say } = options;
  const end = Date.now() + timeout;
  const backoff = createBackoff({ initial: 100, max: 1000 });
  let told = '';
  for (;;) {
    const late = await stragglers(client, want, signal);
    if (late.length === 0) return;
    const line = late.join('; ');
    if (line !== told) say(`waiting for ${late.length === 1 ? 'node' : 'nodes'} ${line}`);
    told = line;
    if (Date.now() > end) throw notFollowed(late);
    await systemClock.sleep(backoff.next(), signal);
  }
}

async function stragglers(client: ApiClient, want: Followed, signal: AbortSignal): Promise<readonly string[]> {
  try {
    const { items } = await client.list(kinds.node, { signal });
    return items.flatMap((node) => {
      const why = whyBehind(node, want);
      return why === undefined ? [] : [`${node.metadata.name} (${why})`];
    });
  } catch (error) {
    signal.throwIfAborted();
    // The server takes over new certificates in these moments.
    return [`of which the API server tells nothing (${messageOf(error)})`];
  }
}

/** Why a node has not followed yet; undefined when it has. */
function whyBehind({ metadata }: Stored<Node>, { bundle, isReissued }: Followed): string | undefined {
  const wanted = splitCertificates(bundle).map(caCertHash);
  const { 'k8ts.dev/trusted-ca': trusted, 'k8ts.dev/certificates-signed-by': signer } = metadata.annotations ?? {};
  if (trusted === undefined) return 'its agent says nothing of certificates';
  if ([...trusted.split(',')].sort().join() !== [...wanted].sort().join()) return 'it trusts other CAs';
  if (isReissued && signer !== wanted[0]) return 'it has certificates of the old CA';
  return undefined;
}

function notFollowed(late: readonly string[]): CodedError {
  return new CodedError('ROTATION_NOT_FOLLOWED', `not every node has followed: ${late.join('; ')}`, {
    hint: 'mend or delete those nodes and run this again; with --force they are left behind, and have to join anew',
  });
}

/** Written again when somebody else, the signing controller above all, wrote in between. */
async function changeConfigMap(
  client: ApiClient,
  at: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
  change: (data: Readonly<Record<string, string>>) => Readonly<Record<string, string>>,
): Promise<void> {
  const backoff = createBackoff({ initial: 20, max: 1000, jitter: 0.3 });
  for (;;) {
    try {
      const have = await client.get<ConfigMap>(kinds.configMap, at, { signal });
      await client.update<ConfigMap>(kinds.configMap, { ...have, data: change(have.data ?? {}) }, { signal });
      return;
    } catch (error) {
      const reason = error instanceof ApiStatusError ? error.reason : undefined;
      // A cluster may do without it: phases of init can be left out.
      if (reason === 'NotFound') return;
      if (reason !== 'Conflict' || backoff.attempts >= conflicts) throw error;
      await systemClock.sleep(backoff.next(), signal);
    }
  }
}
