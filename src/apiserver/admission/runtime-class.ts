// A pod's RuntimeClass adds its overhead, node selector and tolerations to the pod.
// Source: k8s.io/kubernetes plugin/pkg/admission/runtimeclass; Kubernetes documentation, "Runtime Class".

import {
  compareQuantities,
  kinds,
  type Pod,
  type PodSpec,
  parseQuantity,
  type RuntimeClass,
  sameJson,
} from '../../api/index.ts';
import type { AdmissionPlugin, AdmissionRequest, ObjectReader } from '../contracts.ts';
import { isPod, refuse } from './refuse.ts';

export function runtimeClass(reader: ObjectReader): AdmissionPlugin {
  const classOf = (request: AdmissionRequest, { runtimeClassName = '' }: PodSpec): RuntimeClass | undefined => {
    if (runtimeClassName === '') return undefined;
    const found = reader.get<RuntimeClass>(kinds.runtimeClass, undefined, runtimeClassName);
    if (found === undefined) throw refuse(request, `pod rejected: RuntimeClass "${runtimeClassName}" not found`);
    return found;
  };
  return {
    name: 'RuntimeClass',
    mutate(request) {
      const pod = request.object as Pod;
      if (request.operation !== 'CREATE' || !isPod(request) || pod.spec === undefined) return pod;
      const found = classOf(request, pod.spec);
      return found === undefined
        ? pod
        : { ...pod, spec: withScheduling(request, withOverhead(request, pod.spec, found), found) };
    },
    validate(request) {
      const pod = request.object as Pod | undefined;
      if (request.operation !== 'CREATE' || !isPod(request) || pod?.spec?.overhead === undefined) return;
      if (classOf(request, pod.spec)?.overhead?.podFixed !== undefined) return;
      const why = 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead';
      if (Object.keys(pod.spec.overhead).length > 0) throw refuse(request, why);
    },
  };
}

function withOverhead(request: AdmissionRequest, spec: PodSpec, { overhead }: RuntimeClass): PodSpec {
  if (overhead?.podFixed === undefined) return spec;
  if (spec.overhead === undefined || sameAmounts(spec.overhead, overhead.podFixed)) {
    return { ...spec, overhead: overhead.podFixed };
  }
  throw refuse(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
}

function sameAmounts(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => {
    const [one, other] = [a[name], b[name]];
    return (
      one !== undefined && other !== undefined && compareQuantities(parseQuantity(one), parseQuantity(other)) === 0
    );
  });
}

function withScheduling(request: AdmissionRequest, spec: PodSpec, { scheduling }: RuntimeClass): PodSpec {
  if (scheduling === undefined) return spec;
  const own = spec.nodeSelector ?? {};
  for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
    const given = own[key];
    if (given === undefined || given === value) continue;
    const both = `runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${given}`;
    throw refuse(request, `conflict: ${both}`);
  }
  const tolerations = spec.tolerations ?? [];
  const added = (scheduling.tolerations ?? []).filter((one) => !tolerations.some((other) => sameJson(one, other)));
  return {
    ...spec,
    ...(scheduling.nodeSelector && { nodeSelector: { ...own, ...scheduling.nodeSelector } }),
    ...(added.length > 0 && { tolerations: [...tolerations, ...added] }),
  };
}
