// What the phases of join share. Discovery and the cluster's configuration become known on the way, so they are handed on
// through `found`; a phase that needs what an earlier one finds says so when it is missing (--skip-phases).

import { CodedError } from '../base/index.ts';
import type { ApiClient } from '../client/index.ts';
import type { ClusterConfig, NodeTaint } from '../config/index.ts';
import type { Host, Services } from '../host/index.ts';
import type { BootstrapToken } from '../tokens/index.ts';
import type { Discovered } from './discover.ts';

export interface JoinContext {
  readonly host: Host;
  readonly services: Services;
  readonly program: readonly string[];
  /** Puts the program where `program` says; does nothing when that is where it runs. */
  readonly installProgram: (host: Host) => Promise<void>;
  /** host:port */
  readonly endpoint: string;
  readonly token: BootstrapToken;
  readonly caCertHashes: readonly string[];
  readonly skipCaVerification: boolean;
  readonly nodeName: string;
  /** undefined: the address that this machine sends from to the API server. */
  readonly nodeIp: string | undefined;
  readonly criSocket: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly NodeTaint[];
  readonly ignoredChecks: readonly string[];
  readonly connect: (discovered: Discovered, token: BootstrapToken) => Promise<ApiClient>;
  readonly say: (line: string) => void;
  readonly found: Found;
}

/** Filled in by phases. */
export interface Found {
  discovered?: Discovered;
  cluster?: ClusterConfig;
  client?: ApiClient;
}

/** @throws CodedError PHASE_NEEDED */
export function need<Name extends keyof Found>(found: Found, name: Name, phase: string): NonNullable<Found[Name]> {
  const value = found[name];
  if (value !== undefined) return value;
  throw new CodedError('PHASE_NEEDED', `phase ${phase} has to run first`, {
    exit: 'invalidInput',
    hint: `take ${phase} out of --skip-phases`,
  });
}
