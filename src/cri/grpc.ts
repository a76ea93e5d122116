// Cri over the runtime's unix socket. The methods table names each call with its messages; the functions below only
// unwrap them. "Not found" is an answer for status calls and success for stop and remove, which are to be idempotent.

import { codeOf } from '../base/index.ts';
import { type CallOptions, createChannel, type Method } from './channel.ts';
import type { ContainerFilter, Cri, SandboxFilter } from './cri.ts';
import { criError } from './errors.ts';
import { runtimeEvents } from './events.ts';
import * as m from './messages.ts';
import type { Encodable, Message } from './wire.ts';

function method<Request, Response>(
  service: 'Runtime' | 'Image',
  name: string,
  request: Message<Request>,
  response: Message<Response>,
): Method<Request, Response> {
  return { path: `/runtime.v1.${service}Service/${name}`, request, response };
}

const methods = {
  version: method('Runtime', 'Version', m.Empty, m.VersionResponse),
  status: method('Runtime', 'Status', m.StatusRequest, m.StatusResponse),
  runtimeConfig: method('Runtime', 'RuntimeConfig', m.Empty, m.RuntimeConfigResponse),
  updateRuntimeConfig: method('Runtime', 'UpdateRuntimeConfig', m.UpdateRuntimeConfigRequest, m.Empty),
  runPodSandbox: method('Runtime', 'RunPodSandbox', m.RunPodSandboxRequest, m.PodSandboxId),
  stopPodSandbox: method('Runtime', 'StopPodSandbox', m.PodSandboxId, m.Empty),
  removePodSandbox: method('Runtime', 'RemovePodSandbox', m.PodSandboxId, m.Empty),
  podSandboxStatus: method('Runtime', 'PodSandboxStatus', m.PodSandboxId, m.PodSandboxStatusResponse),
  listPodSandbox: method('Runtime', 'ListPodSandbox', m.ListPodSandboxRequest, m.ListPodSandboxResponse),
  createContainer: method('Runtime', 'CreateContainer', m.CreateContainerRequest, m.ContainerId),
  startContainer: method('Runtime', 'StartContainer', m.ContainerId, m.Empty),
  stopContainer: method('Runtime', 'StopContainer', m.StopContainerRequest, m.Empty),
  removeContainer: method('Runtime', 'RemoveContainer', m.ContainerId, m.Empty),
  listContainers: method('Runtime', 'ListContainers', m.ListContainersRequest, m.ListContainersResponse),
  containerStatus: method('Runtime', 'ContainerStatus', m.ContainerStatusRequest, m.ContainerStatusResponse),
  containerStats: method('Runtime', 'ContainerStats', m.ContainerId, m.ContainerStatsResponse),
  listContainerStats: method(
    'Runtime',
    'ListContainerStats',
    m.ListContainerStatsRequest,
    m.ListContainerStatsResponse,
  ),
  updateContainerResources: method('Runtime', 'UpdateContainerResources', m.UpdateContainerResourcesRequest, m.Empty),
  reopenContainerLog: method('Runtime', 'ReopenContainerLog', m.ContainerId, m.Empty),
  execSync: method('Runtime', 'ExecSync', m.ExecSyncRequest, m.ExecSyncResponse),
  exec: method('Runtime', 'Exec', m.ExecRequest, m.StreamingUrl),
  attach: method('Runtime', 'Attach', m.AttachRequest, m.StreamingUrl),
  portForward: method('Runtime', 'PortForward', m.PortForwardRequest, m.StreamingUrl),
  pullImage: method('Image', 'PullImage', m.PullImageRequest, m.PullImageResponse),
  listImages: method('Image', 'ListImages', m.Empty, m.ListImagesResponse),
  imageStatus: method('Image', 'ImageStatus', m.ImageRequest, m.ImageStatusResponse),
  removeImage: method('Image', 'RemoveImage', m.ImageRequest, m.Empty),
  imageFsInfo: method('Image', 'ImageFsInfo', m.Empty, m.ImageFsInfoResponse),
} as const;

/** Calls that only read answer at once; those that start or stop something may wait for disk, network or processes. */
const readTimeout = 10_000;
const workTimeout = 120_000;

