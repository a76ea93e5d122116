// The nouns of the service proxy.

/** One entry of a named set or map of our table. */
export interface Element {
  /** Name of the set or map. */
  readonly set: string;
  readonly key: string;
  /** Maps only. */
  readonly value?: string;
}

/**
 * A chain, set or map that several Services may use. What a name means never changes: different content has a different
 * name, so that a user of the old content is not disturbed.
 */
export interface Part {
  readonly name: string;
  /** Parts that have to be there first. */
  readonly needs: readonly Part[];
  /** nft commands that make it. */
  readonly create: readonly string[];
  /** nft commands that remove it once nobody uses it; none: it stays until the next full write. */
  readonly destroy: readonly string[];
}

/** A connectionless flow that conntrack may still send to an endpoint that is gone. */
export interface UdpFlow {
  /** Service address; undefined: any address of the node, on the node port. */
  readonly address: string | undefined;
  readonly port: number;
  readonly endpoint: string;
}

/** Everything that one Service contributes to the table. */
export interface ServicePlan {
  readonly elements: readonly Element[];
  readonly parts: readonly Part[];
  readonly udpFlows: readonly UdpFlow[];
  /** Endpoint order by list name, given back to the next plan so that one change moves few entries. */
  readonly orders: ReadonlyMap<string, readonly string[]>;
}

export const tableFamily = 'ip';
export const tableName = 'k8ts';

/** `ip k8ts`, as nft commands name it. */
export const table = `${tableFamily} ${tableName}`;

/** The packet mark bit that asks for masquerading; the bit that kube-proxy uses, so that others leave it alone. */
export const masqueradeBit = '0x4000';
