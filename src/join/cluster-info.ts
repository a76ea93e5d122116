// One look at kube-public/cluster-info: the ConfigMap, or why what answered is not the API server of a cluster that can be
// joined.

import type { ConfigMap } from '../api/index.ts';
import { CodedError } from '../base/index.ts';
import { clusterInfoName, clusterInfoNamespace } from '../tokens/index.ts';
import { askApi } from './ask-api.ts';

const path = `/api/v1/namespaces/${clusterInfoNamespace}/configmaps/${clusterInfoName}`;

interface ClusterInfoAnswer {
  readonly map: ConfigMap;
  readonly skew: number | undefined;
}

/**
 * @param ca PEM; absent: anyone is believed
 * @throws CodedError of askApi; API_WRONG_PORT, CLUSTER_INFO_ABSENT, CLUSTER_INFO_FORBIDDEN, API_FAILING
 */
export async function askClusterInfo(
  server: string,
  options: { readonly ca?: string; readonly signal: AbortSignal },
): Promise<ClusterInfoAnswer> {
  const { status, body, skew } = await askApi({ server, path, ...options });
  const answer = parse(body);
  if (status === 200 && answer?.kind === 'ConfigMap') return { map: answer as ConfigMap, skew };
  throw whyNot(server, status, answer?.kind === 'Status');
}

function parse(body: string): { readonly kind?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function whyNot(server: string, status: number, isKubernetes: boolean): CodedError {
  if (!isKubernetes && status < 500) {
    return new CodedError('API_WRONG_PORT', `what answers at ${server} (HTTP ${status}) is no API server`, {
      hint: `use the port of the API server, usually 6443: k8ts join ${new URL(server).hostname}:6443 …`,
    });
  }
  if (status === 404) {
    return new CodedError('CLUSTER_INFO_ABSENT', `there is no cluster-info in kube-public at ${server}`, {
      hint: 'on the master run: k8ts init phase bootstrap-token',
    });
  }
  if (status === 401 || status === 403) {
    const message = `${server} does not let a stranger read cluster-info (HTTP ${status})`;
    return new CodedError('CLUSTER_INFO_FORBIDDEN', message, {
      hint: 'on the master allow it (anonymousAuth: true, then k8ts init), or join with --discovery-file and a kubeconfig from there',
    });
  }
  return new CodedError('API_FAILING', `the API server at ${server} answers HTTP ${status}`, {
    hint: 'on the master run: k8ts status',
  });
}
