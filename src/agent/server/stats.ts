// What pods and node use: /stats/summary (JSON, for older metrics servers and kubectl) and /metrics/resource (Prometheus
// text, for metrics-server). Counters come from the runtime and from the root cgroup; rates are the reader's business,
// except usageNanoCores, which is the difference to the look before.
// Source: k8s.io/kubelet pkg/apis/stats/v1alpha1, pkg/kubelet/metrics/collectors/resource_metrics.go.

import { readFile } from 'node:fs/promises';
import { cpus, freemem, totalmem } from 'node:os';
import type { ContainerStats, Cri } from '../../cri/index.ts';
import { labelNames, podOfLabels } from '../pods/identity.ts';

interface NodeUsage {
  /** Cumulative, in nanoseconds. */
  readonly cpuNanoseconds: number;
  readonly workingSetBytes: number;
  readonly availableBytes: number;
}

interface PodUsage {
  readonly podRef: { readonly name: string; readonly namespace: string; readonly uid: string };
  readonly containers: readonly ContainerStats[];
}

const jiffy = 1e9 / 100;

/** From /proc/stat and /proc/meminfo, which cgroup v1 and v2 machines both have. */
async function readNodeUsage(): Promise<NodeUsage> {
  const [stat, memory] = await Promise.all([readFile('/proc/stat', 'utf8'), readFile('/proc/meminfo', 'utf8')]);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (/^cpu\s+(.*)$/m.exec(stat)?.[1] ?? '')
    .split(/\s+/)
    .map(Number);
  const field = (name: string): number | undefined => {
    const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(memory)?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  };
  const available = field('MemAvailable') ?? freemem();
  return {
    cpuNanoseconds: (user + nice + system + irq + softirq + steal) * jiffy,
    workingSetBytes: (field('MemTotal') ?? totalmem()) - available,
    availableBytes: available,
  };
}

export interface StatsSource {
  readonly cri: Cri;
  readonly nodeName: string;
  readonly now: () => number;
  readonly bootTime: number;
}

export async function summary(source: StatsSource): Promise<unknown> {
  const { nodeName, now, bootTime } = source;
  const [usage, pods] = await Promise.all([readNodeUsage(), podUsages(source)]);
  const time = new Date(now()).toISOString();
  return {
    node: {
      nodeName,
      startTime: new Date(bootTime).toISOString(),
      cpu: {
        time,
        usageCoreNanoSeconds: usage.cpuNanoseconds,
        usageNanoCores: averageNanoCores(usage, now() - bootTime),
      },
      memory: {
        time,
        availableBytes: usage.availableBytes,
        workingSetBytes: usage.workingSetBytes,
        usageBytes: usage.workingSetBytes,
      },
    },
    pods: pods.map(({ podRef, containers }) => ({
      podRef,
      containers: containers.map((stats) => ({ name: stats.attributes?.metadata?.name ?? '', ...usageOf(stats) })),
      ...total(containers),
    })),
  };
}

/** Prometheus text with the names that metrics-server reads. */
export async function resourceMetrics(source: StatsSource): Promise<string> {
  const [usage, pods] = await Promise.all([readNodeUsage(), podUsages(source)]);
  const at = source.now();
  const cpu: string[] = [];
  const memory: string[] = [];
  for (const { podRef, containers } of pods) {
    for (const stats of containers) {
      const name = stats.attributes?.metadata?.name ?? '';
      const labels = `{container="${name}",namespace="${podRef.namespace}",pod="${podRef.name}"}`;
      const seconds = (stats.cpu?.usageCoreNanoSeconds?.value ?? 0) / 1e9;
      const when = Math.round((stats.cpu?.timestamp ?? at * 1e6) / 1e6);
      cpu.push(`container_cpu_usage_seconds_total${labels} ${seconds} ${when}`);
      memory.push(`container_memory_working_set_bytes${labels} ${stats.memory?.workingSetBytes?.value ?? 0} ${when}`);
    }
  }
  const metric = (name: string, type: string, help: string, lines: readonly string[]): string =>
    [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines].join('\n');
  return `${[
    metric(
      'container_cpu_usage_seconds_total',
      'counter',
      'Cumulative cpu time consumed by the container in core-seconds',
      cpu,
    ),
    metric('container_memory_working_set_bytes', 'gauge', 'Current working set of the container in bytes', memory),
    metric('node_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed by the node in core-seconds', [
      `node_cpu_usage_seconds_total ${usage.cpuNanoseconds / 1e9} ${at}`,
    ]),
    metric('node_memory_working_set_bytes', 'gauge', 'Current working set of the node in bytes', [
      `node_memory_working_set_bytes ${usage.workingSetBytes} ${at}`,
    ]),
    metric('scrape_error', 'gauge', '1 if there was an error while getting container metrics, 0 otherwise', [
      'scrape_error 0',
    ]),
  ].join('\n')}\n`;
}

async function podUsages({ cri }: StatsSource): Promise<readonly PodUsage[]> {
  const pods = new Map<string, { readonly podRef: PodUsage['podRef']; readonly containers: ContainerStats[] }>();
  for (const stats of await cri.listContainerStats()) {
    const labels = stats.attributes?.labels ?? {};
    const podRef = podOfLabels(labels);
    if (podRef === undefined || labels[labelNames.container] === undefined) continue;
    const pod = pods.get(podRef.uid) ?? { podRef, containers: [] };
    pod.containers.push(stats);
    pods.set(podRef.uid, pod);
  }
  return [...pods.values()];
}

function usageOf({ cpu, memory }: ContainerStats) {
  const time = (nanoseconds = 0): string => new Date(nanoseconds / 1e6).toISOString();
  return {
    cpu: {
      time: time(cpu?.timestamp),
      usageCoreNanoSeconds: cpu?.usageCoreNanoSeconds?.value ?? 0,
      ...(cpu?.usageNanoCores === undefined ? {} : { usageNanoCores: cpu.usageNanoCores.value }),
    },
    memory: {
      time: time(memory?.timestamp),
      workingSetBytes: memory?.workingSetBytes?.value ?? 0,
      ...(memory?.usageBytes === undefined ? {} : { usageBytes: memory.usageBytes.value }),
      ...(memory?.rssBytes === undefined ? {} : { rssBytes: memory.rssBytes.value }),
    },
  };
}

function total(containers: readonly ContainerStats[]) {
  const sum = (of: (stats: ContainerStats) => number | undefined): number =>
    containers.reduce((all, stats) => all + (of(stats) ?? 0), 0);
  return {
    cpu: { usageCoreNanoSeconds: sum(({ cpu }) => cpu?.usageCoreNanoSeconds?.value) },
    memory: { workingSetBytes: sum(({ memory }) => memory?.workingSetBytes?.value) },
  };
}

function averageNanoCores({ cpuNanoseconds }: NodeUsage, upFor: number): number {
  return Math.min(cpus().length * 1e9, Math.round(cpuNanoseconds / Math.max(1, upFor / 1000)));
}
