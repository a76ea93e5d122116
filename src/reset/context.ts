// What every phase of reset gets.

import type { ApiClient } from '../client/index.ts';
import type { Cri } from '../cri/index.ts';
import type { Host, Journal, Services } from '../host/index.ts';

export interface ResetContext {
  /** Does not write into `journal`. */
  readonly host: Host;
  readonly journal: Journal;
  readonly services: Services;
  /** undefined when the runtime is not there: then nothing of ours runs in it. */
  readonly cri: Pick<Cri, 'listPodSandbox' | 'stopPodSandbox' | 'removePodSandbox'> | undefined;
  /** From this machine's agent.json; undefined when it never became a node. */
  readonly nodeName: string | undefined;
  /** Speaks as an administrator where admin.conf is there, otherwise as the node. undefined: no kubeconfig. */
  readonly client: ApiClient | undefined;
  /** The agent's data folder, whose mounts (volumes of pods) go with it. */
  readonly agentData: string;
  readonly say: (line: string) => void;
}
