// The container runtime's socket (CRI v1 over gRPC) behind one interface. Implementations: grpc (containerd and others),
// fake (tests). Field names are the proto's in camelCase, times are nanoseconds since the epoch, absent fields hold
// proto3's defaults. Source: k8s.io/cri-api runtime/v1 api.proto.

import type {
  Container,
  ContainerConfig as ContainerConfigMessage,
  ContainerStats,
  ContainerStatus,
  FilesystemUsage,
  Image,
  LinuxContainerResources,
  PodSandbox,
  PodSandboxConfig as PodSandboxConfigMessage,
  PodSandboxStatus,
  PullImageRequest,
} from './messages.ts';
import type { Decoded, Encodable } from './wire.ts';

export type { Container, ContainerStats, ContainerStatus, FilesystemUsage, Image, PodSandbox, PodSandboxStatus };

export interface RuntimeVersion {
  readonly runtimeName: string;
  readonly runtimeVersion: string;
  readonly runtimeApiVersion: string;
}

export interface RuntimeCondition {
  /** RuntimeReady and NetworkReady are always there. */
  readonly type: string;
  readonly status: boolean;
  readonly reason: string;
  readonly message: string;
}

export type CgroupDriver = 'cgroupfs' | 'systemd';
export type PodSandboxConfig = Encodable<Decoded<typeof PodSandboxConfigMessage>>;
export type ContainerConfig = Encodable<Decoded<typeof ContainerConfigMessage>>;
export type ContainerResources = Encodable<LinuxContainerResources>;
export type RegistryAuth = NonNullable<Encodable<Decoded<typeof PullImageRequest>>['auth']>;

/** Every condition that is given must hold; labels are compared for equality. */
export interface SandboxFilter {
  readonly id?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface ContainerFilter extends SandboxFilter {
  readonly podSandboxId?: string;
}

export interface ExecOptions {
  readonly containerId: string;
  readonly cmd: readonly string[];
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export interface ExecResult {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly exitCode: number;
}

/** Something happened to a container or to a sandbox's own process: look at it again. */
export interface RuntimeEvent {
  readonly type: 'created' | 'started' | 'stopped' | 'deleted' | 'oom';
  /** A container's or a sandbox's id. */
  readonly id: string;
}

/**
 * Every call rejects with a CodedError: CRI_SOCKET_ABSENT, CRI_NOT_RUNNING, CRI_PERMISSION, CRI_PLUGIN_DISABLED,
 * CRI_UNIMPLEMENTED, CRI_TIMEOUT, CRI_NOT_FOUND, CRI_CONNECTION_LOST, or CRI_CALL_FAILED with the runtime's own message.
 */
export interface Cri {
  version(signal?: AbortSignal): Promise<RuntimeVersion>;
  status(signal?: AbortSignal): Promise<{ readonly conditions: readonly RuntimeCondition[] }>;
  /** From RuntimeConfig, or from the runtime's own configuration where that call is missing (containerd 1.6). */
  cgroupDriver(signal?: AbortSignal): Promise<CgroupDriver>;
  /** The image that its sandboxes start from, by name; undefined where the runtime does not say (CRI-O). */
  sandboxImage(signal?: AbortSignal): Promise<string | undefined>;
  updateRuntimeConfig(podCidr: string, signal?: AbortSignal): Promise<void>;

  /** Answers the sandbox's id once its network is up. */
  runPodSandbox(
    config: PodSandboxConfig,
    options?: { readonly runtimeHandler?: string; readonly signal?: AbortSignal },
  ): Promise<string>;
  /** Kills the sandbox's containers and takes its network down. Not an error when it is stopped or gone. */
  stopPodSandbox(id: string, signal?: AbortSignal): Promise<void>;
  /** Not an error when it is gone. */
  removePodSandbox(id: string, signal?: AbortSignal): Promise<void>;
  podSandboxStatus(id: string, signal?: AbortSignal): Promise<PodSandboxStatus | undefined>;
  listPodSandbox(filter?: SandboxFilter, signal?: AbortSignal): Promise<readonly PodSandbox[]>;

  createContainer(
    sandboxId: string,
    config: ContainerConfig,
    sandboxConfig: PodSandboxConfig,
    signal?: AbortSignal,
  ): Promise<string>;
  startContainer(id: string, signal?: AbortSignal): Promise<void>;
  /** SIGTERM (or the image's stop signal), then SIGKILL after `timeout` seconds. Resolves once it has exited or is gone. */
  stopContainer(id: string, timeout: number, signal?: AbortSignal): Promise<void>;
  /** Not an error when it is gone. */
  removeContainer(id: string, signal?: AbortSignal): Promise<void>;
  listContainers(filter?: ContainerFilter, signal?: AbortSignal): Promise<readonly Container[]>;
  containerStatus(id: string, signal?: AbortSignal): Promise<ContainerStatus | undefined>;
  containerStats(id: string, signal?: AbortSignal): Promise<ContainerStats | undefined>;
  listContainerStats(filter?: ContainerFilter, signal?: AbortSignal): Promise<readonly ContainerStats[]>;
  updateContainerResources(id: string, resources: ContainerResources, signal?: AbortSignal): Promise<void>;
  /** Makes the runtime open its log file anew, after a rotation. */
  reopenContainerLog(id: string, signal?: AbortSignal): Promise<void>;

  /** @param timeout seconds; 0 is without end. CodedError CRI_TIMEOUT when it is over. */
  execSync(id: string, cmd: readonly string[], timeout: number, signal?: AbortSignal): Promise<ExecResult>;
  /** exec, attach and portForward answer the URL of the runtime's streaming server, to be used once. */
  exec(options: ExecOptions, signal?: AbortSignal): Promise<string>;
  attach(options: Omit<ExecOptions, 'cmd'>, signal?: AbortSignal): Promise<string>;
  portForward(sandboxId: string, ports: readonly number[], signal?: AbortSignal): Promise<string>;

  /** Answers the reference to run containers from. */
  pullImage(image: string, options?: { readonly auth?: RegistryAuth; readonly signal?: AbortSignal }): Promise<string>;
  listImages(signal?: AbortSignal): Promise<readonly Image[]>;
  /** undefined when the image is not on this machine. */
  imageStatus(image: string, signal?: AbortSignal): Promise<Image | undefined>;
  removeImage(image: string, signal?: AbortSignal): Promise<void>;
  imageFsInfo(signal?: AbortSignal): Promise<readonly FilesystemUsage[]>;

  /** Ends when `signal` aborts; rejects when the connection breaks: subscribe again and list what is there. */
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent>;
  close(): Promise<void>;
}
