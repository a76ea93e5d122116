// The node's two certificates and the CA behind them, kept together while the agent runs: obtained, renewed, put into use in
// its server and its client without a restart, and told of.

import type { NodeEvents } from '../events.ts';
import type { AgentDeps, AgentOptions } from '../options.ts';
import type { AgentServer } from '../server/server.ts';
import type { CertificateBook } from './certificate-book.ts';
import { type KeptCertificate, keepCertificate } from './identity.ts';
import type { FollowedTrust } from './trust.ts';

export interface NodeCertificates {
  readonly options: AgentOptions;
  readonly server: AgentServer;
  readonly events: Pick<NodeEvents, 'record'>;
  readonly trust: FollowedTrust;
  readonly book: CertificateBook;
  readonly signal: AbortSignal;
}

/** Works until the signal aborts. */
export async function keepNodeCertificates(deps: AgentDeps, on: NodeCertificates): Promise<void> {
  const { client, useIdentity, informers, clock, logger } = deps;
  const { options, server, events, trust, book, signal } = on;
  const { certDir, nodeName, nodeIp } = options;
  const common = {
    client,
    certDir,
    nodeName,
    trust,
    failed: book.failed,
    warn: (reason: string, message: string) =>
      events.record({ kind: 'Node', name: nodeName, uid: nodeName }, 'Warning', reason, message),
  };
  const serving: KeptCertificate = {
    ...common,
    purpose: 'server',
    altNames: [...new Set([nodeName, nodeIp])],
    use: server.useIdentity,
    obtained: (pem) => book.obtained('server', pem),
  };
  const own: KeptCertificate | undefined = useIdentity && {
    ...common,
    purpose: 'client',
    altNames: [],
    isInUse: true,
    use: useIdentity,
    obtained: (pem) => book.obtained('client', pem),
  };
  trust.follow(informers);
  await Promise.all([
    keepCertificate(serving, deps, signal),
    own && keepCertificate(own, deps, signal),
    book.annotate({ client, clock, logger, nodeName, trust, signal }),
  ]);
}
