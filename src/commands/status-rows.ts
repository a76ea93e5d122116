// What `k8ts status` looks at: services and certificates on this machine, the API server and its checks, the components
// behind it, and nodes. Each row says whether it is well, and when it is not, why. Nothing here throws for what is broken:
// that is what the rows are for.

import { kinds, type Node, type Stored } from '../api/index.ts';
import { messageOf } from '../base/index.ts';
import { whyNodeNotReady } from '../bootstrap/index.ts';
import {
  type Certificate,
  type HeldCertificate,
  parseCertificate,
  readInventory,
  warningTime,
} from '../certs/index.ts';
import { type ApiClient, ApiStatusError } from '../client/index.ts';
import { agentService, kubernetesDir, paths, serverService } from '../config/index.ts';
import type { Host, Services } from '../host/index.ts';
import { timeLeft } from './output.ts';

export interface StatusRow {
  readonly kind: 'service' | 'api' | 'component' | 'node' | 'certificate';
  readonly name: string;
  readonly state: string;
  readonly ready: boolean;
  /** Why it is not ready, or soon will not be. */
  readonly reason: string | undefined;
  /** Versions, addresses, dates. */
  readonly detail: string | undefined;
}

/** A worker has no server, and a machine that is neither has nothing. */
export async function serviceRows(services: Services): Promise<readonly StatusRow[]> {
  const rows = await Promise.all(
    [serverService, agentService].map(async (name) => {
      const { state, reason, restarts, pid } = await services.status(name);
      const again = restarts > 0 ? `restarted ${restarts} times` : undefined;
      const detail = pid === undefined ? services.kind : `${services.kind}, pid ${pid}`;
      const why = reason ?? (state === 'stopped' ? 'it was stopped' : again);
      return { kind: 'service' as const, name, state, ready: state === 'running', reason: why, detail };
    }),
  );
  const present = rows.filter(({ state }) => state !== 'absent');
  if (present.length > 0) return present;
  return rows.map((row) => ({ ...row, reason: 'k8ts init or k8ts join sets this machine up' }));
}

/** The API server, what it checks, and the components that it knows of. */
export async function apiRows(client: ApiClient, signal: AbortSignal): Promise<readonly StatusRow[]> {
  try {
    const { status, body } = await client.raw('GET', '/readyz?verbose', undefined, { signal });
    const text = body.toString('utf8');
    if (status === 401 || status === 403) return [apiRow('refusing', `HTTP ${status}: the kubeconfig is not accepted`)];
    const failing = [...text.matchAll(/^\[-\](\S+)(?: failed: (.*))?/gm)].map(
      ([, name, why]) => `${name}: ${why ?? ''}`,
    );
    if (status !== 200) return [apiRow('not ready', failing.join(', ') || `HTTP ${status}`)];
    return [apiRow('ready', undefined), ...(await componentRows(client, signal))];
  } catch (error) {
    return [apiRow('unreachable', messageOf(error))];
  }
}

function apiRow(state: string, reason: string | undefined): StatusRow {
  return { kind: 'api', name: 'API server', state, ready: state === 'ready', reason, detail: undefined };
}

/** From the server's metrics; of a server of another make nothing is known. */
async function componentRows(client: ApiClient, signal: AbortSignal): Promise<readonly StatusRow[]> {
  const { status, body } = await client.raw('GET', '/metrics', undefined, { signal });
  if (status !== 200) return [];
  const text = body.toString('utf8');
  return [...text.matchAll(/^k8ts_component_up\{name="([^"]+)"\} (\d)/gm)].map(([, name = '', up]) => {
    const ready = up === '1';
    const restarts = Number(
      new RegExp(`^k8ts_component_restarts_total\\{name="${name}"\\} (\\d+)`, 'm').exec(text)?.[1] ?? 0,
    );
    const reason = ready ? undefined : 'starting; if this stays so, the log of k8ts-server says why';
    const detail = restarts > 0 ? `restarted ${restarts} times` : undefined;
    return { kind: 'component', name, state: ready ? 'running' : 'starting', ready, reason, detail };
  });
}

