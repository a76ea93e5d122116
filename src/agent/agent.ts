// The node agent: everything that this machine does for the cluster, put together. Long-lived; ends with `signal`.

import { kinds, type Pod, type Service } from '../api/index.ts';
import { createEventRecorder } from './events.ts';
import { createImagePuller } from './images/pull.ts';
import type { AgentDeps, AgentOptions } from './options.ts';
import { agentPaths } from './paths.ts';
import { createPodCgroups } from './pods/cgroups.ts';
import { parseResolvConf } from './pods/dns.ts';
import { createPods, type Pods } from './pods/pods.ts';
import { referenceTo } from './pods/record.ts';
import { createStatusWriter } from './pods/status-writer.ts';
import { createProber } from './probes/prober.ts';
import { createReferences } from './volumes/references.ts';
import { createTokens } from './volumes/tokens.ts';
import { createVolumes } from './volumes/volumes.ts';

export interface Agent {
  readonly pods: Pods;
  /** Resolves when everything has stopped. */
  readonly done: Promise<void>;
}

export async function startAgent(deps: AgentDeps, options: AgentOptions, signal: AbortSignal): Promise<Agent> {
  const { client, informers, cri, host, logger, clock } = deps;
  const paths = agentPaths(options.dataDir);
  await host.makeDir(paths.pods);
  const secretsDir = '/run/k8ts/volumes';
  await host.makeDir(secretsDir, { mode: 0o711 });
  const [version, cgroupDriver, facts, resolvConf] = await Promise.all([
    cri.version(signal),
    cri.cgroupDriver(signal),
    host.facts(),
    host.readFileIfExists('/etc/resolv.conf'),
  ]);
  const podInformer = informers.informer(kinds.pod, { fieldSelector: `spec.nodeName=${options.nodeName}` });
  const services = informers.informer(kinds.service);
  const references = createReferences(client, { clock, logger, changed: (uid) => pods.referencesChanged(uid) });
  const tokens = createTokens(client, clock);
  const events = createEventRecorder(client, { clock, logger, nodeName: options.nodeName, signal });
  const allocatable = {
    cpu: String(facts.processors),
    memory: String(facts.memoryBytes),
    pods: String(options.maxPods),
  };
  const pods = createPods(
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
        failed: (pod, container, kind, why) =>
          events.record(
            referenceTo(pod, container.name),
            'Warning',
            'Unhealthy',
            `${kind[0]?.toUpperCase()}${kind.slice(1)} probe failed: ${why}`,
          ),
      }),
      puller: createImagePuller(cri, { now: () => clock.now(), parallel: 3 }),
      volumes: createVolumes({ host, paths, secretsDir, references, tokens }),
      references,
      tokens,
      cgroups: await createPodCgroups(cgroupDriver),
      paths,
      settings: {
        clusterDns: options.clusterDns,
        clusterDomain: options.clusterDomain,
        hostDns: parseResolvConf(resolvConf?.toString() ?? ''),
        cgroupDriver,
        paths,
      },
      hostIps: [options.nodeIp],
      runtimeName: version.runtimeName,
      nodeMemory: facts.memoryBytes,
      allocatable,
      signal,
      servicesFor: (pod) => servicesFor(pod, services.list()),
    },
    () => ({ allocatable, maxPods: options.maxPods, labels: options.labels }),
  );
  const running = Promise.all([pods.run(podInformer), informers.start(signal)]);
  return {
    pods,
    done: running.then(
      () => undefined,
      (error: unknown) => {
        if (!signal.aborted) throw error;
      },
    ),
  };
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
