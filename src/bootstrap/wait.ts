// Waiting, with the reason for it on screen. Each wait has a deadline, ends early when the service it depends on keeps
// dying, and its error holds the last lines of that service's log.

import { type CertificateSigningRequest, kinds, type Node, type Stored } from '../api/index.ts';
import { CodedError, codeOf, createBackoff, messageOf, systemClock } from '../base/index.ts';
import { parseCsr } from '../certs/index.ts';
import { type ApiClient, ApiStatusError } from '../client/index.ts';
import type { Services } from '../host/index.ts';
import type { Progress } from '../workflow/index.ts';

export interface WaitOptions {
  readonly client: Pick<ApiClient, 'get' | 'list' | 'raw'>;
  readonly services: Services;
  readonly progress: Progress;
  /** ms */
  readonly deadline: number;
}

/** ms that a machine gets to start a service; a slow one needs minutes. As kubeadm's timeouts.controlPlaneComponentHealthCheck. */
export const startDeadline = 240_000;

/** A service that ended this often while it was waited for will not come up. */
const fatalRestarts = 3;
const clientSigner = 'kubernetes.io/kube-apiserver-client-kubelet';

/** Until the API server says that it is ready. @throws CodedError CONTROL_PLANE_NOT_READY */
export async function waitForApi(options: WaitOptions & { readonly service: string }): Promise<void> {
  const { client, progress } = options;
  await untilTrue({
    ...options,
    code: 'CONTROL_PLANE_NOT_READY',
    what: 'the API server',
    look: async () => {
      try {
        const { status, body } = await client.raw('GET', '/readyz?verbose', undefined, { signal: progress.signal });
        return status === 200 ? undefined : notReady(status, body.toString('utf8'));
      } catch (error) {
        progress.signal.throwIfAborted();
        return whyNoAnswer(error);
      }
    },
  });
}

/** Until the Node object exists; answers it. @throws CodedError NODE_NOT_REGISTERED */
export async function waitForNode(
  options: WaitOptions & { readonly service: string; readonly node: string },
): Promise<void> {
  const names = readOnce(commonNameOf);
  await untilTrue({
    ...options,
    code: 'NODE_NOT_REGISTERED',
    what: `node ${options.node}`,
    look: async () => ((await getNode(options)) === undefined ? whyNotRegistered(options, names) : undefined),
  });
}

/**
 * Until the node is Ready.
 * @param options.since ms since the epoch by this machine's clock: what the node said of itself before does not count,
 *   because a node that left may have left its object behind
 * @throws CodedError NODE_NOT_READY
 */
export async function waitForReady(
  options: WaitOptions & { readonly service: string; readonly node: string; readonly since?: number | undefined },
): Promise<void> {
  const since = Math.floor((options.since ?? 0) / 1000) * 1000;
  const names = readOnce(commonNameOf);
  await untilTrue({
    ...options,
    code: 'NODE_NOT_READY',
    what: `node ${options.node}`,
    look: async () => {
      const node = await getNode(options);
      if (node === undefined || lastHeartbeat(node) < since) return whyNotRegistered(options, names);
      return whyNodeNotReady(node);
    },
  });
}

/** Why a node is not Ready; undefined when it is. */
export function whyNodeNotReady(node: Pick<Node, 'status'>): string | undefined {
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready === undefined) return 'the agent has not reported its state yet';
  if (ready.status === 'True') return undefined;
  return `${ready.reason ?? 'not ready'}: ${ready.message ?? ''}`.replace(/: $/, '');
}

/** ms since the epoch, in whole seconds; infinite for a node that has not said anything yet. */
function lastHeartbeat({ status }: Pick<Node, 'status'>): number {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready === undefined ? Number.POSITIVE_INFINITY : Date.parse(ready.lastHeartbeatTime ?? '');
}

async function getNode({
  client,
  node,
  progress,
}: WaitOptions & { readonly node: string }): Promise<Stored<Node> | undefined> {
  try {
    return await client.get(kinds.node, { name: node }, { signal: progress.signal });
  } catch (error) {
    progress.signal.throwIfAborted();
    if (error instanceof ApiStatusError && (error.reason === 'NotFound' || error.code >= 500)) return undefined;
    if (codeOf(error) !== undefined) return undefined; // the connection: told by the deadline
    throw error;
  }
}