/** @param ownName the node that the identity is of, for whom the cluster does not let list others */
export async function nodeRows(
  client: ApiClient,
  ownName: string | undefined,
  signal: AbortSignal,
): Promise<readonly StatusRow[]> {
  try {
    return (await client.list(kinds.node, { signal })).items.map(nodeRow);
  } catch (error) {
    const isForbidden = error instanceof ApiStatusError && error.reason === 'Forbidden';
    if (!isForbidden || ownName === undefined) return [unknownNode(ownName ?? 'nodes', messageOf(error))];
  }
  try {
    return [nodeRow(await client.get(kinds.node, { name: ownName }, { signal }))];
  } catch (error) {
    return [unknownNode(ownName, messageOf(error))];
  }
}

function nodeRow(node: Stored<Node>): StatusRow {
  const { status, spec, metadata } = node;
  const why = whyNodeNotReady(node);
  const pressure = (status?.conditions ?? [])
    .filter(({ type, status: value }) => type !== 'Ready' && value === 'True')
    .map(({ type, message }) => `${type}: ${message ?? ''}`);
  const { kubeletVersion, containerRuntimeVersion } = status?.nodeInfo ?? {};
  const address = status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  return {
    kind: 'node',
    name: metadata.name,
    state: `${why === undefined ? 'Ready' : 'NotReady'}${spec?.unschedulable === true ? ',SchedulingDisabled' : ''}`,
    ready: why === undefined,
    reason: why ?? (pressure.length === 0 ? undefined : pressure.join('; ')),
    detail: [address, kubeletVersion, containerRuntimeVersion].filter((part) => part !== undefined).join(', '),
  };
}

function unknownNode(name: string, reason: string): StatusRow {
  return { kind: 'node', name, state: 'Unknown', ready: false, reason, detail: undefined };
}

/** Those of the control plane, where this is one, and the agent's own. */
export async function certificateRows(host: Host, now: number): Promise<readonly StatusRow[]> {
  const isMaster = (await host.stat(`${paths.pki}/apiserver.crt`)) !== undefined;
  const held = isMaster ? await readInventory(host, { certDir: paths.pki, kubeconfigDir: kubernetesDir }) : [];
  const own: StatusRow[] = [];
  for (const purpose of ['client', 'server']) {
    const pem = await host.readFileIfExists(`${paths.agentData}/pki/kubelet-${purpose}-current.pem`);
    if (pem === undefined) continue;
    own.push(certificateRow(`kubelet-${purpose}`, parseCertificate(pem.toString('utf8')), now));
  }
  return [...held.flatMap((one) => heldRow(one, now)), ...own];
}

/** Nobody needs it until everything else has failed, and some keep it elsewhere. */
const dispensable = 'super-admin.conf';

function heldRow(held: HeldCertificate, now: number): readonly StatusRow[] {
  const { name, certificate, problem } = held;
  const broken = (state: string, reason: string): StatusRow[] => [
    { kind: 'certificate', name, state, ready: false, reason, detail: held.path },
  ];
  if (problem !== undefined) return broken('unusable', `${problem}; k8ts certs renew ${name}`);
  if (certificate !== undefined) return [certificateRow(name, certificate, now, held.isExternal)];
  return name === dispensable ? [] : broken('missing', 'k8ts init makes what is missing');
}

function certificateRow(name: string, certificate: Certificate, now: number, isExternal = false): StatusRow {
  const { notAfter, notBefore } = certificate;
  const expires = notAfter.toISOString();
  const left = notAfter.getTime() - now;
  const row = { kind: 'certificate' as const, name, detail: `until ${expires}${isExternal ? ', external CA' : ''}` };
  if (left <= 0) return { ...row, state: 'expired', ready: false, reason: `since ${expires}` };
  if (notBefore.getTime() > now) {
    return {
      ...row,
      state: 'not valid yet',
      ready: false,
      reason: `from ${notBefore.toISOString()}: is the clock right?`,
    };
  }
  if (warningTime(certificate) > now) return { ...row, state: 'valid', ready: true, reason: undefined };
  const why = isExternal
    ? 'have it renewed where its CA is'
    : 'it should have been renewed: see the log of its service';
  const remedy = name === 'ca' ? 'k8ts certs rotate-ca' : why;
  return { ...row, state: 'expiring', ready: true, reason: `in ${timeLeft(left)}; ${remedy}` };
}
