// What a pod gets when it does not say: upstream's values for pods, containers, probes and volumes.
// Source: kubernetes pkg/apis/core/v1/defaults.go. Fields that are zero there ('' or 0) count as absent.

import { formatQuantity } from '../quantity.ts';
import { podResources } from '../quota/pod-resources.ts';
import type { Container, Draft, Pod, PodSpec, Probe, Volume } from '../types.ts';

type Whole = NonNullable<Draft<PodSpec>['resources']>;

export function defaultPod(pod: Draft<Pod>): void {
  const { spec, status } = pod;
  if (status !== undefined) alignAddresses(status);
  if (spec === undefined) return;
  // Requests follow limits in pods alone: a template keeps what was written.
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) requestsFromLimits(container);
  if (spec.resources !== undefined) requestsOfWhole(spec, spec.resources);
  spec.enableServiceLinks ??= true;
  defaultPodSpec(spec);
  if (spec.hostNetwork !== true) return;
  // So do the ports of the node.
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
  }
}

/**
 * Where a pod as a whole has limits, it asks for what its containers ask together, else for its limits; huge pages are
 * limited to what its containers may have. Source: defaultHugePagePodLimits, defaultPodRequests.
 */
function requestsOfWhole({ containers = [], initContainers = [] }: Draft<PodSpec>, whole: Whole): void {
  const together = { spec: { containers, initContainers } } as Pod;
  const { limits = {}, requests = {} } = whole;
  if (Object.keys(limits).length + Object.keys(requests).length === 0) return;
  for (const [name, quantity] of Object.entries(podResources(together, 'limits'))) {
    if (name.startsWith('hugepages-') && requests[name] === undefined) limits[name] ??= formatQuantity(quantity);
  }
  if (Object.keys(limits).length === 0) return;
  for (const [name, quantity] of Object.entries(podResources(together, 'requests'))) {
    if (name === 'cpu' || name === 'memory') requests[name] ??= formatQuantity(quantity);
  }
  for (const [name, limit] of Object.entries(limits)) {
    if (/^(cpu|memory|hugepages-.*)$/.test(name)) requests[name] ??= limit;
  }
  whole.limits = limits;
  if (Object.keys(requests).length > 0) whole.requests = requests;
}

/** A pod's address stands in two fields; where they differ the older one is right. Source: Convert_v1_PodStatus_To_core_PodStatus. */
function alignAddresses(status: NonNullable<Draft<Pod>['status']>): void {
  const first = status.podIPs?.[0]?.ip ?? '';
  const ip = status.podIP ?? '';
  if (ip === first) return;
  if (ip === '') status.podIP = first;
  else status.podIPs = [{ ip }];
}

export function defaultPodSpec(spec: Draft<PodSpec>): void {
  spec.dnsPolicy ||= 'ClusterFirst';
  spec.restartPolicy ||= 'Always';
  spec.schedulerName ||= 'default-scheduler';
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  // One account under two names, the older one for older clients.
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account) {
    spec.serviceAccountName = account;
    spec.serviceAccount = account;
  }
  for (const container of spec.containers ?? []) defaultContainer(container);
  for (const container of spec.initContainers ?? []) defaultContainer(container);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container as Draft<Container>);
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
}

function defaultContainer(container: Draft<Container>): void {
  container.terminationMessagePath ||= '/dev/termination-log';
  container.terminationMessagePolicy ||= 'File';
  container.imagePullPolicy ||= isLatest(container.image ?? '') ? 'Always' : 'IfNotPresent';
  container.resources ??= {};
  for (const port of container.ports ?? []) port.protocol ||= 'TCP';
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef !== undefined) valueFrom.fieldRef.apiVersion ||= 'v1';
  }
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    if (probe !== undefined) defaultProbe(probe);
  }
  for (const handler of [container.lifecycle?.postStart, container.lifecycle?.preStop]) {
    if (handler?.httpGet !== undefined) defaultHttpGet(handler.httpGet);
  }
}

/** Whether an image reference means `latest`: no tag and no digest, or the tag itself. */
function isLatest(image: string): boolean {
  if (image.includes('@')) return false;
  const tag = /:([^/:]+)$/.exec(image)?.[1];
  return tag === undefined || tag === 'latest';
}

function defaultProbe(probe: Draft<Probe>): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.httpGet !== undefined) defaultHttpGet(probe.httpGet);
  if (probe.grpc !== undefined) probe.grpc.service ??= '';
}

function defaultHttpGet(get: { path?: string; scheme?: string }): void {
  get.path ||= '/';
  get.scheme ||= 'HTTP';
}

function requestsFromLimits({ resources }: Draft<Container>): void {
  if (resources?.limits === undefined) return;
  resources.requests = { ...resources.limits, ...resources.requests };
}

const fileMode = 0o644;

function hasSource(volume: object): boolean {
  for (const key in volume) if (key !== 'name') return true;
  return false;
}

function defaultVolume(volume: Draft<Volume>): void {
  if (!hasSource(volume)) volume.emptyDir = {};
  if (volume.secret !== undefined) volume.secret.defaultMode ??= fileMode;
  if (volume.configMap !== undefined) volume.configMap.defaultMode ??= fileMode;
  if (volume.hostPath !== undefined) volume.hostPath.type ??= '';
  if (volume.image !== undefined) {
    volume.image.pullPolicy ||= isLatest(volume.image.reference ?? '') ? 'Always' : 'IfNotPresent';
  }
  const claim: { spec?: { volumeMode?: string } } | undefined = volume.ephemeral?.volumeClaimTemplate;
  if (claim !== undefined) {
    claim.spec ??= {};
    claim.spec.volumeMode ??= 'Filesystem';
  }
  if (volume.downwardAPI !== undefined) {
    volume.downwardAPI.defaultMode ??= fileMode;
    defaultFieldRefs(volume.downwardAPI.items);
  }
  if (volume.projected !== undefined) {
    volume.projected.defaultMode ??= fileMode;
    for (const { serviceAccountToken, downwardAPI } of volume.projected.sources ?? []) {
      if (serviceAccountToken !== undefined) serviceAccountToken.expirationSeconds ??= 3600;
      defaultFieldRefs(downwardAPI?.items);
    }
  }
}

function defaultFieldRefs(items: { fieldRef?: { apiVersion?: string } }[] | undefined): void {
  for (const { fieldRef } of items ?? []) if (fieldRef !== undefined) fieldRef.apiVersion ||= 'v1';
}
