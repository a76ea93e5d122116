// A pod's priorityClassName becomes a number, once, at creation. Nobody writes the number: it would bypass the class.
// Source: Kubernetes documentation, "Pod Priority and Preemption".

import { type KindOf, type KubeObject, kinds, type Pod, type PodSpec, type PriorityClass } from '../../api/index.ts';
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from '../contracts.ts';
import { isPod, refuse } from './refuse.ts';

interface Class {
  readonly name: string;
  readonly value: number;
  readonly preemptionPolicy: string;
}

const preempt = 'PreemptLowerPriority';
const builtIn: readonly Class[] = [
  { name: 'system-cluster-critical', value: 2_000_000_000, preemptionPolicy: preempt },
  { name: 'system-node-critical', value: 2_000_001_000, preemptionPolicy: preempt },
];

export function priority(reader: ObjectReader): AdmissionPlugin {
  const table: readonly KindOf<KubeObject>[] = Object.values(kinds);
  const kind = table.find((candidate) => candidate.kind === 'PriorityClass');
  const classes = (): readonly PriorityClass[] => (kind === undefined ? [] : reader.list<PriorityClass>(kind));

  const classOf = (request: AdmissionRequest, name: string): Class => {
    if (name === '') {
      // Of several global defaults the lowest counts, as upstream.
      const defaults = classes().filter((one) => one.globalDefault === true);
      const lowest = defaults.map(named).sort((a, b) => a.value - b.value)[0];
      return lowest ?? { name: '', value: 0, preemptionPolicy: preempt };
    }
    const stored = kind === undefined ? undefined : reader.get<PriorityClass>(kind, undefined, name);
    const found = stored === undefined ? builtIn.find((one) => one.name === name) : named(stored);
    if (found === undefined) throw refuse(request, `no PriorityClass with name ${name} was found`);
    return found;
  };

  return {
    name: 'Priority',
    mutate(request) {
      const pod = request.object as Pod;
      if (!isPod(request) || pod.spec === undefined) return pod;
      if (request.operation === 'UPDATE') return withOldPriority(pod, request.oldObject as Pod | undefined);
      const found = classOf(request, pod.spec.priorityClassName ?? '');
      const { priority: given, preemptionPolicy: policy } = pod.spec;
      if (given !== undefined && given !== found.value) {
        const why = `the integer value of priority (${given}) must not be provided in pod spec; priority admission controller computed ${found.value} from the given PriorityClass name`;
        throw refuse(request, why);
      }
      const { preemptionPolicy } = found;
      if (policy !== undefined && policy !== preemptionPolicy) {
        const why = `the string value of PreemptionPolicy (${policy}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`;
        throw refuse(request, why);
      }
      const spec: PodSpec = {
        ...pod.spec,
        priority: found.value,
        preemptionPolicy,
        ...(found.name === '' ? {} : { priorityClassName: found.name }),
      };
      return { ...pod, spec };
    },
  };
}

/** A client that does not know the field must not take it away. */
function withOldPriority(pod: Pod, old: Pod | undefined): Pod {
  if (pod.spec === undefined || pod.spec.priority !== undefined || old?.spec?.priority === undefined) return pod;
  return { ...pod, spec: { ...pod.spec, priority: old.spec.priority } };
}

function named(from: PriorityClass): Class {
  return {
    name: from.metadata?.name ?? '',
    value: from.value ?? 0,
    preemptionPolicy: from.preemptionPolicy ?? preempt,
  };
}
