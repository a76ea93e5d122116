// The messages of CRI v1 that k8ts uses, as tables of field numbers: `name: [number, type]`. Fields that nobody here
// reads or writes are left out; the decoder skips them. Source: k8s.io/cri-api pkg/apis/runtime/v1.

import { bool, bytes, choice, type Decoded, int, list, map, message, string } from './wire.ts';

export const Empty = message({});

export const VersionResponse = message({
  runtimeName: [2, string],
  runtimeVersion: [3, string],
  runtimeApiVersion: [4, string],
});

const Condition = message({ type: [1, string], status: [2, bool], reason: [3, string], message: [4, string] });
export const StatusRequest = message({ verbose: [1, bool] });
export const StatusResponse = message({ status: [1, message({ conditions: [1, list(Condition)] })], info: [2, map] });
export const RuntimeConfigResponse = message({
  linux: [1, message({ cgroupDriver: [1, choice('systemd', 'cgroupfs')] })],
});
export const UpdateRuntimeConfigRequest = message({
  runtimeConfig: [1, message({ networkConfig: [1, message({ podCidr: [1, string] })] })],
});

// Shared by sandboxes and containers.
const Int64Value = message({ value: [1, int] });
const NamespaceOption = message({
  network: [1, choice('pod', 'container', 'node', 'target')],
  pid: [2, choice('pod', 'container', 'node', 'target')],
  ipc: [3, choice('pod', 'container', 'node', 'target')],
  targetId: [4, string],
});
const SELinuxOption = message({ user: [1, string], role: [2, string], type: [3, string], level: [4, string] });
const SecurityProfile = message({
  profileType: [1, choice('runtimeDefault', 'unconfined', 'localhost')],
  localhostRef: [2, string],
});
const LinuxContainerResources = message({
  cpuPeriod: [1, int],
  cpuQuota: [2, int],
  cpuShares: [3, int],
  memoryLimitInBytes: [4, int],
  oomScoreAdj: [5, int],
  cpusetCpus: [6, string],
  cpusetMems: [7, string],
  unified: [9, map],
  memorySwapLimitInBytes: [10, int],
});
export type LinuxContainerResources = Decoded<typeof LinuxContainerResources>;
const ImageSpec = message({ image: [1, string], annotations: [2, map] });

// Sandboxes.
const PodSandboxMetadata = message({ name: [1, string], uid: [2, string], namespace: [3, string], attempt: [4, int] });
const PodSandboxState = choice('ready', 'notReady');
export const PodSandboxConfig = message({
  metadata: [1, PodSandboxMetadata],
  hostname: [2, string],
  logDirectory: [3, string],
  dnsConfig: [4, message({ servers: [1, list(string)], searches: [2, list(string)], options: [3, list(string)] })],
  portMappings: [
    5,
    list(
      message({
        protocol: [1, choice('TCP', 'UDP', 'SCTP')],
        containerPort: [2, int],
        hostPort: [3, int],
        hostIp: [4, string],
      }),
    ),
  ],
  labels: [6, map],
  annotations: [7, map],
  linux: [
    8,
    message({
      cgroupParent: [1, string],
      securityContext: [
        2,
        message({
          namespaceOptions: [1, NamespaceOption],
          selinuxOptions: [2, SELinuxOption],
          runAsUser: [3, Int64Value],
          readonlyRootfs: [4, bool],
          supplementalGroups: [5, list(int)],
          privileged: [6, bool],
          runAsGroup: [8, Int64Value],
          seccomp: [9, SecurityProfile],
        }),
      ],
      sysctls: [3, map],
      overhead: [4, LinuxContainerResources],
      resources: [5, LinuxContainerResources],
    }),
  ],
});
export const RunPodSandboxRequest = message({ config: [1, PodSandboxConfig], runtimeHandler: [2, string] });
export const PodSandboxId = message({ podSandboxId: [1, string] });
export const PodSandboxStatus = message({
  id: [1, string],
  metadata: [2, PodSandboxMetadata],
  state: [3, PodSandboxState],
  createdAt: [4, int],
  network: [5, message({ ip: [1, string], additionalIps: [2, list(message({ ip: [1, string] }))] })],
  linux: [6, message({ namespaces: [1, message({ options: [2, NamespaceOption] })] })],
  labels: [7, map],
  annotations: [8, map],
});
export type PodSandboxStatus = Decoded<typeof PodSandboxStatus>;
export const PodSandboxStatusResponse = message({ status: [1, PodSandboxStatus], info: [2, map] });
export const ListPodSandboxRequest = message({
  filter: [
    1,
    message({ id: [1, string], state: [2, message({ state: [1, PodSandboxState] })], labelSelector: [3, map] }),
  ],
});
export const PodSandbox = message({
  id: [1, string],
  metadata: [2, PodSandboxMetadata],
  state: [3, PodSandboxState],
  createdAt: [4, int],
  labels: [5, map],
  annotations: [6, map],
});
export type PodSandbox = Decoded<typeof PodSandbox>;
export const ListPodSandboxResponse = message({ items: [1, list(PodSandbox)] });

