// A container of a pod as the runtime takes it. Pure: mounts, environment and image have been worked out before.

import type { Container, Pod } from '../../api/index.ts';
import type { ContainerConfig, Image } from '../../cri/index.ts';
import { type EnvVar, expand } from './env.ts';
import { annotationNames, labelNames, nameOf, specHash } from './identity.ts';
import { containerResources, type NodeKernel } from './resources.ts';
import { containerSecurity } from './security.ts';

export interface ContainerParts {
  /** Counts up over all sandboxes of the pod; also the attempt number and the log file's name. */
  readonly restartCount: number;
  readonly image: Image;
  readonly env: readonly EnvVar[];
  readonly mounts: NonNullable<ContainerConfig['mounts']>;
  readonly kernel: NodeKernel;
  readonly targetId: string | undefined;
}

export const defaultTerminationPath = '/dev/termination-log';

/** Throws ContainerConfigError. */
export function containerConfig(pod: Pod, container: Container, parts: ContainerParts): ContainerConfig {
  const { restartCount, image, env, mounts, kernel, targetId } = parts;
  const name = nameOf(pod);
  const values = new Map(env.map(({ key, value }) => [key, value]));
  const expanded = (list: readonly string[] = []): string[] =>
    list.map((text) => expand(text, (key) => values.get(key)));
  return {
    metadata: { name: container.name, attempt: restartCount },
    image: { image: image.id },
    command: expanded(container.command),
    args: expanded(container.args),
    workingDir: container.workingDir ?? '',
    envs: env,
    mounts,
    labels: {
      [labelNames.podName]: name.name,
      [labelNames.podNamespace]: name.namespace,
      [labelNames.podUid]: name.uid,
      [labelNames.container]: container.name,
    },
    annotations: {
      [annotationNames.hash]: specHash(container),
      [annotationNames.restartCount]: String(restartCount),
      [annotationNames.terminationPath]: container.terminationMessagePath ?? defaultTerminationPath,
      [annotationNames.terminationPolicy]: container.terminationMessagePolicy ?? 'File',
      [annotationNames.podGracePeriod]: String(pod.spec?.terminationGracePeriodSeconds ?? 30),
    },
    logPath: `${container.name}/${restartCount}.log`,
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    linux: {
      resources: containerResources(pod, container, kernel),
      securityContext: containerSecurity(pod, container, { image, targetId }),
    },
  };
}