/** @param socket `unix:///run/containerd/containerd.sock`, or the path alone. Connects at the first call. */
export function createCri(socket: string): Cri {
  const path = socket.replace(/^unix:\/\//, '');
  const channel = createChannel(path);

  async function call<Request, Response>(
    name: Method<Request, Response>,
    request: Encodable<Request>,
    options: CallOptions = {},
  ): Promise<Response> {
    try {
      return await channel.call(name, request, options);
    } catch (error) {
      throw criError(error, name.path.slice(name.path.lastIndexOf('/') + 1), path);
    }
  }
  const read = <Request, Response>(
    name: Method<Request, Response>,
    request: Encodable<Request>,
    signal?: AbortSignal,
  ) => call(name, request, { signal, timeout: readTimeout });
  const work = <Request, Response>(
    name: Method<Request, Response>,
    request: Encodable<Request>,
    signal?: AbortSignal,
  ) => call(name, request, { signal, timeout: workTimeout });

  const readConfig = async (signal?: AbortSignal): Promise<ContainerdConfig> =>
    JSON.parse((await read(methods.status, { verbose: true }, signal)).info['config'] ?? '{}') as ContainerdConfig;

  return {
    version: (signal) => read(methods.version, {}, signal),
    async status(signal) {
      const { status } = await read(methods.status, {}, signal);
      return { conditions: status?.conditions ?? [] };
    },
    async cgroupDriver(signal) {
      try {
        const { linux } = await read(methods.runtimeConfig, {}, signal);
        return linux?.cgroupDriver ?? 'systemd';
      } catch (error) {
        if (codeOf(error) !== 'CRI_UNIMPLEMENTED') throw error;
      }
      return driverIn(await readConfig(signal));
    },
    sandboxImage: async (signal) => sandboxImageIn(await readConfig(signal)),
    async updateRuntimeConfig(podCidr, signal) {
      await read(methods.updateRuntimeConfig, { runtimeConfig: { networkConfig: { podCidr } } }, signal);
    },

    async runPodSandbox(config, { runtimeHandler, signal } = {}) {
      return (await work(methods.runPodSandbox, { config, runtimeHandler }, signal)).podSandboxId;
    },
    stopPodSandbox: (id, signal) => unlessGone(work(methods.stopPodSandbox, { podSandboxId: id }, signal)),
    removePodSandbox: (id, signal) => unlessGone(work(methods.removePodSandbox, { podSandboxId: id }, signal)),
    podSandboxStatus: async (id, signal) =>
      (await ifFound(read(methods.podSandboxStatus, { podSandboxId: id }, signal)))?.status,
    listPodSandbox: async (filter = {}, signal) =>
      (await read(methods.listPodSandbox, { filter: sandboxFilter(filter) }, signal)).items,

    async createContainer(podSandboxId, config, sandboxConfig, signal) {
      return (await work(methods.createContainer, { podSandboxId, config, sandboxConfig }, signal)).containerId;
    },
    async startContainer(id, signal) {
      await work(methods.startContainer, { containerId: id }, signal);
    },
    stopContainer: (id, timeout, signal) =>
      unlessGone(
        call(methods.stopContainer, { containerId: id, timeout }, { signal, timeout: timeout * 1000 + workTimeout }),
      ),
    removeContainer: (id, signal) => unlessGone(work(methods.removeContainer, { containerId: id }, signal)),
    listContainers: async (filter = {}, signal) =>
      (await read(methods.listContainers, { filter: containerFilter(filter) }, signal)).containers,
    containerStatus: async (id, signal) =>
      (await ifFound(read(methods.containerStatus, { containerId: id }, signal)))?.status,
    containerStats: async (id, signal) =>
      (await ifFound(read(methods.containerStats, { containerId: id }, signal)))?.stats,
    listContainerStats: async (filter = {}, signal) =>
      (await read(methods.listContainerStats, { filter: containerFilter(filter) }, signal)).stats,
    async updateContainerResources(id, linux, signal) {
      await work(methods.updateContainerResources, { containerId: id, linux }, signal);
    },
    async reopenContainerLog(id, signal) {
      await read(methods.reopenContainerLog, { containerId: id }, signal);
    },

    execSync: (id, cmd, timeout, signal) =>
      call(
        methods.execSync,
        { containerId: id, cmd, timeout },
        { signal, timeout: timeout === 0 ? undefined : timeout * 1000 + readTimeout },
      ),
    exec: async (options, signal) => (await read(methods.exec, options, signal)).url,
    attach: async (options, signal) => (await read(methods.attach, options, signal)).url,
    portForward: async (podSandboxId, port, signal) =>
      (await read(methods.portForward, { podSandboxId, port }, signal)).url,

    async pullImage(image, { auth, signal } = {}) {
      return (await call(methods.pullImage, { image: { image }, auth }, { signal })).imageRef;
    },
    listImages: async (signal) => (await read(methods.listImages, {}, signal)).images,
    imageStatus: async (image, signal) => (await read(methods.imageStatus, { image: { image } }, signal)).image,
    removeImage: (image, signal) => unlessGone(work(methods.removeImage, { image: { image } }, signal)),
    imageFsInfo: async (signal) => (await read(methods.imageFsInfo, {}, signal)).imageFilesystems,

    events: (signal) => runtimeEvents(channel, path, signal),
    async close() {
      channel.close();
    },
  };
}

function sandboxFilter({ id, labels }: SandboxFilter) {
  return { id, labelSelector: labels };
}

function containerFilter({ podSandboxId, ...filter }: ContainerFilter) {
  return { ...sandboxFilter(filter), podSandboxId };
}

async function ifFound<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (codeOf(error) === 'CRI_NOT_FOUND') return undefined;
    throw error;
  }
}

async function unlessGone(answer: Promise<unknown>): Promise<void> {
  await ifFound(answer);
}

/** What is of interest in containerd's own configuration, as a verbose Status shows it. */
interface ContainerdConfig {
  readonly containerd?: {
    readonly defaultRuntimeName?: string;
    readonly runtimes?: Readonly<Record<string, { readonly options?: { readonly SystemdCgroup?: boolean } }>>;
  };
  readonly sandboxImage?: string;
  /** containerd 2 */
  readonly pinnedImages?: { readonly sandbox?: string };
}

function driverIn({ containerd }: ContainerdConfig): 'systemd' | 'cgroupfs' {
  const runtime = containerd?.runtimes?.[containerd.defaultRuntimeName ?? 'runc'];
  return runtime?.options?.SystemdCgroup === true ? 'systemd' : 'cgroupfs';
}

function sandboxImageIn({ sandboxImage, pinnedImages }: ContainerdConfig): string | undefined {
  return sandboxImage ?? pinnedImages?.sandbox;
}
