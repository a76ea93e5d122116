// Upstream's defaults of kinds that configure the cluster: storage drivers, aggregated APIs, priority and fairness.
// Source: kubernetes pkg/apis/{storage,flowcontrol}/v1/defaults.go, kube-aggregator pkg/apis/apiregistration/v1/defaults.go.

import type { APIService, CSIDriver, Draft, FlowSchema, PodTemplate, PriorityLevelConfiguration } from '../types.ts';
import { defaultTemplate, specOf } from './workloads.ts';

export function defaultCsiDriver(driver: Draft<Partial<CSIDriver>>): void {
  driver.spec ??= {};
  const { spec } = driver;
  spec.attachRequired ??= true;
  spec.podInfoOnMount ??= false;
  spec.storageCapacity ??= false;
  spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
  if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ['Persistent'];
  spec.requiresRepublish ??= false;
  spec.seLinuxMount ??= false;
}

export function defaultApiService({ spec }: Draft<APIService>): void {
  if (spec?.service !== undefined) spec.service.port ??= 443;
}

export function defaultFlowSchema(schema: Draft<FlowSchema>): void {
  specOf(schema).matchingPrecedence ||= 1000;
}

export function defaultPriorityLevel({ spec }: Draft<PriorityLevelConfiguration>): void {
  if (spec?.exempt !== undefined) {
    spec.exempt.nominalConcurrencyShares ??= 0;
    spec.exempt.lendablePercent ??= 0;
  }
  if (spec?.limited === undefined) return;
  spec.limited.nominalConcurrencyShares ??= 30;
  spec.limited.lendablePercent ??= 0;
  const { queuing } = spec.limited.limitResponse ?? {};
  if (queuing === undefined) return;
  queuing.handSize ||= 8;
  queuing.queues ||= 64;
  queuing.queueLengthLimit ||= 50;
}

export function defaultPodTemplate({ template }: Draft<PodTemplate>): void {
  defaultTemplate(template);
}
