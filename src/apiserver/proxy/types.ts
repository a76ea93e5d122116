// What the server's HTTP side and the proxy handlers say to each other: one request in, one streamed response out, or an
// upgraded connection taken over whole.

import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import type { ObjectReader, UserInfo } from '../contracts.ts';

export interface ProxyRequest {
  /** `pods`, `services` or `nodes`. */
  readonly resource: string;
  /** log, exec, attach, portforward or proxy. */
  readonly subresource: string;
  /** '' for nodes. */
  readonly namespace: string;
  readonly name: string;
  /** What follows `…/proxy`, with its leading slash; '' when nothing follows. Still percent-encoded. */
  readonly rest: string;
  readonly query: URLSearchParams;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** The request body, unread; ended at once for methods without one. */
  readonly body: Readable;
  readonly user: UserInfo;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

export interface ProxyResponse {
  readonly status: number;
  /** End-to-end headers only: no connection, transfer-encoding or keep-alive. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** To be piped to the client; destroying it ends the request to the node. */
  readonly body: Readable;
}

/** A request with `Connection: Upgrade`, before anything was answered. */
export interface UpgradeRequest extends Omit<ProxyRequest, 'body'> {
  readonly socket: Duplex;
  /** Bytes that came after the request's head. */
  readonly head: Buffer;
}

export interface NodeProxy {
  /** pods/log, nodes/proxy, pods/proxy, services/proxy. Throws ApiError. */
  handle(request: ProxyRequest): Promise<ProxyResponse>;
  /**
   * pods/exec, pods/attach, pods/portforward, and proxy for WebSocket applications. Throws ApiError while nothing was
   * written to the socket yet, so that the caller can answer it as a Status; resolves when the connection is over.
   */
  upgrade(request: UpgradeRequest): Promise<void>;
  /** New connections to nodes show this certificate, and trust that CA; for renewed ones without a restart. */
  replaceCertificate(
    certificate: Pick<NodeProxyOptions, 'clientCert' | 'clientKey'> & Partial<Pick<NodeProxyOptions, 'clusterCa'>>,
  ): void;
  /** Ends all connections to nodes. */
  close(): Promise<void>;
}

export interface NodeProxyOptions {
  readonly reader: ObjectReader;
  /** The API server's own client certificate towards nodes (apiserver-kubelet-client), PEM. */
  readonly clientCert: string;
  readonly clientKey: string;
  /** Verifies the nodes' serving certificates, PEM. */
  readonly clusterCa: string;
}
