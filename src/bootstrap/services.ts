// The two services of a machine, as systemd or the supervisor is told about them.

import { agentConfigPath, agentService, kubernetesDir, serverConfigPath, serverService } from '../config/index.ts';
import type { ServiceSpec } from '../host/index.ts';

/** @param program node and the k8ts script, both absolute */
export function serverServiceSpec(program: readonly string[]): ServiceSpec {
  return {
    name: serverService,
    description: 'k8ts control plane: API server, controllers, scheduler',
    command: [...program, 'run', 'server', '--config', serverConfigPath],
    environment: { NODE_ENV: 'production' },
    writablePaths: [kubernetesDir, '/var/lib/k8ts'],
  };
}

export function agentServiceSpec(program: readonly string[]): ServiceSpec {
  return {
    name: agentService,
    description: 'k8ts node agent: pods, overlay network, service proxy, DNS',
    command: [...program, 'run', 'agent', '--config', agentConfigPath],
    environment: { NODE_ENV: 'production' },
    after: ['containerd.service'],
  };
}
