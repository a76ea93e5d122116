// Asks a node through its overlay without being a node: a DNS question for the cluster's own name, packed by hand as the
// kernel would pack it, sent to the node's VXLAN port. The node unpacks it, its DNS answers, and the answer comes back as an
// ordinary packet, because this machine's own address is its sender. So a machine that is about to join knows whether
// UDP 8472 is open, before anything on it is changed. A VXLAN link of our own was refused: it would have to be made, and
// the other node would have to know of it.
//
//   outer UDP ─┬─ VXLAN 8 ─┬─ Ethernet 14 ─┬─ IPv4 20 ─┬─ UDP 8 ─┬─ DNS question
//              RFC 7348 §5                   RFC 791     RFC 768   RFC 1035 §4

import { createSocket, type Socket } from 'node:dgram';
import { systemClock } from '../base/index.ts';

export interface AskedNode {
  /** Outer address. */
  readonly address: string;
  readonly port: number;
  readonly vni: number;
  /** Hardware address of its end of the overlay. */
  readonly vtepMac: string;
}

/** A name that the cluster DNS knows, and where that listens on every node. */
export interface ClusterName {
  readonly name: string;
  readonly dns: string;
}

const tries = 4;
/** ms between tries, and after the last one. */
const patience = 300;

/** Whether an answer came back. @param from this machine's address towards the node */
export async function askThroughOverlay(
  node: AskedNode,
  { name, dns }: ClusterName,
  from: string,
  signal: AbortSignal,
): Promise<boolean> {
  const socket = createSocket('udp4');
  const answered = new AbortController();
  const over = AbortSignal.any([answered.signal, signal]);
  try {
    socket.on('message', (_message, { address }) => {
      if (address === dns) answered.abort();
    });
    await bind(socket, from);
    socket.on('error', () => undefined); // a refusal is no answer
    const inner = udpPacket({ from, port: socket.address().port, to: dns }, question(name));
    const packet = Buffer.concat([vxlanHeader(node.vni), ethernetHeader(node.vtepMac), inner]);
    for (let attempt = 0; attempt < tries && !over.aborted; attempt += 1) {
      socket.send(packet, node.port, node.address, () => undefined);
      await systemClock.sleep(patience, over).catch(() => undefined);
    }
    signal.throwIfAborted();
    return answered.signal.aborted;
  } finally {
    socket.close();
  }
}

function bind(socket: Socket, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, address, () => {
      socket.off('error', reject);
      resolve();
    });
  });
}

/** Flag I: the network identifier is valid. */
function vxlanHeader(vni: number): Buffer {
  const header = Buffer.alloc(8);
  header[0] = 0x08;
  header.writeUIntBE(vni, 4, 3);
  return header;
}

/** The sender's address is made up, with the bit for locally administered ones set. */
function ethernetHeader(to: string): Buffer {
  const mac = Buffer.from(to.replaceAll(':', ''), 'hex');
  return Buffer.concat([mac, Buffer.from([0x02, 0, 0, 0, 0, 0x01]), Buffer.from([0x08, 0x00])]);
}

function udpPacket(
  { from, port, to }: { readonly from: string; readonly port: number; readonly to: string },
  payload: Buffer,
): Buffer {
  const ip = Buffer.alloc(20);
  ip[0] = 0x45; // version 4, header of 5 words
  ip.writeUInt16BE(28 + payload.length, 2);
  ip[6] = 0x40; // don't fragment
  ip[8] = 64; // time to live
  ip[9] = 17; // UDP
  addressBytes(from).copy(ip, 12);
  addressBytes(to).copy(ip, 16);
  ip.writeUInt16BE(checksum(ip), 10);
  const udp = Buffer.alloc(8); // checksum 0: none, which IPv4 allows
  udp.writeUInt16BE(port, 0);
  udp.writeUInt16BE(53, 2);
  udp.writeUInt16BE(8 + payload.length, 4);
  return Buffer.concat([ip, udp, payload]);
}

/** Asks for the IPv4 address of `name`. */
function question(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  const header = Buffer.from([0x6b, 0x38, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
}

function addressBytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

/** RFC 1071: the complement of the ones' complement sum. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
