// A container runtime in memory, for tests: sandboxes and containers with the states, errors and events that a real one
// has, and no processes. A container runs until the test calls exit, stopContainer or stopPodSandbox.
// The contract suite (test/contract/cri.ts) holds it and the real runtime to the same behaviour.

import { CodedError } from '../base/index.ts';
import type {
  Container,
  ContainerConfig,
  ContainerStatus,
  Cri,
  ExecResult,
  Image,
  PodSandboxConfig,
  PodSandboxStatus,
  RuntimeCondition,
  RuntimeEvent,
} from './cri.ts';

export interface FakeCri extends Cri {
  /** The container's process ends. */
  exit(id: string, exitCode: number, reason?: string): void;
  /** Puts an image on the machine. */
  addImage(tag: string, size?: number): Image;
  /** The next calls of this name reject with `error`, until it is undefined. */
  fail(call: keyof Cri, error: Error | undefined): void;
  setConditions(conditions: readonly RuntimeCondition[]): void;
  /** Answers execSync; default exit code 0 and no output. */
  onExec(run: (id: string, cmd: readonly string[]) => ExecResult): void;
  /** Every call so far that changed something, as `name id`. */
  readonly calls: readonly string[];
  configOf(containerId: string): ContainerConfig;
  sandboxConfigOf(sandboxId: string): PodSandboxConfig;
}

interface FakeContainer {
  readonly config: ContainerConfig;
  readonly sandboxId: string;
  status: ContainerStatus;
}

interface FakeSandbox {
  readonly config: PodSandboxConfig;
  status: PodSandboxStatus;
}

const readyConditions: readonly RuntimeCondition[] = [
  { type: 'RuntimeReady', status: true, reason: '', message: '' },
  { type: 'NetworkReady', status: true, reason: '', message: '' },
];

