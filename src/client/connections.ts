// The connections of one API client: HTTP/1.1, up to 16, for requests, and HTTP/2 for lists and watches, where a watch is a
// stream of a connection instead of a connection of its own: 50 TLS connections and 7 MB less for one set of controllers.
// Requests on HTTP/2 were measured on the same server: 15,000 small POSTs a second against 18,000.
// The TLS identity can be exchanged while the client is in use (an agent renews its certificate): new requests go out
// over new connections at once, requests under way finish, watches end and are taken up again by their informers.

import { Pool } from './dispatchers.ts';

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
  readonly streams: Pool;
  useIdentity(identity: TlsIdentity | undefined): void;
  close(): Promise<void>;
}

/**
 * A stream may be 256 KB ahead of its reader (undici's default), so 64 paused ones hold back the others. A connection that
 * does not answer a ping is closed, and its watches are taken up again: client-go pings after the same time.
 */
const multiplexed = { maxConcurrentStreams: 1000, connectionWindowSize: 16 << 20, pingInterval: 30_000 };

export function createConnections(options: ConnectionOptions, identity: TlsIdentity | undefined): Connections {
  let { ca } = options;
  let pools = open(options, identity);
  return {
    get requests() {
      return pools.requests;
    },
    get streams() {
      return pools.streams;
    },
    useIdentity(next) {
      const old = pools;
      ca = next?.ca ?? ca;
      pools = open({ ...options, ca }, next);
      // Both settle on their own; a request that fails meanwhile is told through its own promise.
      old.requests.close().catch(() => undefined);
      old.streams.destroy(new Error('the TLS identity was exchanged')).catch(() => undefined);
    },
    async close() {
      await Promise.all([pools.requests.destroy(), pools.streams.destroy()]);
    },
  };
}

function open(options: ConnectionOptions, identity: TlsIdentity | undefined): { requests: Pool; streams: Pool } {
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
    // As long without data as it takes.
    streams: new Pool(options.origin, { ...shared, allowH2: true, h2Options: multiplexed, bodyTimeout: 0 }),
  };
}
