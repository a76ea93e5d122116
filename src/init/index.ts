// `k8ts init` is this list.

import type { Phase } from '../workflow/index.ts';
import { addonDns } from './addon-dns.ts';
import { agent } from './agent.ts';
import { bootstrapToken } from './bootstrap-token.ts';
import { certs } from './certs.ts';
import type { InitContext } from './context.ts';
import { controlPlane } from './control-plane.ts';
import { hostSetup } from './host-setup.ts';
import { kubeconfig } from './kubeconfig.ts';
import { markControlPlane } from './mark-control-plane.ts';
import { preflight } from './preflight.ts';
import { saveConfig } from './save-config.ts';
import { showJoinCommand } from './show-join-command.ts';
import { uploadConfig } from './upload-config.ts';
import { waitControlPlane } from './wait-control-plane.ts';
import { waitNode } from './wait-node.ts';

export { certContextOf } from './certs.ts';
export type { InitContext, InitToken } from './context.ts';
export { resolvePhase, resolveSkips } from './phase-names.ts';
export { joinCommand } from './show-join-command.ts';

export const initPhases: readonly Phase<InitContext>[] = [
  preflight,
  saveConfig,
  hostSetup,
  certs,
  kubeconfig,
  controlPlane,
  waitControlPlane,
  bootstrapToken,
  agent,
  // While the agent starts and asks for its certificate, there is time for the rest.
  uploadConfig,
  addonDns,
  markControlPlane,
  waitNode,
  showJoinCommand,
];
