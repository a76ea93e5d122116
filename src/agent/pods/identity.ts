// How a sandbox or container in the runtime is known to be a pod's: labels and annotations written when it is made and
// read when the agent starts again. The names are the kubelet's, because crictl, log shippers and monitoring read them.

import { createHash } from 'node:crypto';
import type { Container, Pod } from '../../api/index.ts';
import type { PodName } from '../paths.ts';

export const labelNames = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  container: 'io.kubernetes.container.name',
} as const;

export const annotationNames = {
  hash: 'io.kubernetes.container.hash',
  restartCount: 'io.kubernetes.container.restartCount',
  terminationPath: 'io.kubernetes.container.terminationMessagePath',
  terminationPolicy: 'io.kubernetes.container.terminationMessagePolicy',
  podGracePeriod: 'io.kubernetes.pod.terminationGracePeriod',
} as const;

export function nameOf(pod: Pod): PodName {
  const { namespace = 'default', name = '', uid = '' } = pod.metadata ?? {};
  return { namespace, name, uid };
}

export function podLabels(pod: Pod): Record<string, string> {
  const { namespace, name, uid } = nameOf(pod);
  return {
    ...pod.metadata?.labels,
    [labelNames.podName]: name,
    [labelNames.podNamespace]: namespace,
    [labelNames.podUid]: uid,
  };
}

/** Changes when a running container no longer is what its spec says. As in the kubelet only the image can change. */
export function specHash(container: Pick<Container, 'name' | 'image'>): string {
  return createHash('sha256')
    .update(JSON.stringify([container.name, container.image]))
    .digest('hex')
    .slice(0, 8);
}

export function podOfLabels(labels: Readonly<Record<string, string>>): PodName | undefined {
  const uid = labels[labelNames.podUid];
  if (uid === undefined) return undefined;
  return { uid, name: labels[labelNames.podName] ?? '', namespace: labels[labelNames.podNamespace] ?? '' };
}

/** Init containers, containers and debug containers, in the order they are started. */
export function allContainers(pod: Pod): readonly Container[] {
  return [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? []), ...ephemeralContainers(pod)];
}

/** The containers that kubectl debug adds: as any other, without ports, resources, probes and hooks. */
export function ephemeralContainers(pod: Pod): readonly Container[] {
  return pod.spec?.ephemeralContainers ?? [];
}

/** An init container that stays: started in its turn, then kept running beside the others (KEP-753). */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}
