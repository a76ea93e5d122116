// The preflight phase of init and join: gather, judge, mend when asked to, say.

import { agentService, cniBinDirs, serverService } from '../config/index.ts';
import { createCri } from '../cri/index.ts';
import type { Host, Services } from '../host/index.ts';
import {
  applyFixes,
  checks,
  clusterChecks,
  gatherClusterFacts,
  gatherFacts,
  type JoinedCluster,
  judge,
  type Role,
  requirePassed,
} from '../preflight/index.ts';

export interface PreflightRun {
  readonly host: Host;
  readonly services: Services;
  readonly role: Role;
  readonly nodeName: string;
  readonly nodeIp?: string;
  /** Host of the API server: an address or a name. */
  readonly apiHost?: string;
  readonly criSocket: string;
  readonly podCidr?: string;
  readonly serviceCidr?: string;
  readonly ports: readonly number[];
  /** UDP port of the overlay; default flannel's. */
  readonly overlayPort?: number;
  readonly ignored: readonly string[];
  /** Do what a failed check suggests, where that is safe. */
  readonly fix?: boolean;
  readonly say: (line: string) => void;
}

/** @throws CodedError PREFLIGHT_FAILED */
export async function runPreflight(run: PreflightRun, signal: AbortSignal): Promise<void> {
  const { host, services, role, nodeName, nodeIp, apiHost, criSocket, podCidr, serviceCidr, ports, ignored, say } = run;
  const cri = createCri(criSocket);
  try {
    const own = await Promise.all([serverService, agentService].map((name) => services.status(name)));
    const ownPids = own.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
    // A service of ours is there already: its own files are no leftovers, the run continues where the last one stopped.
    const isMember = own.some(({ state }) => state !== 'absent');
    const machine = { role, nodeName, nodeIp, apiHost, criSocket, podCidr, serviceCidr, isMember };
    const options = { ...machine, ports, overlayPort: run.overlayPort ?? 8472, cniBinDirs, ownPids };
    const facts = await gatherFacts(host, cri, options, signal);
    let judged = judge(facts, ignored, checks);
    if (run.fix === true && (await applyFixes({ host, facts, judged, say }, signal)).length > 0) {
      judged = judge(await gatherFacts(host, cri, options, signal), ignored, checks);
    }
    requirePassed(judged, say);
  } finally {
    await cri.close();
  }
}

/** The checks that need the cluster, for a machine that joins it. @throws CodedError PREFLIGHT_FAILED */
export async function runClusterPreflight(
  run: Pick<PreflightRun, 'host' | 'ignored' | 'say'> & { readonly cluster: JoinedCluster },
  signal: AbortSignal,
): Promise<void> {
  const facts = await gatherClusterFacts(run.host, run.cluster, signal);
  requirePassed(judge(facts, run.ignored, clusterChecks), run.say);
}
