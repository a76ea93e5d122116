// A cluster of three nodes with nothing wrong, as the doctor sees it from the master; tests change one thing of it.

import type { Lease, Node, Stored } from '../../src/api/index.ts';
import type { MachineObservations, Observations, ReportedNode } from '../../src/doctor/observations.ts';
import type { NodeReport, Reach } from '../../src/probe/index.ts';

export const now = Date.parse('2026-06-01T12:00:00Z');
export const names = ['master', 'n1', 'n2'] as const;
const gibibyte = 1024 ** 3;
const addressOf = (name: string): string => `192.0.2.${10 + names.indexOf(name as (typeof names)[number])}`;
export const directOf = (name: string): string => `${addressOf(name)}:10250`;
export const overlayOf = (name: string): string => `10.244.${names.indexOf(name as (typeof names)[number])}.0:10250`;

export function node(name: string, changes: Partial<Node['status']> = {}): Stored<Node> {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      uid: name,
      resourceVersion: '1',
      annotations: { 'flannel.alpha.coreos.com/backend-type': 'vxlan' },
    },
    spec: { podCIDR: `10.244.${names.indexOf(name as (typeof names)[number])}.0/24` },
    status: {
      addresses: [
        { type: 'InternalIP', address: addressOf(name) },
        { type: 'Hostname', address: name },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'DiskPressure', status: 'False' },
      ],
      ...changes,
    },
  } as Stored<Node>;
}

/** @param secondsAgo when it was renewed, by the node's clock */
export function lease(name: string, secondsAgo: number): Stored<Lease> {
  const renewTime = new Date(now - secondsAgo * 1000).toISOString();
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace: 'kube-node-lease', uid: name, resourceVersion: '1' },
    spec: { renewTime },
  } as Stored<Lease>;
}

export function report(name: string, changes: Partial<NodeReport> = {}): ReportedNode {
  const others = names.filter((other) => other !== name);
  const certificateEnds = '2027-01-01T00:00:00.000Z';
  return {
    clockSkew: 20,
    report: {
      node: name,
      time: now,
      reached: others.flatMap((other): Reach[] => [
        { target: directOf(other), outcome: 'ok', certificateEnds },
        { target: overlayOf(other), outcome: 'ok', certificateEnds },
      ]),
      underlay: { device: 'eth0', mtu: 1500 },
      overlay: { device: 'k8ts.1', mtu: 1450 },
      dns: { cluster: 'answered', outside: 'answered', nameservers: { '192.0.2.1': 'answered' } },
      conntrack: { used: 100, limit: 1000 },
      disks: [{ path: '/var/lib', sizeBytes: 100 * gibibyte, freeBytes: 50 * gibibyte }],
      ...changes,
    },
  };
}

/** A report in which some targets have another outcome. */
export function reportWith(name: string, outcomes: Readonly<Record<string, Reach['outcome']>>): ReportedNode {
  const { reached } = report(name).report;
  return report(name, {
    reached: reached.map((one) => ({ ...one, outcome: outcomes[one.target] ?? one.outcome })),
  });
}

export const machine: MachineObservations = {
  nodeName: 'master',
  serviceKind: 'systemd',
  services: [
    { name: 'k8ts-server', state: 'running', restarts: 0 },
    { name: 'k8ts-agent', state: 'running', restarts: 1 },
  ],
  preflight: [],
  certificates: [
    {
      name: 'apiserver',
      path: '/etc/kubernetes/pki/apiserver.crt',
      kind: 'certificate',
      dates: { notBefore: new Date('2026-01-01'), notAfter: new Date('2027-01-01') },
      problem: undefined,
    },
  ],
};

type Reports = NonNullable<Observations['cluster']>['reports'];

export function healthy(
  changes: Partial<NonNullable<Observations['cluster']>> & { readonly reports?: Reports } = {},
): Observations {
  const reports: Reports = Object.fromEntries(names.map((name) => [name, report(name)]));
  return {
    now,
    machine,
    cluster: {
      problem: undefined,
      clockSkew: 300,
      nodes: names.map((name) => node(name)),
      leases: names.map((name) => lease(name, 5)),
      ...changes,
      reports: { ...reports, ...changes.reports },
    },
    notLookedAt: [],
  };
}
