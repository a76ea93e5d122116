// What the phases of join share. Discovery and the cluster's configuration become known on the way, so they are handed on
// through `found`; a phase that needs what an earlier one finds says so when it is missing (--skip-phases).

import { CodedError } from '../base/index.ts';
import type { ApiClient } from '../client/index.ts';
import type { ClusterConfig, NodeTaint } from '../config/index.ts';
import type { Host, Services } from '../host/index.ts';
import type { BootstrapToken } from '../tokens/index.ts';

/** What to log in with until the node has a certificate of its own; PEM texts. */
export type Login = { readonly token: string } | { readonly cert: string; readonly key: string };

/** How the cluster is found, and why it may be trusted. */
export type Discovery =
  | {
      readonly by: 'token';
      /** host:port; the first that answers is used. */
      readonly endpoints: readonly string[];
      readonly token: BootstrapToken;
      /** sha256:…; any of them will do. */
      readonly caCertHashes: readonly string[];
      readonly skipCaVerification: boolean;
    }
  | {
      readonly by: 'file';
      /** Path, or https URL. */
      readonly file: string;
    };

export interface Discovered {
  /** https://host:port, as the cluster names itself. */
  readonly server: string;
  readonly caPem: string;
  /** ms that the server's clock is ahead of this machine's; undefined: it did not say. */
  readonly clockSkew: number | undefined;
  /** Of a discovery file that holds one; it wins over a token. */
  readonly login?: Login;
}

export interface JoinContext {
  readonly host: Host;
  readonly services: Services;
  readonly program: readonly string[];
  /** Puts the program where `program` says; does nothing when that is where it runs. */
  readonly installProgram: (host: Host) => Promise<void>;
  readonly discovery: Discovery;
  /** undefined: the discovery file has to hold a login. */
  readonly token: BootstrapToken | undefined;
  readonly nodeName: string;
  /** undefined: the address that this machine sends from to the API server. */
  readonly nodeIp: string | undefined;
  readonly criSocket: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly NodeTaint[];
  /** undefined: the cluster's. */
  readonly maxPods: number | undefined;
  readonly ignoredChecks: readonly string[];
  /** Preflight mends what it can mend safely. */
  readonly fix: boolean;
  /** A client that trusts the cluster's CA alone. */
  readonly connect: (discovered: Discovered, login: Login) => Promise<ApiClient>;
  readonly say: (line: string) => void;
  readonly found: Found;
}

/** Filled in by phases. */
export interface Found {
  discovered?: Discovered;
  cluster?: ClusterConfig;
  /** The address that this node will have. */
  nodeIp?: string;
  /** ms since the epoch */
  agentStarted?: number;
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
