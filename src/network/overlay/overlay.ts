// The overlay of one node: its vxlan link, the announcement on its Node object, and the kernel entries for every other
// node. One reconcile does all of it, from what is there to what is wanted, and costs six programs; it is poked when this
// node's part of the overlay or a peer changed, not by heartbeats, nor by nodes on their way to become peers.
//
//   own Node gets spec.podCIDR ─► link ─► annotations ─► routes, neighbours and fdb of the peers ─► ready

import { type KubeObject, kinds, type Node, type Stored } from '../../api/index.ts';
import type { Informer } from '../../client/index.ts';
import type { NetworkConfig, NetworkDependencies } from '../config.ts';
import { parseCidr } from '../ipv4.ts';
import { type Reconciler, startReconciler } from '../reconciler.ts';
import { readFdb, readLinks, readNeighbours, readRoutes, underlayOf } from './ip-json.ts';
import { linkName, planLink, type VxlanLink, vtepMac, vxlanOverhead, whyIncompatible } from './link.ts';
import { peerAnnotations, readPeer } from './peers.ts';
import { planOverlay } from './plan.ts';

/** What the pod network of this node is made of once the overlay is up. */
export interface NodeNetwork {
  readonly podCidr: string;
  readonly mtu: number;
}

export interface Overlay {
  /** What still keeps the overlay from working; undefined when it works. */
  readonly waitingFor: string | undefined;
  readonly ended: Promise<void>;
}

export interface OverlayOptions {
  readonly nodes: Informer<Node>;
  /** Called after each successful reconcile with an own pod CIDR. */
  readonly onUp: (network: NodeNetwork) => Promise<void>;
}

export function startOverlay(
  deps: NetworkDependencies,
  config: NetworkConfig,
  options: OverlayOptions,
  signal: AbortSignal,
): Overlay {
  const { client, host, clock, recorder } = deps;
  const logger = deps.logger.with({ part: 'overlay' });
  const { nodes, onUp } = options;
  const { vni } = config.overlay;
  const device = linkName(vni);
  /** Reasons already logged, so that a node that is not ready is named once. */
  const skipped = new Map<string, string>();
  let waitingFor: string | undefined = 'the overlay has not been set up yet';

  const reconciler: Reconciler = startReconciler({
    name: 'overlay',
    run: reconcile,
    gather: 5,
    clock,
    logger,
    signal,
  });
  nodes.addHandler({
    added: (node) => changed(node, undefined),
    updated: (node, previous) => changed(node, previous),
    deleted: (node) => changed(undefined, node),
  });
  reconciler.poke(); // to say what is missing even when no Node is there yet
  return {
    get waitingFor() {
      return reconciler.lastError ?? waitingFor;
    },
    ended: reconciler.ended,
  };

  function changed(now: Stored<Node> | undefined, before: Stored<Node> | undefined): void {
    if (now !== undefined) nameSkipped(now);
    else if (before !== undefined) skipped.delete(before.metadata.name);
    if (overlayPart(now) !== overlayPart(before)) reconciler.poke();
  }

  /** What reconcile reads of a node, for comparison; empty for one that is no peer. */
  function overlayPart(node: Stored<Node> | undefined): string {
    if (node === undefined) return '';
    if (node.metadata.name === config.nodeName) return JSON.stringify([node.spec?.podCIDR, node.metadata.annotations]);
    const peer = readPeer(node, vni);
    return 'reason' in peer ? '' : JSON.stringify(peer);
  }

  function nameSkipped(node: Stored<Node>): void {
    const { name } = node.metadata;
    const peer = name === config.nodeName ? undefined : readPeer(node, vni);
    const reason = peer !== undefined && 'reason' in peer ? peer.reason : undefined;
    if (reason !== undefined && skipped.get(name) !== reason)
      logger.info('node is not part of the overlay', { node: name, reason });
    if (reason === undefined) skipped.delete(name);
    else skipped.set(name, reason);
  }

  async function reconcile(stop: AbortSignal): Promise<void> {
    await nodes.synced(stop);
    const own = nodes.get(config.nodeName);
    const podCIDR = own?.spec?.podCIDR ?? '';
    if (own === undefined || podCIDR === '') {
      waitingFor =
        own === undefined
          ? `node ${config.nodeName} has not registered yet`
          : 'the node has not been given a pod CIDR yet';
      return;
    }
    const { network, prefix } = parseCidr(podCIDR);
    const link = await ensureLink(network, stop);
    await announce(own, link, stop);
    await ensurePeers(stop);
    await onUp({ podCidr: `${network}/${prefix}`, mtu: link.mtu });
    if (waitingFor !== undefined)
      recorder.event(own, 'Normal', 'OverlayReady', `pods of this node use ${podCIDR} over ${device}`);
    waitingFor = undefined;
  }

  async function ensureLink(address: string, stop: AbortSignal): Promise<VxlanLink> {
    const links = await readLinks(host, stop);
    const underlay = underlayOf(links, config.nodeIp);
    const want: VxlanLink = {
      name: device,
      vni,
      port: config.overlay.port,
      local: config.nodeIp,
      device: underlay.ifname,
      mac: vtepMac(config.nodeName),
      mtu: underlay.mtu - vxlanOverhead,
      address,
    };
    const have = links.find((link) => link.ifname === device);
    const reason = have === undefined ? undefined : whyIncompatible(want, have);
    if (reason !== undefined) logger.warn('making the overlay link anew', { link: device, reason });
    await host.record({ kind: 'link', name: device });
    for (const args of planLink(want, have, have?.addr_info ?? [])) await host.run('ip', args, { signal: stop });
    return want;
  }

  async function announce(own: Stored<Node>, link: VxlanLink, stop: AbortSignal): Promise<void> {
    const want = peerAnnotations({ vni, vtepMac: link.mac, publicIp: config.nodeIp });
    const have = own.metadata.annotations ?? {};
    if (Object.entries(want).every(([key, value]) => have[key] === value)) return;
    const body: KubeObject = { metadata: { annotations: want } };
    await client.patch(kinds.node, { name: config.nodeName }, 'merge', body, { signal: stop });
  }

  async function ensurePeers(stop: AbortSignal): Promise<void> {
    const peers = nodes
      .list()
      .filter(({ metadata }) => metadata.name !== config.nodeName)
      .flatMap((node) => {
        const peer = readPeer(node, vni);
        return 'reason' in peer ? [] : [peer];
      });
    const [routes, neighbours, fdb] = await Promise.all([
      readRoutes(host, device, stop),
      readNeighbours(host, device, stop),
      readFdb(host, device, stop),
    ]);
    const plan = planOverlay(device, peers, { routes, neighbours, fdb });
    await batch('ip', plan.ipRemove, stop);
    await batch('bridge', plan.bridge, stop);
    await batch('ip', plan.ipAdd, stop);
    const changes = plan.ipRemove.length + plan.bridge.length + plan.ipAdd.length;
    if (changes > 0) logger.info('overlay changed', { peers: peers.length, changes });
  }

  async function batch(program: 'ip' | 'bridge', lines: readonly string[], stop: AbortSignal): Promise<void> {
    if (lines.length === 0) return;
    await host.run(program, ['-batch', '-'], { stdin: `${lines.join('\n')}\n`, signal: stop });
  }
}
