// GET /k8ts/probe?target=ADDRESS:PORT&… : what this node sees of itself and of its way to others, for `k8ts doctor`, which
// asks it of every node through the API server (nodes/NAME/proxy/k8ts/probe) and so gets the whole matrix from one place.
// Whoever may use nodes/proxy of this node may ask, nobody else; that right opens exec into every pod of it as well, so
// that a connection to an address and port of the caller's choice adds nothing. Bounded: 64 targets, 16 at a time, eight
// seconds each; one examination at a time, eight may wait, others are refused.

import { isIP } from 'node:net';
import type { Host } from '../../host/index.ts';
import { examineNode, type NodeSetup } from '../../probe/index.ts';
import { RequestError, type RoutesOptions } from './routes.ts';

const mostTargets = 64;
const mostWaiting = 8;

/** The route throws RequestError 400 for a target that is not address:port and for too many, 429 when too many wait. */
export function createProbeRoute(host: Host, setup: NodeSetup): RoutesOptions['probe'] {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return async (query, signal) => {
    const targets = query.getAll('target').map(parseTarget);
    if (targets.length > mostTargets) throw new RequestError(400, `at most ${mostTargets} targets at a time`);
    if (waiting > mostWaiting) throw new RequestError(429, 'other examinations are under way: ask again later');
    waiting += 1;
    const report = last.then(() => examineNode(host, { setup, targets, signal }));
    last = report.catch(() => undefined);
    try {
      return await report;
    } finally {
      waiting -= 1;
    }
  };
}

function parseTarget(text: string): { readonly address: string; readonly port: number } {
  const [, address = '', port = ''] = /^(.*):(\d{1,5})$/.exec(text) ?? [];
  if (isIP(address) === 4 && Number(port) > 0 && Number(port) < 65536) return { address, port: Number(port) };
  throw new RequestError(400, `invalid target "${text}": it must be ADDRESS:PORT`);
}
