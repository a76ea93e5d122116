// The admission plugins in the order in which they run, named as upstream names them. A plugin that must be able to refuse
// before others change anything (NamespaceLifecycle) comes first; the escalation check sees what the others made, and quotas are
// charged last, for what really will be stored.

import { CodedError } from '../../base/index.ts';
import type { AdmissionPlugin, Authorizer, ObjectReader, ObjectWriter } from '../contracts.ts';
import { alwaysPullImages } from './always-pull-images.ts';
import { certificateApproval, certificateRequester, certificateSigning, certificateSubject } from './certificates.ts';
import { validatingPolicies } from './dynamic/policies.ts';
import { createWebhooks } from './dynamic/webhooks.ts';
import { denyServiceExternalIps } from './external-ips.ts';
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

/** By upstream's names. */
export interface PluginChoice {
  /** Plugins that are off by default. */
  readonly enable?: readonly string[];
  /** Wins over `enable`. */
  readonly disable?: readonly string[];
}

export interface Admission {
  readonly plugins: readonly AdmissionPlugin[];
  /** Closes connections to webhooks. */
  stop(): void;
}

/** Throws CodedError ADMISSION_PLUGIN_UNKNOWN. */
export function createAdmission(options: AdmissionOptions & PluginChoice): Admission {
  const { reader, writer, authorize, escalationCheck, enable = [], disable = [] } = options;
  const first: readonly AdmissionPlugin[] = [
    namespaceLifecycle(reader),
    limitRanger(reader),
    serviceAccount(reader),
    nodeRestriction(reader),
    taintNodesByCondition,
    alwaysPullImages,
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
    denyServiceExternalIps,
  ];
  const isOn = (plugin: AdmissionPlugin): boolean => {
    // No plugin of upstream's: it is how RBAC keeps its promise, and can't be left out.
    if (plugin === escalationCheck) return true;
    const { name } = plugin;
    return !disable.includes(name) && (!offByDefault.has(name) || enable.includes(name));
  };
  const before = first.filter(isOn);
  const webhooks = createWebhooks({ reader, authorize, before });
  const last = [
    webhooks.mutating,
    escalationCheck,
    validatingPolicies({ reader, authorize }),
    webhooks.validating,
    resourceQuota({ reader, writer }),
  ];
  const plugins = [...before, ...last.filter(isOn)];
  requireKnown(
    [...enable, ...disable],
    [...first, ...last].filter((plugin) => plugin !== escalationCheck),
  );
  return { plugins, stop: () => webhooks.stop() };
}

const offByDefault: ReadonlySet<string> = new Set([alwaysPullImages.name, denyServiceExternalIps.name]);

function requireKnown(names: readonly string[], plugins: readonly AdmissionPlugin[]): void {
  const known = plugins.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new CodedError('ADMISSION_PLUGIN_UNKNOWN', `there is no admission plugin ${unknown}`, {
    exit: 'invalidInput',
    hint: `known are ${known.sort().join(', ')}`,
  });
}
