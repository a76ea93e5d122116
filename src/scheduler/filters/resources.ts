// Filters about what a node has left: resources, places for pods, host ports.

import type { NodeState } from '../cluster-state.ts';
import type { HostPort } from '../pod-needs.ts';
import type { Resources } from '../resources.ts';
import type { Filter } from './filter.ts';

export const nodeResourcesFit = {
  name: 'NodeResourcesFit',
  helpedBy: ['node-allocatable', 'pod-removed'],
  prepare:
    ({ requests }) =>
    (node) => {
      const reasons = fits(requests, node) ? [] : shortages(requests, node);
      if (node.pods.size >= node.maxPods) reasons.unshift('Too many pods');
      return reasons.length === 0 ? undefined : reasons;
    },
} as const satisfies Filter;

export const nodePorts = {
  name: 'NodePorts',
  helpedBy: ['pod-removed'],
  prepare: ({ hostPorts }) => {
    const reason = ["node(s) didn't have free ports for the requested pod ports"];
    if (hostPorts.length === 0) return undefined;
    return (node) => (hostPorts.some((port) => isTaken(port, node)) ? reason : undefined);
  },
} as const satisfies Filter;

/** The usual case without a list being made. What a pod does not ask for it is not refused for, however overcommitted. */
function fits(requests: Resources, { allocatable, used }: NodeState): boolean {
  return (
    (requests.milliCpu === 0 || requests.milliCpu <= allocatable.milliCpu - used.milliCpu) &&
    (requests.memory === 0 || requests.memory <= allocatable.memory - used.memory) &&
    requests.ephemeralStorage === 0 &&
    requests.extended.size === 0
  );
}

function shortages(requests: Resources, { allocatable, used }: NodeState): string[] {
  const asked: readonly (readonly [string, number, number])[] = [
    ['cpu', requests.milliCpu, allocatable.milliCpu - used.milliCpu],
    ['memory', requests.memory, allocatable.memory - used.memory],
    ['ephemeral-storage', requests.ephemeralStorage, allocatable.ephemeralStorage - used.ephemeralStorage],
    ...[...requests.extended].map(
      ([name, amount]) =>
        [name, amount, (allocatable.extended.get(name) ?? 0) - (used.extended.get(name) ?? 0)] as const,
    ),
  ];
  return asked.filter(([, amount, free]) => amount > 0 && amount > free).map(([name]) => `Insufficient ${name}`);
}

/** Two addresses clash when they are equal or one of them means all. */
function isTaken({ ip, port, protocol }: HostPort, { hostPorts }: NodeState): boolean {
  const taken = hostPorts.get(`${protocol}/${port}`);
  return taken?.some((other) => other.ip === ip || other.ip === '0.0.0.0' || ip === '0.0.0.0') ?? false;
}
