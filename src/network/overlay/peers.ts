// How nodes tell each other where their end of the overlay is: annotations on the Node object, the same ones that flannel
// writes and reads (backend type `vxlan`), so that a cluster may mix nodes of both.
//   flannel.alpha.coreos.com/public-ip            outer address
//   flannel.alpha.coreos.com/backend-type         vxlan
//   flannel.alpha.coreos.com/backend-data         {"VNI":1,"VtepMAC":"…"}
//   flannel.alpha.coreos.com/kube-subnet-manager  true

import type { Node } from '../../api/index.ts';
import { isIpv4, parseCidr } from '../ipv4.ts';

const prefix = 'flannel.alpha.coreos.com';

/** Another node's end of the tunnel. */
export interface Peer {
  readonly nodeName: string;
  /** The node's pod range, host bits cleared: 10.244.2.0/24. */
  readonly podCidr: string;
  /** The vtep's inner address: the first of the pod range, as flannel has it. */
  readonly vtepIp: string;
  readonly vtepMac: string;
  /** Outer address. */
  readonly publicIp: string;
}

export function peerAnnotations(own: {
  readonly vni: number;
  readonly vtepMac: string;
  readonly publicIp: string;
}): Readonly<Record<string, string>> {
  return {
    [`${prefix}/backend-data`]: JSON.stringify({ VNI: own.vni, VtepMAC: own.vtepMac }),
    [`${prefix}/backend-type`]: 'vxlan',
    [`${prefix}/kube-subnet-manager`]: 'true',
    [`${prefix}/public-ip`]: own.publicIp,
  };
}

/** The node as a peer, or the reason why packets cannot be sent to it yet. */
export function readPeer(node: Node, vni: number): Peer | { readonly reason: string } {
  const { name = '', annotations = {} } = node.metadata ?? {};
  const { podCIDR } = node.spec ?? {};
  if (podCIDR === undefined || podCIDR === '') return { reason: 'it has no pod CIDR yet' };
  const type = annotations[`${prefix}/backend-type`];
  if (type === undefined) return { reason: 'its overlay has not been announced yet' };
  if (type !== 'vxlan') return { reason: `its overlay backend is ${type}, not vxlan` };
  const publicIp = annotations[`${prefix}/public-ip`] ?? '';
  const data = parseBackend(annotations[`${prefix}/backend-data`]);
  if (data === undefined || !isIpv4(publicIp)) return { reason: 'its overlay annotations cannot be read' };
  // Flannel before VNI was part of the data wrote none: that meant the default of 1.
  if ((data.vni ?? 1) !== vni) return { reason: `its VNI is ${data.vni}, ours is ${vni}` };
  const { network, prefix: length } = parseCidr(podCIDR);
  return { nodeName: name, podCidr: `${network}/${length}`, vtepIp: network, vtepMac: data.mac, publicIp };
}

function parseBackend(
  text: string | undefined,
): { readonly vni: number | undefined; readonly mac: string } | undefined {
  let data: unknown;
  try {
    data = JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
  if (typeof data !== 'object' || data === null || !('VtepMAC' in data)) return undefined;
  const mac = data.VtepMAC;
  if (typeof mac !== 'string' || !/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac)) return undefined;
  const vni = 'VNI' in data && typeof data.VNI === 'number' ? data.VNI : undefined;
  return { vni, mac: mac.toLowerCase() };
}
