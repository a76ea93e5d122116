// What every phase of init gets. --dry-run exchanges host, services and client for recording ones; no phase knows.

import type { ApiClient } from '../client/index.ts';
import type { InitConfig } from '../config/index.ts';
import type { Host, Services } from '../host/index.ts';
import type { BootstrapToken } from '../tokens/index.ts';

export interface InitContext {
  readonly config: InitConfig;
  readonly host: Host;
  readonly services: Services;
  /** node and the k8ts script, both absolute, as services start them. */
  readonly program: readonly string[];
  /** Puts the program where `program` says; does nothing when that is where it runs. */
  readonly installProgram: (host: Host) => Promise<void>;
  readonly token: BootstrapToken;
  /** ms; 0: never expires. */
  readonly tokenTtl: number;
  readonly ignoredChecks: readonly string[];
  /** Speaks as super-admin.conf, so it can be called once that is written. The same client each time. */
  readonly client: () => Promise<ApiClient>;
  /** Prints a line for the person. */
  readonly say: (line: string) => void;
}
