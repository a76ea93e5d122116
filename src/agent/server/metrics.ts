// The agent about itself, as Prometheus text. Names are the kubelet's and the Prometheus client's where they mean the same.

import { isRunning, readySandbox } from '../pods/observe.ts';
import type { PodRecord } from '../pods/record.ts';

export function agentMetrics(nodeName: string, pods: readonly PodRecord[]): string {
  const containers = pods.flatMap(({ runtime }) => runtime.containers);
  const { rss } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  const gauges: readonly (readonly [name: string, help: string, type: string, value: string])[] = [
    [
      'kubelet_running_pods',
      'Pods with a running sandbox',
      'gauge',
      `${pods.filter(({ runtime }) => readySandbox(runtime)).length}`,
    ],
    ['process_resident_memory_bytes', 'Resident memory of the agent', 'gauge', String(rss)],
    ['process_cpu_seconds_total', 'CPU time of the agent in seconds', 'counter', String((user + system) / 1e6)],
    [
      'process_start_time_seconds',
      'Start time of the agent',
      'gauge',
      String(Math.round(Date.now() / 1000 - process.uptime())),
    ],
  ];
  const states = ['running', 'exited', 'created'] as const;
  const lines = [
    ...gauges.flatMap(([name, help, type, value]) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      `${name} ${value}`,
    ]),
    '# HELP kubelet_running_containers Containers by state',
    '# TYPE kubelet_running_containers gauge',
    ...states.map((state) => {
      const count = containers.filter((one) => (state === 'running' ? isRunning(one) : one.state === state)).length;
      return `kubelet_running_containers{container_state="${state}"} ${count}`;
    }),
    '# HELP kubelet_node_name The name of the node',
    '# TYPE kubelet_node_name gauge',
    `kubelet_node_name{node="${nodeName}"} 1`,
  ];
  return `${lines.join('\n')}\n`;
}