export function createFakeCri(): FakeCri {
  const sandboxes = new Map<string, FakeSandbox>();
  const containers = new Map<string, FakeContainer>();
  const images = new Map<string, Image>();
  const failing = new Map<string, Error>();
  const calls: string[] = [];
  const listeners = new Set<(event: RuntimeEvent) => void>();
  let conditions = readyConditions;
  let runExec: (id: string, cmd: readonly string[]) => ExecResult = () => ({
    stdout: new Uint8Array(),
    stderr: new Uint8Array(),
    exitCode: 0,
  });
  let count = 0;

  const newId = (): string => {
    count += 1;
    return count.toString(16).padStart(64, '0');
  };
  const now = (): number => Date.now() * 1e6;
  const emit = (type: RuntimeEvent['type'], id: string): void => {
    for (const listener of listeners) listener({ type, id });
  };
  const begin = (call: keyof Cri, id?: string): void => {
    if (id !== undefined) calls.push(`${call} ${id}`);
    const error = failing.get(call);
    if (error !== undefined) throw error;
  };
  const notFound = (what: string, id: string): CodedError =>
    new CodedError('CRI_NOT_FOUND', `an error occurred when try to find ${what} "${id}": not found`);
  const containerOf = (id: string): FakeContainer => {
    const container = containers.get(id);
    if (container === undefined) throw notFound('container', id);
    return container;
  };
  const sandboxOf = (id: string): FakeSandbox => {
    const sandbox = sandboxes.get(id);
    if (sandbox === undefined) throw notFound('sandbox', id);
    return sandbox;
  };
  const end = (id: string, exitCode: number, reason = exitCode === 0 ? 'Completed' : 'Error'): void => {
    const container = containerOf(id);
    if (container.status.state !== 'running') return;
    container.status = { ...container.status, state: 'exited', exitCode, reason, finishedAt: now() };
    emit('stopped', id);
  };
  const matches = (labels: Readonly<Record<string, string>>, want: Readonly<Record<string, string>> = {}): boolean =>
    Object.entries(want).every(([key, value]) => labels[key] === value);
  const asContainer = ({ status, sandboxId }: FakeContainer): Container => ({ ...status, podSandboxId: sandboxId });
  const findImage = (image: string): Image | undefined =>
    images.get(image) ??
    [...images.values()].find(({ id, repoDigests }) => id === image || repoDigests.includes(image));
  const addImage = (tag: string, size = 1): Image => {
    const image: Image = {
      id: `sha256:${newId()}`,
      repoTags: [tag],
      repoDigests: [],
      size,
      uid: undefined,
      username: '',
      pinned: false,
    };
    images.set(tag, image);
    return image;
  };

  return {
    calls,
    exit: end,
    addImage,
    fail: (call, error) => void (error === undefined ? failing.delete(call) : failing.set(call, error)),
    setConditions: (next) => {
      conditions = next;
    },
    onExec: (run) => {
      runExec = run;
    },
    configOf: (id) => containerOf(id).config,
    sandboxConfigOf: (id) => sandboxOf(id).config,

    async version() {
      begin('version');
      return { runtimeName: 'fake', runtimeVersion: '1.0.0', runtimeApiVersion: 'v1' };
    },
    async status() {
      begin('status');
      return { conditions };
    },
    async cgroupDriver() {
      return 'cgroupfs';
    },
    async sandboxImage() {
      begin('sandboxImage');
      return 'fake.example/pause:1';
    },
    async updateRuntimeConfig(podCidr) {
      begin('updateRuntimeConfig', podCidr);
    },

    async runPodSandbox(config) {
      const id = newId();
      begin('runPodSandbox', id);
      const { metadata = {}, labels = {}, annotations = {} } = config;
      const { name = '', uid = '', namespace = '', attempt = 0 } = metadata;
      const hostNetwork = config.linux?.securityContext?.namespaceOptions?.network === 'node';
      const status: PodSandboxStatus = {
        id,
        metadata: { name, uid, namespace, attempt },
        state: 'ready',
        createdAt: now(),
        network: { ip: hostNetwork ? '' : `10.244.0.${sandboxes.size + 2}`, additionalIps: [] },
        linux: undefined,
        labels: labels as Record<string, string>,
        annotations: annotations as Record<string, string>,
      };
      sandboxes.set(id, { config, status });
      emit('started', id);
      return id;
    },
    async stopPodSandbox(id) {
      begin('stopPodSandbox', id);
      const sandbox = sandboxes.get(id);
      if (sandbox === undefined) return;
      for (const [containerId, { sandboxId }] of containers) if (sandboxId === id) end(containerId, 137);
      sandbox.status = { ...sandbox.status, state: 'notReady' };
      emit('stopped', id);
    },
    async removePodSandbox(id) {
      begin('removePodSandbox', id);
      for (const [containerId, { sandboxId }] of containers) if (sandboxId === id) containers.delete(containerId);
      if (sandboxes.delete(id)) emit('deleted', id);
    },
    async podSandboxStatus(id) {
      begin('podSandboxStatus');
      return sandboxes.get(id)?.status;
    },
    async listPodSandbox({ id, labels } = {}) {
      begin('listPodSandbox');
      return [...sandboxes.values()]
        .map(({ status }) => status)
        .filter((status) => (id === undefined || status.id === id) && matches(status.labels, labels));
    },

    async createContainer(sandboxId, config) {
      const id = newId();
      begin('createContainer', id);
      const sandbox = sandboxOf(sandboxId);
      if (sandbox.status.state !== 'ready') {
        throw new CodedError(
          'CRI_CALL_FAILED',
          `failed to get sandbox container task: sandbox ${sandboxId} is not running`,
        );
      }
      const image = findImage(config.image?.image ?? '');
      if (image === undefined) throw new CodedError('CRI_NOT_FOUND', `image "${config.image?.image}" not found`);
      const status: ContainerStatus = {
        id,
        metadata: { name: config.metadata?.name ?? '', attempt: config.metadata?.attempt ?? 0 },
        state: 'created',
        createdAt: now(),
        startedAt: 0,
        finishedAt: 0,
        exitCode: 0,
        image: { image: image.repoTags[0] ?? image.id, annotations: {} },
        imageRef: image.repoDigests[0] ?? image.id,
        reason: '',
        message: '',
        labels: (config.labels ?? {}) as Record<string, string>,
        annotations: (config.annotations ?? {}) as Record<string, string>,
        logPath: `${sandbox.config.logDirectory ?? ''}/${config.logPath ?? ''}`,
      };
      containers.set(id, { config, sandboxId, status });
      return id;
    },
    async startContainer(id) {
      begin('startContainer', id);
      const container = containerOf(id);
      if (container.status.state !== 'created') {
        throw new CodedError('CRI_CALL_FAILED', `container "${id}" is not in created state`);
      }
      container.status = { ...container.status, state: 'running', startedAt: now() };
      emit('started', id);
    },
    async stopContainer(id, timeout) {
      begin('stopContainer', id);
      if (containers.has(id)) end(id, timeout === 0 ? 137 : 143);
    },
    async removeContainer(id) {
      begin('removeContainer', id);
      if (containers.has(id)) end(id, 137);
      if (containers.delete(id)) emit('deleted', id);
    },
    async listContainers({ id, labels, podSandboxId } = {}) {
      begin('listContainers');
      return [...containers.values()]
        .filter(({ sandboxId }) => podSandboxId === undefined || sandboxId === podSandboxId)
        .filter(({ status }) => (id === undefined || status.id === id) && matches(status.labels, labels))
        .map(asContainer);
    },
    async containerStatus(id) {
      begin('containerStatus');
      return containers.get(id)?.status;
    },
    async containerStats(id) {
      const container = containers.get(id);
      return container === undefined ? undefined : statsOf(container, now());
    },
    async listContainerStats({ podSandboxId } = {}) {
      return [...containers.values()]
        .filter(({ sandboxId, status }) => status.state === 'running' && (podSandboxId ?? sandboxId) === sandboxId)
        .map((container) => statsOf(container, now()));
    },
    async updateContainerResources(id) {
      begin('updateContainerResources', id);
      containerOf(id);
    },
    async reopenContainerLog(id) {
      begin('reopenContainerLog', id);
      if (containerOf(id).status.state !== 'running') {
        throw new CodedError('CRI_CALL_FAILED', 'container is not running');
      }
    },

    async execSync(id, cmd) {
      begin('execSync');
      if (containerOf(id).status.state !== 'running') {
        throw new CodedError('CRI_CALL_FAILED', `container "${id}" is in state exited`);
      }
      return runExec(id, cmd);
    },
    async exec({ containerId }) {
      begin('exec');
      return `http://127.0.0.1:0/exec/${containerOf(containerId).status.id}`;
    },
    async attach({ containerId }) {
      begin('attach');
      return `http://127.0.0.1:0/attach/${containerOf(containerId).status.id}`;
    },
    async portForward(sandboxId) {
      begin('portForward');
      return `http://127.0.0.1:0/portforward/${sandboxOf(sandboxId).status.id}`;
    },

    async pullImage(image) {
      begin('pullImage', image);
      return (findImage(image) ?? addImage(image)).id;
    },
    async listImages() {
      begin('listImages');
      return [...images.values()];
    },
    async imageStatus(image) {
      begin('imageStatus');
      return findImage(image);
    },
    async removeImage(image) {
      begin('removeImage', image);
      const found = findImage(image);
      for (const [tag, { id }] of images) if (id === found?.id) images.delete(tag);
    },
    async imageFsInfo() {
      const usedBytes = { value: [...images.values()].reduce((sum, { size }) => sum + size, 0) };
      return [{ timestamp: now(), fsId: { mountpoint: '/' }, usedBytes, inodesUsed: undefined }];
    },

    async *events(signal) {
      begin('events');
      const queue: RuntimeEvent[] = [];
      let wake = (): void => undefined;
      const listener = (event: RuntimeEvent): void => {
        queue.push(event);
        wake();
      };
      const onAbort = (): void => wake();
      listeners.add(listener);
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        while (!signal.aborted) {
          const event = queue.shift();
          if (event !== undefined) yield event;
          else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      } finally {
        listeners.delete(listener);
        signal.removeEventListener('abort', onAbort);
      }
    },
    async close() {},
  };
}

function statsOf({ status }: FakeContainer, timestamp: number) {
  const { id, metadata, labels, annotations } = status;
  return {
    attributes: { id, metadata, labels, annotations },
    cpu: { timestamp, usageCoreNanoSeconds: { value: 1_000_000 }, usageNanoCores: { value: 1000 } },
    memory: {
      timestamp,
      workingSetBytes: { value: 1 << 20 },
      availableBytes: undefined,
      usageBytes: { value: 1 << 20 },
      rssBytes: { value: 1 << 20 },
      pageFaults: undefined,
      majorPageFaults: undefined,
    },
    writableLayer: undefined,
  };
}
