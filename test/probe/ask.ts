// Run in a namespace: asks a node through its overlay, prints whether an answer came. Arguments: VNI and hardware address.

import { askThroughOverlay } from '../../src/probe/index.ts';

const [vni = '', vtepMac = ''] = process.argv.slice(2);
const came = await askThroughOverlay(
  { address: '192.0.2.1', port: 8472, vni: Number(vni), vtepMac },
  { name: 'kubernetes.default.svc.cluster.local', dns: '10.96.0.10' },
  '192.0.2.2',
  AbortSignal.timeout(10_000),
);
process.stdout.write(String(came));
