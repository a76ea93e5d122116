// The connections of one API client: HTTP/1.1, up to 16 for requests, and one more for each watch, which holds its
// connection for minutes. HTTP/2 on one or two connections was measured on the same server: 15,000 small POSTs a second
// against 18,000, and a paused stream there can hold back the others.
// The TLS identity can be exchanged while the client is in use (an agent renews its certificate): new requests go out
// over new connections at once, requests under way finish, watches end and are taken up again by their informers.

import { Pool } from 'undici';

/** PEM texts. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
  /** Whom to trust from then on; absent: whoever was trusted before. */
  readonly ca?: string;
}

interface ConnectionOptions {
  readonly origin: string;
  readonly ca: string | undefined;
  readonly serverName: string | undefined;
  readonly insecureSkipTlsVerify: boolean;
  readonly connections: number;
  /** ms */
  readonly connectTimeout: number;
}

export interface Connections {
  readonly requests: Pool;
  readonly watches: Pool;
  useIdentity(identity: TlsIdentity | undefined): void;
  close(): Promise<void>;
}

export function createConnections(options: ConnectionOptions, identity: TlsIdentity | undefined): Connections {
  let { ca } = options;
  let pools = open(options, identity);
  return {
    get requests() {
      return pools.requests;
    },
    get watches() {
      return pools.watches;
    },
    useIdentity(next) {
      const old = pools;
      ca = next?.ca ?? ca;
      pools = open({ ...options, ca }, next);
      // Both settle on their own; a request that fails meanwhile is told through its own promise.
      old.requests.close().catch(() => undefined);
      old.watches.destroy(new Error('the TLS identity was exchanged')).catch(() => undefined);
    },
    async close() {
      await Promise.all([pools.requests.destroy(), pools.watches.destroy()]);
    },
  };
}

function open(options: ConnectionOptions, identity: TlsIdentity | undefined): { requests: Pool; watches: Pool } {
  const connect = {
    timeout: options.connectTimeout,
    rejectUnauthorized: !options.insecureSkipTlsVerify,
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.serverName === undefined ? {} : { servername: options.serverName }),
    ...(identity === undefined ? {} : { cert: identity.cert, key: identity.key }),
  };
  const shared = { connect, allowH2: false, keepAliveTimeout: 30_000 };
  return {
    requests: new Pool(options.origin, { ...shared, connections: options.connections }),
    // Without a bound on connections, and as long without data as it takes.
    watches: new Pool(options.origin, { ...shared, bodyTimeout: 0 }),
  };
}
