// Node selectors: which nodes a pod wants by label or name. Compiled once per pod, then asked per node, by the scheduler and
// by the DaemonSet controller.
// Source: core/v1 NodeSelector; terms are alternatives, the requirements of one term hold together.

import type { Node, PodSpec } from '../types.ts';

type Terms = NonNullable<
  NonNullable<
    NonNullable<NonNullable<PodSpec['affinity']>['nodeAffinity']>['requiredDuringSchedulingIgnoredDuringExecution']
  >
>['nodeSelectorTerms'];
type NodeTerm = Terms[number];
type Requirement = NonNullable<NodeTerm['matchExpressions']>[number];

export type NodeTest = (node: Node) => boolean;

/** One term. A term without any requirement matches nothing, as upstream. */
export function compileTerm({ matchExpressions = [], matchFields = [] }: NodeTerm): NodeTest {
  const labels = matchExpressions.map((requirement) => {
    const test = compileRequirement(requirement);
    return ({ metadata }: Node) => test(metadata?.labels?.[requirement.key]);
  });
  const fields = matchFields.map((requirement) => {
    const test = compileRequirement(requirement);
    // metadata.name is the only field there is.
    return ({ metadata }: Node) => test(requirement.key === 'metadata.name' ? metadata?.name : undefined);
  });
  const tests = [...labels, ...fields];
  return tests.length === 0 ? () => false : (node) => tests.every((test) => test(node));
}

/** nodeSelector and required node affinity together; undefined when the pod asks for neither. */
export function compileNodeSelection({ nodeSelector, affinity }: PodSpec): NodeTest | undefined {
  const wanted = Object.entries(nodeSelector ?? {});
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const terms = required?.nodeSelectorTerms.map(compileTerm);
  if (wanted.length === 0 && terms === undefined) return undefined;
  return (node) => {
    const labels = node.metadata?.labels ?? {};
    if (!wanted.every(([key, value]) => labels[key] === value)) return false;
    return terms === undefined || terms.some((matches) => matches(node));
  };
}

function compileRequirement({ operator, values = [] }: Requirement): (value: string | undefined) => boolean {
  const set = new Set(values);
  const bound = Number(values[0]);
  switch (operator) {
    case 'In':
      return (value) => value !== undefined && set.has(value);
    case 'NotIn':
      return (value) => value === undefined || !set.has(value);
    case 'Exists':
      return (value) => value !== undefined;
    case 'DoesNotExist':
      return (value) => value === undefined;
    case 'Gt':
      return (value) => isInteger(value) && Number(value) > bound;
    case 'Lt':
      return (value) => isInteger(value) && Number(value) < bound;
    default:
      return () => false;
  }
}

function isInteger(value: string | undefined): value is string {
  return value !== undefined && /^[+-]?\d+$/.test(value);
}
