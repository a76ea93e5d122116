// The admission plugins in the order in which they run, named as upstream names them. A plugin that must be able to refuse
// before others change anything (NamespaceLifecycle) comes first; the escalation check sees what the others made.

import type { AdmissionPlugin, Authorizer, ObjectReader } from '../contracts.ts';
import { certificateApproval, certificateRequester, certificateSigning, certificateSubject } from './certificates.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { nodeRestriction } from './node-restriction.ts';
import { priority } from './priority.ts';
import { serviceAccount } from './service-account.ts';
import { taintNodesByCondition } from './taint-nodes.ts';
import { defaultTolerationSeconds } from './toleration-seconds.ts';

export interface AdmissionOptions {
  readonly reader: ObjectReader;
  readonly authorize: Authorizer;
  /** Authorization's escalationCheck. */
  readonly escalationCheck: AdmissionPlugin;
}

export function createAdmissionPlugins(options: AdmissionOptions): readonly AdmissionPlugin[] {
  const { reader, authorize, escalationCheck } = options;
  return [
    namespaceLifecycle(reader),
    serviceAccount(reader),
    nodeRestriction(reader),
    taintNodesByCondition,
    priority(reader),
    defaultTolerationSeconds,
    certificateRequester,
    certificateApproval(authorize),
    certificateSigning(authorize),
    certificateSubject,
    escalationCheck,
  ];
}
