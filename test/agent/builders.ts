// Small makers of the things that the agent's pure parts take.

import { specHash } from '../../src/agent/pods/identity.ts';
import type { RuntimeContainer, RuntimePod } from '../../src/agent/pods/observe.ts';
import type { PodView } from '../../src/agent/pods/plan.ts';
import type { Container, Pod } from '../../src/api/index.ts';

export type Spec = NonNullable<Pod['spec']>;

export function container(name = 'main', more: Partial<Container> = {}): Container {
  return { name, image: 'app:1', ...more };
}

export function pod(spec: Partial<Spec> = {}, more: Omit<Pod, 'spec'> = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    ...more,
    metadata: { name: 'p', namespace: 'ns', uid: 'u1', ...more.metadata },
    spec: { containers: [container()], ...spec },
  };
}

/** What the runtime holds: a ready sandbox `s0` and containers, newest first. */
export function runtime(containers: readonly RuntimeContainer[] = [], more: Partial<RuntimePod> = {}): RuntimePod {
  return {
    sandboxes: [{ id: 's0', attempt: 0, createdAt: 500, ready: true, ips: ['10.0.0.2'], hostNetwork: false }],
    containers,
    ...more,
  };
}

export function running(name = 'main', more: Partial<RuntimeContainer> = {}): RuntimeContainer {
  return {
    id: `${name}-${more.restartCount ?? 0}`,
    sandboxId: 's0',
    name,
    attempt: more.restartCount ?? 0,
    state: 'running',
    createdAt: 1000,
    startedAt: 2000,
    finishedAt: 0,
    exitCode: 0,
    reason: '',
    message: '',
    image: 'app:1',
    imageId: 'sha256:1',
    hash: specHash(container(name)),
    restartCount: 0,
    logPath: '/var/log/x',
    annotations: {},
    ...more,
  };
}

export function exited(name: string, exitCode: number, more: Partial<RuntimeContainer> = {}): RuntimeContainer {
  return running(name, { state: 'exited', exitCode, finishedAt: 10_000, ...more });
}

/** A pod as planPod sees it: nothing is under way, nothing keeps anything back. */
export function view(more: Partial<PodView>): PodView {
  return {
    pod: pod(),
    runtime: runtime(),
    now: 20_000,
    ending: undefined,
    volumesMounted: true,
    starting: false,
    stopping: new Map(),
    backoff: () => undefined,
    retryAt: () => 0,
    health: () => ({ startup: undefined, liveness: undefined }),
    postStarted: () => true,
    applied: () => undefined,
    ...more,
  };
}
