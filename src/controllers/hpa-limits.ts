// What of a wish for other replicas is granted: the autoscaler's bounds, and how fast it may go. Without `behavior`: up to
// twice the replicas or four more in 15 seconds; down only after the wish held for five minutes.
// In simple form: a policy counts from the replicas of now, which are looked at every 15 seconds, not from those at the
// beginning of its period. Source: autoscaling/v2 HorizontalPodAutoscalerBehavior.

import type { HorizontalPodAutoscaler } from '../api/index.ts';

type Spec = NonNullable<HorizontalPodAutoscaler['spec']>;
type Rules = NonNullable<NonNullable<Spec['behavior']>['scaleUp']>;
type Condition = NonNullable<NonNullable<HorizontalPodAutoscaler['status']>['conditions']>[number];

export interface Granted {
  readonly replicas: number;
  /** ScalingLimited. */
  readonly limited: Pick<Condition, 'status' | 'reason' | 'message'>;
}

export const lookEveryMs = 15_000;

const upByDefault: Rules = {
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
const downByDefault: Rules = { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] };

/** How long the same wish has to hold before it is followed, ms. */
export function stabilizationMs({ behavior }: Spec, direction: 'up' | 'down'): number {
  const seconds =
    direction === 'up'
      ? (behavior?.scaleUp?.stabilizationWindowSeconds ?? 0)
      : (behavior?.scaleDown?.stabilizationWindowSeconds ?? 300);
  return seconds * 1000;
}

export function grant(
  { minReplicas: min = 1, maxReplicas: max, behavior }: Spec,
  current: number,
  wish: number,
): Granted {
  const limited = (reason: string, message: string) => ({ status: 'True', reason, message });
  const within = {
    status: 'False',
    reason: 'DesiredWithinRange',
    message: 'the desired count is within the acceptable range',
  };
  const isUp = wish > current;
  const rules = isUp ? { ...upByDefault, ...behavior?.scaleUp } : { ...downByDefault, ...behavior?.scaleDown };
  const reach = wish === current ? wish : reachOf(rules, current, isUp);
  const slowed = isUp ? Math.min(wish, reach) : Math.max(wish, reach);
  if (slowed > max) {
    return {
      replicas: max,
      limited: limited('TooManyReplicas', 'the desired replica count is more than the maximum replica count'),
    };
  }
  if (slowed < min) {
    return {
      replicas: min,
      limited: limited('TooFewReplicas', 'the desired replica count is less than the minimum replica count'),
    };
  }
  if (slowed === wish) return { replicas: wish, limited: within };
  return isUp
    ? {
        replicas: slowed,
        limited: limited('ScaleUpLimit', 'the desired replica count is increasing faster than the maximum scale rate'),
      }
    : {
        replicas: slowed,
        limited: limited(
          'ScaleDownLimit',
          'the desired replica count is decreasing faster than the maximum scale rate',
        ),
      };
}

function reachOf({ selectPolicy = 'Max', policies = [] }: Rules, current: number, isUp: boolean): number {
  if (selectPolicy === 'Disabled') return current;
  const sign = isUp ? 1 : -1;
  // What of a policy's period has passed between two looks.
  const steps = policies.map(({ type, value, periodSeconds }) => {
    const share = Math.min(1, lookEveryMs / 1000 / periodSeconds);
    return Math.max(1, Math.ceil((type === 'Pods' ? value : (current * value) / 100) * share));
  });
  const step = selectPolicy === 'Min' ? Math.min(...steps) : Math.max(...steps);
  return Math.max(0, current + sign * step);
}