// Containers.
const ContainerMetadata = message({ name: [1, string], attempt: [2, int] });
const ContainerState = choice('created', 'running', 'exited', 'unknown');
const Mount = message({
  containerPath: [1, string],
  hostPath: [2, string],
  readonly: [3, bool],
  selinuxRelabel: [4, bool],
  propagation: [5, choice('private', 'hostToContainer', 'bidirectional')],
  recursiveReadOnly: [8, bool],
});
export const ContainerConfig = message({
  metadata: [1, ContainerMetadata],
  image: [2, ImageSpec],
  command: [3, list(string)],
  args: [4, list(string)],
  workingDir: [5, string],
  envs: [6, list(message({ key: [1, string], value: [2, string] }))],
  mounts: [7, list(Mount)],
  labels: [9, map],
  annotations: [10, map],
  logPath: [11, string],
  stdin: [12, bool],
  stdinOnce: [13, bool],
  tty: [14, bool],
  linux: [
    15,
    message({
      resources: [1, LinuxContainerResources],
      securityContext: [
        2,
        message({
          capabilities: [1, message({ addCapabilities: [1, list(string)], dropCapabilities: [2, list(string)] })],
          privileged: [2, bool],
          namespaceOptions: [3, NamespaceOption],
          selinuxOptions: [4, SELinuxOption],
          runAsUser: [5, Int64Value],
          runAsUsername: [6, string],
          readonlyRootfs: [7, bool],
          supplementalGroups: [8, list(int)],
          noNewPrivs: [11, bool],
          runAsGroup: [12, Int64Value],
          maskedPaths: [13, list(string)],
          readonlyPaths: [14, list(string)],
          seccomp: [15, SecurityProfile],
          apparmor: [16, SecurityProfile],
        }),
      ],
    }),
  ],
});
export const CreateContainerRequest = message({
  podSandboxId: [1, string],
  config: [2, ContainerConfig],
  sandboxConfig: [3, PodSandboxConfig],
});
export const ContainerId = message({ containerId: [1, string] });
export const StopContainerRequest = message({ containerId: [1, string], timeout: [2, int] });
export const ListContainersRequest = message({
  filter: [
    1,
    message({
      id: [1, string],
      state: [2, message({ state: [1, ContainerState] })],
      podSandboxId: [3, string],
      labelSelector: [4, map],
    }),
  ],
});
export const Container = message({
  id: [1, string],
  podSandboxId: [2, string],
  metadata: [3, ContainerMetadata],
  image: [4, ImageSpec],
  imageRef: [5, string],
  state: [6, ContainerState],
  createdAt: [7, int],
  labels: [8, map],
  annotations: [9, map],
});
export type Container = Decoded<typeof Container>;
export const ListContainersResponse = message({ containers: [1, list(Container)] });
export const ContainerStatus = message({
  id: [1, string],
  metadata: [2, ContainerMetadata],
  state: [3, ContainerState],
  createdAt: [4, int],
  startedAt: [5, int],
  finishedAt: [6, int],
  exitCode: [7, int],
  image: [8, ImageSpec],
  imageRef: [9, string],
  reason: [10, string],
  message: [11, string],
  labels: [12, map],
  annotations: [13, map],
  logPath: [15, string],
});
export type ContainerStatus = Decoded<typeof ContainerStatus>;
export const ContainerStatusRequest = message({ containerId: [1, string], verbose: [2, bool] });
export const ContainerStatusResponse = message({ status: [1, ContainerStatus], info: [2, map] });
export const UpdateContainerResourcesRequest = message({
  containerId: [1, string],
  linux: [2, LinuxContainerResources],
});

