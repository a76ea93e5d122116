// The node agent: everything that this machine does for the cluster, put together. Long-lived; ends with `signal`.

import packageJson from '../../package.json' with { type: 'json' };
import { kinds, type Node, type Pod, type Service } from '../api/index.ts';
import { type Informer, keyOf } from '../client/index.ts';
import { createNodeEvents, type NodeEvents } from './events.ts';
import { keepHouse } from './housekeeping.ts';
import { createImagePuller } from './images/pull.ts';
import { createCertificateBook } from './node/certificate-book.ts';
import { readHostDns } from './node/host-dns.ts';
import { keepNodeCertificates } from './node/node-certificates.ts';
import { readBootTime, readNodeFacts } from './node/node-facts.ts';
import { keepNode } from './node/node-keeper.ts';
import { type NodeFacts, nodeCapacity } from './node/node-object.ts';
import { createNodeTrust } from './node/trust.ts';
import type { AgentDeps, AgentOptions } from './options.ts';
import { type AgentPaths, agentPaths } from './paths.ts';
import { createPodCgroups, hasUnifiedCgroups } from './pods/cgroups.ts';
import { createPods, type Pods } from './pods/pods.ts';
import { referenceTo } from './pods/record.ts';
import { createStatusWriter } from './pods/status-writer.ts';
import { createProber } from './probes/prober.ts';
import { createAccessControl } from './server/access.ts';
import { agentMetrics } from './server/metrics.ts';
import { createProbeRoute } from './server/probe-route.ts';
import { createRoutes } from './server/routes.ts';
import { startAgentServer } from './server/server.ts';
import { claimedFolder } from './volumes/claims.ts';
import { createReferences } from './volumes/references.ts';
import { createTokens } from './volumes/tokens.ts';
import { createVolumes } from './volumes/volumes.ts';

export interface Agent {
  /** Of the HTTPS server. */
  readonly port: number;
  /** Resolves when everything has stopped; rejects when a part of the agent failed. */
  readonly done: Promise<void>;
}

/** ms that events get to be written when the agent ends. */
const lastWords = 1000;

/** Below the Kubernetes version whose API is served. */
const version = `v1.35.0+k8ts-${packageJson.version}`;

/**
 * Starts the agent: node, pods, server. It starts the informers of `deps`, if nobody has yet.
 * @throws CodedError of the runtime (CRI_SOCKET_ABSENT, CRI_PLUGIN_DISABLED, …) when it cannot be reached.
 */
export async function startAgent(deps: AgentDeps, options: AgentOptions, signal: AbortSignal): Promise<Agent> {
  const { client, informers, cri, host, logger, clock } = deps;
  const paths = agentPaths(options.dataDir);
  await host.makeDir(paths.pods);
  await host.makeDir(paths.secrets, { mode: 0o700 });
  await host.makeDir(paths.logLinks);
  const facts = await readNodeFacts({ host, cri, dataDir: options.dataDir, version, signal });
  const events = createNodeEvents(client, { nodeName: options.nodeName, clock, logger });
  const pods = await createNodePods(deps, { options, paths, facts, events, signal });
  const podInformer = informers.informer(kinds.pod, { fieldSelector: `spec.nodeName=${options.nodeName}` });

  const { caFile, ownsCa = false } = options;
  const trust = await createNodeTrust({ host, caFile, ownsCa, logger });
  const book = createCertificateBook();
  const server = await startAgentServer({
    bindAddress: options.bindAddress,
    port: options.port,
    ca: trust.bundle(),
    access: createAccessControl({ client, clock, nodeName: options.nodeName }),
    routes: createRoutes({
      cri,
      pods,
      stats: {
        cri,
        nodeName: options.nodeName,
        now: () => clock.now(),
        bootTime: (await readBootTime(host)) ?? clock.now(),
      },
      metrics: () => agentMetrics(options.nodeName, pods.list()) + book.metrics(clock.now()),
      probe: createProbeRoute(host, options),
    }),
    logger,
  });
  const running = Promise.all([
    informers.start(signal),
    pods.run(podInformer),
    keepNode({ client, cri, host, clock, logger, events, options, facts, port: server.port, signal }),
    keepNodeCertificates(deps, { options, server, events, trust, book, signal }),
    keepHouse({ cri, clock, logger, pods: () => pods.list(), signal }),
  ]);
  return {
    port: server.port,
    done: running
      .then(() => undefined)
      .catch((error: unknown) => {
        if (!signal.aborted) throw error;
      })
      .finally(async () => {
        await server.close();
        // What was told last is written while the client is still there, if the API server answers soon.
        await Promise.race([events.flush(), clock.sleep(lastWords)]);
      }),
  };
}

