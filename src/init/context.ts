// What every phase of init gets. --dry-run exchanges host, services and client for recording ones; no phase knows.

import { CodedError } from '../base/index.ts';
import type { ApiClient } from '../client/index.ts';
import type { ClusterDocument, InitConfig } from '../config/index.ts';
import type { Host, Services } from '../host/index.ts';
import type { BootstrapToken, TokenSecretOptions } from '../tokens/index.ts';

/** A token, and what its Secret shall say. */
export interface InitToken extends Omit<TokenSecretOptions, 'now'> {
  readonly token: BootstrapToken;
}

export interface InitContext {
  readonly config: InitConfig;
  /** What `config` was made of; kept for the next run. */
  readonly document: ClusterDocument;
  readonly host: Host;
  readonly services: Services;
  /** node and the k8ts script, both absolute, as services start them. */
  readonly program: readonly string[];
  /** Puts the program where `program` says; does nothing when that is where it runs. */
  readonly installProgram: (host: Host) => Promise<void>;
  readonly tokens: readonly InitToken[];
  /** False: instead of the join command with its token, the command is shown that makes one. */
  readonly showToken: boolean;
  readonly ignoredChecks: readonly string[];
  /** Preflight mends what it can mend safely. */
  readonly fix: boolean;
  /** Speaks as super-admin.conf, so it can be called once that is written. The same client each time. */
  readonly client: () => Promise<ApiClient>;
  /** Prints a line for the person. */
  readonly say: (line: string) => void;
}

/**
 * The token that machines join with, this one included: the first that may find the cluster and log in.
 * @throws CodedError TOKEN_USAGES
 */
export function joinToken(tokens: readonly InitToken[]): InitToken {
  const both = tokens.find(
    ({ usages }) => usages === undefined || (usages.includes('signing') && usages.includes('authentication')),
  );
  if (both !== undefined) return both;
  throw new CodedError('TOKEN_USAGES', 'no bootstrap token may be used both for signing and for authentication', {
    exit: 'invalidInput',
    hint: 'leave out usages of one of the bootstrapTokens: the node agent of this machine joins with it',
  });
}
