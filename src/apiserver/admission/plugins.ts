// The admission plugins in the order in which they run, named as upstream names them. A plugin that must be able to refuse
// before others change anything (NamespaceLifecycle) comes first; the escalation check sees what the others made, and quotas are
// charged last, for what really will be stored.

import type { AdmissionPlugin, Authorizer, ObjectReader, ObjectWriter } from '../contracts.ts';
import { certificateApproval, certificateRequester, certificateSigning, certificateSubject } from './certificates.ts';
import { validatingPolicies } from './dynamic/policies.ts';
import { createWebhooks } from './dynamic/webhooks.ts';
import { defaultIngressClass } from './ingress-class.ts';
import { limitRanger } from './limit-ranger.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { nodeRestriction } from './node-restriction.ts';
import { podSecurity } from './pod-security/plugin.ts';
import { priority } from './priority.ts';
import { resourceQuota } from './resource-quota.ts';
import { runtimeClass } from './runtime-class.ts';
import { serviceAccount } from './service-account.ts';
import { claimResize, defaultStorageClass, storageObjectInUseProtection } from './storage.ts';
import { taintNodesByCondition } from './taint-nodes.ts';
import { defaultTolerationSeconds } from './toleration-seconds.ts';

export interface AdmissionOptions {
  readonly reader: ObjectReader;
  readonly writer: ObjectWriter;
  readonly authorize: Authorizer;
  /** Authorization's escalationCheck. */
  readonly escalationCheck: AdmissionPlugin;
}

export interface Admission {
  readonly plugins: readonly AdmissionPlugin[];
  /** Closes connections to webhooks. */
  stop(): void;
}

export function createAdmission(options: AdmissionOptions): Admission {
  const { reader, writer, authorize, escalationCheck } = options;
  const before = [
    namespaceLifecycle(reader),
    limitRanger(reader),
    serviceAccount(reader),
    nodeRestriction(reader),
    taintNodesByCondition,
    podSecurity(reader),
    priority(reader),
    defaultTolerationSeconds,
    defaultStorageClass(reader),
    storageObjectInUseProtection,
    claimResize(reader),
    runtimeClass(reader),
    certificateRequester,
    certificateApproval(authorize),
    certificateSigning(authorize),
    certificateSubject,
    defaultIngressClass(reader),
  ];
  const webhooks = createWebhooks({ reader, authorize, before });
  const plugins = [
    ...before,
    webhooks.mutating,
    escalationCheck,
    validatingPolicies({ reader, authorize }),
    webhooks.validating,
    resourceQuota({ reader, writer }),
  ];
  return { plugins, stop: () => webhooks.stop() };
}