interface NodeParts {
  readonly options: AgentOptions;
  readonly paths: AgentPaths;
  readonly facts: NodeFacts;
  readonly events: NodeEvents;
  readonly signal: AbortSignal;
}

async function createNodePods(deps: AgentDeps, { options, paths, facts, events, signal }: NodeParts): Promise<Pods> {
  const { client, informers, cri, host, logger, clock } = deps;
  const services = informers.informer(kinds.service);
  const node = informers.informer(kinds.node, { fieldSelector: `metadata.name=${options.nodeName}` });
  const references = createReferences(client, { clock, logger, changed: (uid) => pods.referencesChanged(uid) });
  const tokens = createTokens(client, clock);
  const cgroupDriver = await cri.cgroupDriver(signal);
  const { allocatable } = nodeCapacity(facts, options);
  const pods: Pods = createPods(
    {
      client,
      cri,
      host,
      clock,
      logger,
      events,
      status: createStatusWriter(client, { clock, logger, signal }),
      prober: createProber({
        cri,
        now: () => clock.now(),
        signal,
        changed: (uid) => pods.changed(uid),
        failed: (pod, container, kind, why) => {
          const probe = `${kind.slice(0, 1).toUpperCase()}${kind.slice(1)} probe`;
          events.record(referenceTo(pod, container.name), 'Warning', 'Unhealthy', `${probe} failed: ${why}`);
        },
      }),
      puller: createImagePuller(cri, { now: () => clock.now(), parallel: 3 }),
      volumes: createVolumes({
        ...{ host, paths, references, tokens },
        claimed: (namespace, claim) => claimedFolder(client, namespace, claim),
      }),
      references,
      tokens,
      cgroups: await createPodCgroups(cgroupDriver, host),
      paths,
      settings: {
        clusterDns: options.clusterDns,
        clusterDomain: options.clusterDomain,
        hostDns: await readHostDns(host),
        cgroupDriver,
        paths,
      },
      hostIps: [options.nodeIp],
      runtimeName: facts.runtime.runtimeName,
      kernel: { memoryBytes: facts.machine.memoryBytes, isUnified: await hasUnifiedCgroups() },
      allocatable,
      signal,
      servicesFor: (pod) => servicesFor(pod, services.list()),
    },
    () => ({ allocatable, maxPods: options.maxPods, labels: labelsOf(node, options.nodeName) }),
  );
  return pods;
}

/** undefined until the node has registered: then no pod is refused for a label that is not there yet. */
function labelsOf(informer: Informer<Node>, nodeName: string): Readonly<Record<string, string>> | undefined {
  const node = informer.get(keyOf({ metadata: { name: nodeName } }));
  return node === undefined ? undefined : (node.metadata.labels ?? {});
}

/** The Services of the pod's namespace, unless it does not want them, and the API server's. */
function servicesFor(pod: Pod, all: readonly Service[]): readonly Service[] {
  const { namespace } = pod.metadata ?? {};
  const links = pod.spec?.enableServiceLinks ?? true;
  return all.filter(
    ({ metadata }) =>
      (links && metadata?.namespace === namespace) ||
      (metadata?.namespace === 'default' && metadata.name === 'kubernetes'),
  );
}
