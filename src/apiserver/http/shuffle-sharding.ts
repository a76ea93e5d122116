// Which of a level's queues the requests of one flow may wait in: a hand dealt from all of them by the flow's hash, so that
// the number of queues does not grow with the number of flows, and one busy flow fills only those of its own hand. Two flows
// rarely have the whole hand in common.
// Source: Kubernetes documentation, "API Priority and Fairness", queuing; KEP-1040.

import { createHash } from 'node:crypto';

const bytesPerCard = 2;

/** `handSize` different numbers below `queues`, always the same ones for a flow. */
export function handOf(flow: string, { queues, handSize }: { readonly queues: number; readonly handSize: number }) {
  const hash = createHash('sha256').update(flow).digest();
  const hand: number[] = [];
  for (let dealt = 0; dealt < Math.min(handSize, queues, hash.length / bytesPerCard); dealt += 1) {
    let card = hash.readUInt16BE(dealt * bytesPerCard) % (queues - dealt);
    // One of those that are left: the dealt ones below it are stepped over.
    for (const taken of hand.toSorted((a, b) => a - b)) if (card >= taken) card += 1;
    hand.push(card);
  }
  return hand;
}
