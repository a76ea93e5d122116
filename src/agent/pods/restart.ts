// Whether a container that has ended starts again: the first of its own rules that fits the exit code, then its own policy,
// then its pod's. An init container that always does is a sidecar (see identity.ts).
// Source: KEP-5307; kubernetes pkg/kubelet/container/helpers.go (ContainerShouldRestart).

import type { Container } from '../../api/index.ts';

type Rule = NonNullable<Container['restartPolicyRules']>[number];

/** @param podPolicy the pod's restartPolicy */
export function restartsAfter(container: Container, podPolicy: string, exitCode: number): boolean {
  const { restartPolicy: policy = podPolicy, restartPolicyRules: rules = [] } = container;
  if (rules.some((rule) => rule.action === 'Restart' && fits(rule, exitCode))) return true;
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

function fits({ exitCodes }: Rule, exitCode: number): boolean {
  if (exitCodes === undefined) return false;
  return (exitCodes.values ?? []).includes(exitCode) === (exitCodes.operator === 'In');
}
