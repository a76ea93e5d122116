// Finds out before anything is changed whether this machine can be a master.

import { runPreflight } from '../bootstrap/index.ts';
import type { Phase } from '../workflow/index.ts';
import type { InitContext } from './context.ts';

export const preflight: Phase<InitContext> = {
  name: 'preflight',
  title: 'Checking this machine',
  run: async ({ host, services, config, ignoredChecks, fix, say }, { signal }) =>
    runPreflight(
      {
        host,
        services,
        role: 'control-plane',
        nodeName: config.node.name,
        nodeIp: config.node.ip,
        apiHost: config.cluster.controlPlaneEndpoint.replace(/:\d+$/, ''),
        criSocket: config.node.criSocket,
        podCidr: config.cluster.podCidr,
        serviceCidr: config.cluster.serviceCidr,
        ports: [config.bindPort, 10250],
        overlayPort: config.cluster.overlay.port,
        ignored: ignoredChecks,
        fix,
        say,
      },
      signal,
    ),
};
