// securityContext of pod and container as CRI takes it. Pure.
// Source: kubernetes.io/docs/tasks/configure-pod-container/security-context, pkg/kubelet/kuberuntime/security_context.go.

import type { Container, Pod } from '../../api/index.ts';
import type { ContainerConfig, Image, PodSandboxConfig } from '../../cri/index.ts';
import { ContainerConfigError } from './env.ts';
import { allContainers } from './identity.ts';

type SandboxSecurity = NonNullable<NonNullable<PodSandboxConfig['linux']>['securityContext']>;
type ContainerSecurity = NonNullable<NonNullable<ContainerConfig['linux']>['securityContext']>;
type Profile = { readonly type?: string; readonly localhostProfile?: string } | undefined;

export function sandboxSecurity(pod: Pod): SandboxSecurity {
  const { securityContext = {} } = pod.spec ?? {};
  const { runAsUser, runAsGroup } = securityContext;
  return {
    privileged: allContainers(pod).some((container) => container.securityContext?.privileged === true),
    seccomp: profileOf({ type: 'RuntimeDefault' }),
    namespaceOptions: namespaces(pod),
    ...(runAsUser === undefined ? {} : { runAsUser: { value: runAsUser } }),
    ...(runAsUser === undefined || runAsGroup === undefined ? {} : { runAsGroup: { value: runAsGroup } }),
    supplementalGroups: podGroups(pod),
  };
}

export interface SecurityParts {
  /** Whose user the process gets when the spec names none. */
  readonly image: Image;
  /** The container whose processes a debug container sees. */
  readonly targetId: string | undefined;
}

/** Throws ContainerConfigError. */
export function containerSecurity(
  pod: Pod,
  container: Container,
  { image, targetId }: SecurityParts,
): ContainerSecurity {
  const own = container.securityContext ?? {};
  const ofPod = pod.spec?.securityContext ?? {};
  const runAsUser = own.runAsUser ?? ofPod.runAsUser ?? image.uid?.value;
  const runAsGroup = own.runAsGroup ?? ofPod.runAsGroup;
  const { privileged = false, capabilities = {} } = own;
  const apparmor = own.appArmorProfile ?? ofPod.appArmorProfile;
  if (own.runAsNonRoot ?? ofPod.runAsNonRoot ?? false) checkNonRoot(runAsUser, image);
  return {
    capabilities: {
      addCapabilities: capabilities.add ?? [],
      dropCapabilities: capabilities.drop ?? [],
    },
    privileged,
    namespaceOptions: targetId === undefined ? namespaces(pod) : { ...namespaces(pod), pid: 'target', targetId },
    ...(runAsUser === undefined ? { runAsUsername: image.username } : { runAsUser: { value: runAsUser } }),
    ...(runAsGroup === undefined ? {} : { runAsGroup: { value: runAsGroup } }),
    readonlyRootfs: own.readOnlyRootFilesystem ?? false,
    supplementalGroups: podGroups(pod),
    noNewPrivs: own.allowPrivilegeEscalation === false && !privileged,
    maskedPaths: own.procMount === 'Unmasked' || privileged ? [] : maskedPaths,
    readonlyPaths: own.procMount === 'Unmasked' || privileged ? [] : readonlyPaths,
    seccomp: privileged ? profileOf(undefined) : profileOf(own.seccompProfile ?? ofPod.seccompProfile),
    // Left out, the runtime uses its default where the kernel has AppArmor; named, it fails where there is none.
    ...(apparmor === undefined ? {} : { apparmor: profileOf(apparmor) }),
  };
}

function checkNonRoot(uid: number | undefined, image: Image): void {
  if (uid === 0) throw new ContainerConfigError("container's runAsUser breaks non-root policy");
  if (uid !== undefined) return;
  if (image.username === '') {
    throw new ContainerConfigError('container has runAsNonRoot and image will run as root');
  }
  throw new ContainerConfigError(
    `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root`,
  );
}

function namespaces(pod: Pod): NonNullable<SandboxSecurity['namespaceOptions']> {
  const { hostNetwork = false, hostPID = false, hostIPC = false, shareProcessNamespace = false } = pod.spec ?? {};
  return {
    network: hostNetwork ? 'node' : 'pod',
    pid: hostPID ? 'node' : shareProcessNamespace ? 'pod' : 'container',
    ipc: hostIPC ? 'node' : 'pod',
  };
}

function podGroups(pod: Pod): readonly number[] {
  const { fsGroup, supplementalGroups = [] } = pod.spec?.securityContext ?? {};
  return fsGroup === undefined ? supplementalGroups : [fsGroup, ...supplementalGroups];
}

function profileOf(profile: Profile): NonNullable<ContainerSecurity['seccomp']> {
  if (profile?.type === 'RuntimeDefault') return { profileType: 'runtimeDefault' };
  if (profile?.type !== 'Localhost') return { profileType: 'unconfined' };
  return { profileType: 'localhost', localhostRef: profile.localhostProfile ?? '' };
}

const maskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
] as const;

const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'] as const;
