// spec.podFailurePolicy: what one failed pod means for its Job. The first rule that fits decides; a pod that none fits
// counts towards the backoff limit. Source: KEP-3329.

import type { Job, Pod, Stored } from '../api/index.ts';
import { keyOf } from '../client/index.ts';

type Rule = NonNullable<NonNullable<NonNullable<Job['spec']>['podFailurePolicy']>['rules']>[number];

export interface Verdict {
  /** The failure counts towards backoff limits. */
  readonly counts: boolean;
  readonly action?: 'FailJob' | 'FailIndex' | 'Ignore' | 'Count';
  /** Why, for conditions. */
  readonly message?: string;
}

/** For a pod whose phase is Failed; a pod that is only being deleted fits no rule. */
export function failurePolicyVerdict(job: Job, pod: Stored<Pod>): Verdict {
  const rules = job.spec?.podFailurePolicy?.rules ?? [];
  if (pod.status?.phase !== 'Failed') return { counts: true };
  for (const [at, rule] of rules.entries()) {
    const why = whyFits(rule, pod);
    if (why === undefined) continue;
    const message = `${why} matching ${rule.action} rule at index ${at}`;
    switch (rule.action) {
      case 'Ignore':
        return { counts: false, action: 'Ignore', message };
      case 'FailJob':
        return { counts: true, action: 'FailJob', message };
      case 'FailIndex':
        if (job.spec?.backoffLimitPerIndex === undefined) continue;
        return { counts: true, action: 'FailIndex', message };
      case 'Count':
        return { counts: true, action: 'Count', message };
      default:
        // A later version's action: the rule is passed over, as upstream does.
        continue;
    }
  }
  return { counts: true };
}

function whyFits({ onExitCodes, onPodConditions = [] }: Rule, pod: Stored<Pod>): string | undefined {
  if (onExitCodes !== undefined && onExitCodes !== null) {
    const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
    for (const { name, state } of [...containerStatuses, ...initContainerStatuses]) {
      const code = state?.terminated?.exitCode ?? 0;
      if (code === 0 || (onExitCodes.containerName ?? name) !== name) continue;
      if (onExitCodes.values.includes(code) === (onExitCodes.operator === 'In')) {
        return `Container ${name} for pod ${keyOf(pod)} failed with exit code ${code}`;
      }
    }
    return undefined;
  }
  for (const { type, status } of onPodConditions ?? []) {
    const found = pod.status?.conditions?.find((condition) => condition.type === type);
    if (found?.status === (status ?? 'True')) return `Pod ${keyOf(pod)} has condition ${type}`;
  }
  return undefined;
}