/** What stands between a machine and its Node object: its agent, or its certificate request. */
async function whyNotRegistered(
  options: WaitOptions & { readonly service: string; readonly node: string },
  nameOf: typeof commonNameOf,
): Promise<string> {
  const { state, reason } = await options.services.status(options.service);
  if (state === 'failed') return `the agent does not stay up: ${reason ?? 'unknown reason'}`;
  const requests = await options.client
    .list(kinds.certificateSigningRequest, { signal: options.progress.signal })
    .catch(() => undefined); // not allowed or not there: then the reason stays general
  options.progress.signal.throwIfAborted();
  return whyNoCertificate(requests?.items ?? [], options.node, nameOf);
}

/** Judges the newest request for `node`'s client certificate. */
export function whyNoCertificate(
  requests: readonly CertificateSigningRequest[],
  node: string,
  nameOf = commonNameOf,
): string {
  const own = requests
    .filter(({ spec }) => spec.signerName === clientSigner && nameOf(spec.request) === `system:node:${node}`)
    .sort((a, b) => (b.metadata?.creationTimestamp ?? '').localeCompare(a.metadata?.creationTimestamp ?? ''))[0];
  if (own === undefined) return 'the agent has not registered the node yet, nor asked for a certificate';
  const name = own.metadata?.name ?? '';
  const condition = (type: string) => own.status?.conditions?.find((one) => one.type === type);
  const denied = condition('Denied') ?? condition('Failed');
  if (denied !== undefined) return `certificate request ${name} was denied: ${denied.message ?? denied.reason ?? ''}`;
  if (condition('Approved') === undefined) {
    return `certificate request ${name} is not approved yet (by hand: kubectl certificate approve ${name})`;
  }
  if (own.status?.certificate === undefined) return `certificate request ${name} is approved, but not signed yet`;
  return 'the agent has its certificate; waiting for it to register the node';
}

/** Where twenty machines join at once, each looks at twenty requests a dozen times, and reading one takes a millisecond. */
function readOnce(read: typeof commonNameOf): typeof commonNameOf {
  const known = new Map<string, string | undefined>();
  return (request) => {
    if (!known.has(request)) known.set(request, read(request));
    return known.get(request);
  };
}

function commonNameOf(request: string): string | undefined {
  try {
    return parseCsr(Buffer.from(request, 'base64').toString('utf8')).subject.commonName;
  } catch (error) {
    if (error instanceof CodedError) return undefined; // somebody else's, in a form of its own
    throw error;
  }
}

async function untilTrue(
  options: WaitOptions & {
    readonly service: string;
    readonly code: string;
    readonly what: string;
    /** Why it is not so yet; undefined when it is. */
    readonly look: () => Promise<string | undefined>;
  },
): Promise<void> {
  const { services, service, progress, deadline, look, code, what } = options;
  const backoff = createBackoff({ initial: 20, max: 1000, factor: 1.15 });
  const end = Date.now() + deadline;
  for (;;) {
    const reason = await look();
    if (reason === undefined) return;
    progress.report(reason);
    const { state, restarts, reason: ended } = await services.status(service);
    const dying = state === 'failed' && restarts >= fatalRestarts;
    if (dying || Date.now() > end) {
      const why = dying
        ? `${service} ended ${restarts + 1} times (${ended})`
        : `not after ${deadline / 1000} s: ${reason}`;
      const log = await services.logs(service, 15);
      const shown = log === '' ? '' : `\nlast lines of ${service}:\n${log.replaceAll(/^/gm, '  | ')}`;
      const where = services.kind === 'systemd' ? `journalctl -u ${service}` : `/var/log/k8ts/${service}.log`;
      throw new CodedError(code, `${what} did not become ready; ${why}${shown}`, {
        hint: `read ${where}, mend the cause and run the command again`,
      });
    }
    await systemClock.sleep(backoff.next(), progress.signal);
  }
}

function notReady(status: number, body: string): string {
  const failing = [...body.matchAll(/^\[-\](\S+)/gm)].map(([, name]) => name);
  return failing.length === 0 ? `the API server answers ${status}` : `the API server waits for ${failing.join(', ')}`;
}

function whyNoAnswer(error: unknown): string {
  if (codeOf(error) === 'ECONNREFUSED') return 'the API server does not listen yet';
  return `the API server does not answer yet: ${messageOf(error)}`;
}
