// Run in namespaces of its own: gathers the facts of the machine as it sees it there, and prints what is found as JSON.

import { createCri } from '../../src/cri/index.ts';
import { createLocalHost } from '../../src/host/index.ts';
import { checks, gatherFacts, judge } from '../../src/preflight/index.ts';

const criSocket = 'unix:///nonexistent.sock';
const cri = createCri(criSocket);
const facts = await gatherFacts(createLocalHost(), cri, {
  role: 'control-plane',
  nodeName: 'localhost',
  nodeIp: '192.0.2.10',
  apiHost: '192.0.2.10',
  criSocket,
  podCidr: '10.244.0.0/16',
  serviceCidr: '10.96.0.0/12',
  ports: [6443, 10250],
  overlayPort: 8472,
  cniBinDirs: ['/usr/lib/cni'],
  ownPids: [],
  isMember: false,
});
await cri.close();
process.stdout.write(JSON.stringify(judge(facts, [], checks)));
