// The filters in the order in which they are asked: cheap ones and those that refuse most first. The first one that
// refuses a node ends the judgement of that node.

import type { Filter } from './filter.ts';
import { interPodAffinity } from './inter-pod.ts';
import { nodeAffinity, nodeUnschedulable, taintToleration } from './node.ts';
import { nodePorts, nodeResourcesFit } from './resources.ts';
import { podTopologySpread } from './spread.ts';
import { unsupported } from './unsupported.ts';
import { volumeBinding } from './volumes.ts';

export const filters: readonly Filter[] = [
  unsupported,
  nodeUnschedulable,
  taintToleration,
  nodeAffinity,
  nodePorts,
  nodeResourcesFit,
  volumeBinding,
  podTopologySpread,
  interPodAffinity,
];
