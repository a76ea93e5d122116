// The preflight phase of init and join: gather, judge, say.

import { agentService, cniBinDirs, serverService } from '../config/index.ts';
import { createCri } from '../cri/index.ts';
import type { Host, Services } from '../host/index.ts';
import { gatherFacts, judge, type Role, requirePassed } from '../preflight/index.ts';

export interface PreflightRun {
  readonly host: Host;
  readonly services: Services;
  readonly role: Role;
  readonly nodeName: string;
  readonly criSocket: string;
  readonly podCidr?: string;
  readonly serviceCidr?: string;
  readonly ports: readonly number[];
  readonly ignored: readonly string[];
  readonly say: (line: string) => void;
}

/** @throws CodedError PREFLIGHT_FAILED */
export async function runPreflight(run: PreflightRun, signal: AbortSignal): Promise<void> {
  const { host, services, role, nodeName, criSocket, podCidr, serviceCidr, ports } = run;
  const cri = createCri(criSocket);
  try {
    const own = await Promise.all([serverService, agentService].map((name) => services.status(name)));
    const ownPids = own.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
    const options = { role, nodeName, criSocket, podCidr, serviceCidr, ports, cniBinDirs, ownPids };
    const facts = await gatherFacts(host, cri, options, signal);
    // An agent of ours is there already: its own files are no leftovers, the run continues where the last one stopped.
    const leftovers = own.some(({ state }) => state !== 'absent') ? [] : facts.leftovers;
    requirePassed(judge({ ...facts, leftovers }, run.ignored), run.say);
  } finally {
    await cri.close();
  }
}