// Streams and commands.
export const ExecSyncRequest = message({ containerId: [1, string], cmd: [2, list(string)], timeout: [3, int] });
export const ExecSyncResponse = message({ stdout: [1, bytes], stderr: [2, bytes], exitCode: [3, int] });
export const ExecRequest = message({
  containerId: [1, string],
  cmd: [2, list(string)],
  tty: [3, bool],
  stdin: [4, bool],
  stdout: [5, bool],
  stderr: [6, bool],
});
export const AttachRequest = message({
  containerId: [1, string],
  stdin: [2, bool],
  tty: [3, bool],
  stdout: [4, bool],
  stderr: [5, bool],
});
export const PortForwardRequest = message({ podSandboxId: [1, string], port: [2, list(int)] });
export const StreamingUrl = message({ url: [1, string] });

// Images.
export const Image = message({
  id: [1, string],
  repoTags: [2, list(string)],
  repoDigests: [3, list(string)],
  size: [4, int],
  uid: [5, Int64Value],
  username: [6, string],
  pinned: [8, bool],
});
export type Image = Decoded<typeof Image>;
export const ListImagesResponse = message({ images: [1, list(Image)] });
export const ImageRequest = message({ image: [1, ImageSpec] });
export const ImageStatusResponse = message({ image: [1, Image], info: [2, map] });
const AuthConfig = message({
  username: [1, string],
  password: [2, string],
  auth: [3, string],
  serverAddress: [4, string],
  identityToken: [5, string],
  registryToken: [6, string],
});
export const PullImageRequest = message({
  image: [1, ImageSpec],
  auth: [2, AuthConfig],
  sandboxConfig: [3, PodSandboxConfig],
});
export const PullImageResponse = message({ imageRef: [1, string] });

// Usage.
const UInt64Value = message({ value: [1, int] });
const FilesystemUsage = message({
  timestamp: [1, int],
  fsId: [2, message({ mountpoint: [1, string] })],
  usedBytes: [3, UInt64Value],
  inodesUsed: [4, UInt64Value],
});
export type FilesystemUsage = Decoded<typeof FilesystemUsage>;
export const ImageFsInfoResponse = message({ imageFilesystems: [1, list(FilesystemUsage)] });
export const ContainerStats = message({
  attributes: [
    1,
    message({ id: [1, string], metadata: [2, ContainerMetadata], labels: [3, map], annotations: [4, map] }),
  ],
  cpu: [2, message({ timestamp: [1, int], usageCoreNanoSeconds: [2, UInt64Value], usageNanoCores: [3, UInt64Value] })],
  memory: [
    3,
    message({
      timestamp: [1, int],
      workingSetBytes: [2, UInt64Value],
      availableBytes: [3, UInt64Value],
      usageBytes: [4, UInt64Value],
      rssBytes: [5, UInt64Value],
      pageFaults: [6, UInt64Value],
      majorPageFaults: [7, UInt64Value],
    }),
  ],
  writableLayer: [4, FilesystemUsage],
});
export type ContainerStats = Decoded<typeof ContainerStats>;
export const ContainerStatsResponse = message({ stats: [1, ContainerStats] });
export const ListContainerStatsRequest = message({
  filter: [1, message({ id: [1, string], podSandboxId: [2, string], labelSelector: [3, map] })],
});
export const ListContainerStatsResponse = message({ stats: [1, list(ContainerStats)] });

// Events: CRI's own (containerd 1.7 and later, CRI-O), and containerd's events service for older ones.
export const ContainerEvent = message({
  containerId: [1, string],
  containerEventType: [2, choice('created', 'started', 'stopped', 'deleted')],
});
export const SubscribeRequest = message({ filters: [1, list(string)] });
export const Envelope = message({
  namespace: [2, string],
  topic: [3, string],
  event: [4, message({ typeUrl: [1, string], value: [2, bytes] })],
});
/** TaskStart, TaskExit, TaskDelete and TaskOOM all have the container's id in field 1. */
export const TaskEvent = message({ containerId: [1, string] });
