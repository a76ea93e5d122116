// Objects for table cases, with only what a case needs to say.

import type { Deployment, Node, Pod, ReplicaSet, Service, Stored, Taint } from '../../src/api/index.ts';

/** 2026-01-01T00:10:00Z; objects are made ten minutes before. */
export const now = Date.parse('2026-01-01T00:10:00Z');
export const longAgo = '2026-01-01T00:00:00Z';

/** `seconds` before `now`, on the wire. */
export function ago(seconds: number): string {
  return new Date(now - seconds * 1000).toISOString().replace('.000Z', 'Z');
}

function meta(name: string, namespace: string | undefined): Stored<object>['metadata'] {
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    uid: `uid-${name}`,
    resourceVersion: '10',
    generation: 1,
    creationTimestamp: longAgo as never,
  };
}

export interface PodLike {
  readonly name?: string;
  readonly node?: string;
  readonly phase?: string;
  readonly ready?: boolean;
  readonly readySince?: string;
  readonly created?: string;
  readonly deleting?: boolean;
  readonly ip?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly restarts?: number;
  readonly spec?: Partial<NonNullable<Pod['spec']>>;
}

export function pod(like: PodLike = {}): Stored<Pod> {
  const { name = 'p', node, phase = 'Running', ready = false, readySince = longAgo, created = longAgo } = like;
  const { deleting = false, ip, labels = { app: 'web' }, annotations = {}, restarts = 0, spec = {} } = like;
  const condition = { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: readySince };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...meta(name, 'default'),
      labels,
      annotations,
      creationTimestamp: created,
      ...(deleting ? { deletionTimestamp: ago(1) } : {}),
    },
    spec: { containers: [{ name: 'c' }], ...(node === undefined ? {} : { nodeName: node }), ...spec },
    status: {
      phase,
      conditions: [condition],
      ...(ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] }),
      containerStatuses: [{ name: 'c', restartCount: restarts, image: 'i', imageID: 'i', ready }],
    },
  } as unknown as Stored<Pod>;
}

export interface NodeLike {
  readonly name?: string;
  readonly ready?: 'True' | 'False' | 'Unknown';
  readonly taints?: readonly Taint[];
  readonly unschedulable?: boolean;
  readonly podCidr?: string;
  readonly zone?: string;
  readonly created?: string;
  readonly addresses?: readonly { readonly type: string; readonly address: string }[];
}

export function node(like: NodeLike = {}): Stored<Node> {
  const { name = 'n1', ready = 'True', taints, unschedulable, podCidr, zone, created = longAgo, addresses } = like;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      ...meta(name, undefined),
      creationTimestamp: created,
      labels: zone === undefined ? {} : { 'topology.kubernetes.io/zone': zone },
    },
    spec: {
      ...(taints === undefined ? {} : { taints }),
      ...(unschedulable === undefined ? {} : { unschedulable }),
      ...(podCidr === undefined ? {} : { podCIDR: podCidr, podCIDRs: [podCidr] }),
    },
    status: {
      conditions: [{ type: 'Ready', status: ready, lastTransitionTime: longAgo, lastHeartbeatTime: longAgo }],
      ...(addresses === undefined ? {} : { addresses }),
    },
  } as unknown as Stored<Node>;
}

export interface SetLike {
  readonly name?: string;
  readonly replicas?: number;
  readonly available?: number;
  readonly created?: string;
  readonly image?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerUid?: string;
}

export function replicaSet(like: SetLike = {}): Stored<ReplicaSet> {
  const { name = 'web-1', replicas = 1, available = 0, created = longAgo, image = '1', annotations = {} } = like;
  const labels = { app: 'web', 'pod-template-hash': name };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      ...meta(name, 'default'),
      labels,
      annotations,
      creationTimestamp: created,
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: like.ownerUid ?? 'uid-web', controller: true },
      ],
    },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image }] } },
    },
    status: { replicas, availableReplicas: available, readyReplicas: available, observedGeneration: 1 },
  } as unknown as Stored<ReplicaSet>;
}

export interface DeploymentLike {
  readonly replicas?: number;
  readonly image?: string;
  readonly strategy?: NonNullable<Deployment['spec']>['strategy'];
  readonly status?: Deployment['status'];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: Partial<NonNullable<Deployment['spec']>>;
}

export function deployment(like: DeploymentLike = {}): Stored<Deployment> {
  const { replicas = 3, image = '1', strategy, status, annotations = {}, spec = {} } = like;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...meta('web', 'default'), annotations },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } },
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
      ...(strategy === undefined ? {} : { strategy }),
      ...spec,
    },
    ...(status === undefined ? {} : { status }),
  } as unknown as Stored<Deployment>;
}

export function service(spec: Partial<NonNullable<Service['spec']>> = {}): Stored<Service> {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...meta('web', 'default'), labels: { team: 'a' } },
    spec: {
      selector: { app: 'web' },
      clusterIP: '10.96.0.10',
      ipFamilies: ['IPv4'],
      ports: [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }],
      ...spec,
    },
  } as unknown as Stored<Service>;
}
