// Everything that the work on pods needs, made once in agent.ts and handed down.

import type { Pod, Service } from '../../api/index.ts';
import type { Clock, Logger } from '../../base/index.ts';
import type { ApiClient } from '../../client/index.ts';
import type { Cri } from '../../cri/index.ts';
import type { Host } from '../../host/index.ts';
import type { NodeEvents } from '../events.ts';
import type { ImagePuller } from '../images/pull.ts';
import type { AgentPaths } from '../paths.ts';
import type { Prober } from '../probes/prober.ts';
import type { References } from '../volumes/references.ts';
import type { Tokens } from '../volumes/tokens.ts';
import type { Volumes } from '../volumes/volumes.ts';
import type { PodCgroups } from './cgroups.ts';
import type { NodeKernel } from './resources.ts';
import type { SandboxSettings } from './sandbox-config.ts';
import type { StatusWriter } from './status-writer.ts';

export interface PodWorld {
  readonly client: ApiClient;
  readonly cri: Cri;
  readonly host: Host;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: NodeEvents;
  readonly status: StatusWriter;
  readonly prober: Prober;
  readonly puller: ImagePuller;
  readonly volumes: Volumes;
  readonly references: References;
  readonly tokens: Tokens;
  readonly cgroups: PodCgroups;
  readonly paths: AgentPaths;
  readonly settings: SandboxSettings;
  readonly hostIps: readonly string[];
  readonly runtimeName: string;
  readonly kernel: NodeKernel;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Services whose addresses containers of the pod get as variables. */
  servicesFor(pod: Pod): readonly Service[];
}
