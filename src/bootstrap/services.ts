// The two services of a machine, as systemd or the supervisor is told about them.

import { agentConfigPath, agentService, kubernetesDir, serverConfigPath, serverService } from '../config/index.ts';
import type { ServiceSpec } from '../host/index.ts';

/** Freed memory is given back to the kernel in small pieces: an agent is 6 MB smaller, a busy server 50. As in bin/k8ts. */
const leanMalloc = { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: '65536' };

/**
 * An agent is on every machine and mostly idle, so its memory counts for more than its speed: garbage of up to 1 MB before
 * V8 looks (7 MB less). bench/node measures it.
 */
function lean([node = '', ...script]: readonly string[], ...args: readonly string[]): readonly string[] {
  const inherited = script.filter((arg) => !arg.startsWith('--max-semi-space-size=')); // V8 takes the last one
  return [node, '--max-semi-space-size=1', ...inherited, ...args];
}

/**
 * @param program node and the k8ts script, both absolute
 * @param folders where it writes besides: the datastore's, the audit log's
 */
export function serverServiceSpec(program: readonly string[], folders: readonly string[]): ServiceSpec {
  return {
    name: serverService,
    description: 'k8ts control plane: API server, controllers, scheduler',
    command: [...program, 'run', 'server', '--config', serverConfigPath],
    environment: { NODE_ENV: 'production', ...leanMalloc },
    writablePaths: [...new Set([kubernetesDir, '/var/lib/k8ts', ...folders])],
  };
}

export function agentServiceSpec(program: readonly string[]): ServiceSpec {
  return {
    name: agentService,
    description: 'k8ts node agent: pods, overlay network, service proxy, DNS',
    command: lean(program, 'run', 'agent', '--config', agentConfigPath),
    environment: { NODE_ENV: 'production', ...leanMalloc },
    after: ['containerd.service'],
  };
}
