// What the Go implementation does with the same workloads: kube-apiserver 1.20.2 with etcd 3.5.30 (fsync on) on two cores,
// HTTP/1.1 and JSON, medians of three runs on empty data. Facts to stand beside ours; never a promise about other machines.

export interface Figure {
  readonly perSecond: number;
  readonly p50?: number;
  readonly p99?: number;
  /** Milliseconds of the API server per operation; etcd is not in it. */
  readonly cpu?: number;
}

export const goFigures = {
  'a create': { perSecond: 1801, p50: 7.6, p99: 24.8, cpu: 0.56 },
  'b get': { perSecond: 3965, p50: 3.6, p99: 10.5, cpu: 0.28 },
  'c list': { perSecond: 43.2, p50: 85, p99: 195, cpu: 31.6 },
  'c list rv=0': { perSecond: 104, p50: 33, p99: 81, cpu: 13.4 },
  'd put': { perSecond: 1687, p50: 7.5, p99: 23.7, cpu: 0.61 },
  'e patch': { perSecond: 1716, p50: 7.6, p99: 32.6, cpu: 0.71 },
  'f watch paced': { perSecond: 31_300, p50: 2.9, p99: 6.4, cpu: 2.6 },
  'f watch burst': { perSecond: 66_000, p50: 73, p99: 140, cpu: 1.75 },
  'g create pods': { perSecond: 916, p50: 13.5, p99: 63.9, cpu: 1.58 },
  'g list pods': { perSecond: 1.96, p50: 450, p99: 817, cpu: 574 },
  'g list pods rv=0': { perSecond: 4.26, p50: 223, p99: 321, cpu: 209 },
  'g list pods by pages': { perSecond: 1.95, p50: 486, p99: 660, cpu: 440 },
  'g list pods by label': { perSecond: 6, p50: 130, p99: 334, cpu: 213 },
  'h create leases': { perSecond: 2960, p50: 9.7, p99: 22.8, cpu: 0.37 },
  'h renew leases': { perSecond: 2689, p50: 10.6, p99: 34.7, cpu: 0.49 },
  'i delete': { perSecond: 2166, p50: 7.1, p99: 13.2, cpu: 0.42 },
  'z delete all pods': { perSecond: 1 / 12.2, p50: 12_200, p99: 12_200 },
} as const satisfies Readonly<Record<string, Figure>>;

export type WorkloadName = keyof typeof goFigures;

export const goProcess = { readyMs: '2900–4300', idleMb: 317, afterMb: 1254 } as const;
