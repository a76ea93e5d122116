// The ways between all nodes, from what each reported, and who is to blame when some do not work. Two nodes that cannot
// reach each other do not say whose fault it is; a third one does: a node that has trouble with every other is named alone.

import { addressesOf, reported } from './nodes.ts';
import type { NodePath, Observations, PathState } from './observations.ts';

/** One entry per pair and direction that was tried. */
export function pathsOf(observed: Observations): readonly NodePath[] {
  const nodes = (observed.cluster?.nodes ?? []).map(addressesOf);
  return reported(observed).flatMap(([from, { report }]) => {
    const outcomes = new Map(report.reached.map(({ target, outcome }) => [target, outcome]));
    const stateOf = (target: string | undefined): PathState | undefined => {
      const outcome = outcomes.get(target ?? '');
      return target === undefined || outcome === undefined ? undefined : { target, outcome };
    };
    return nodes
      .filter(({ name }) => name !== from)
      .flatMap(({ name, direct, overlay }) => {
        const way = stateOf(direct);
        return way === undefined ? [] : [{ from, to: name, direct: way, overlay: stateOf(overlay) }];
      });
  });
}

export type Trouble =
  | { readonly node: string; readonly pairs: readonly Pair[] }
  | { readonly between: Pair; readonly pairs: readonly Pair[] };

export interface Pair {
  readonly from: string;
  readonly to: string;
}

/**
 * Groups pairs that do not work: by the node that has trouble with every other one it was tried with, if there are at least
 * three nodes; what is left, by two.
 * @param tried every pair that was tried
 */
export function blame(tried: readonly Pair[], failing: readonly Pair[]): readonly Trouble[] {
  const key = ({ from, to }: Pair): string => [from, to].sort().join(' ');
  const broken = new Set(failing.map(key));
  const names = [...new Set(tried.flatMap(({ from, to }) => [from, to]))].sort();
  const isWith = (name: string) => (pair: Pair) => pair.from === name || pair.to === name;
  const guilty =
    names.length < 3 ? [] : names.filter((name) => tried.filter(isWith(name)).every((pair) => broken.has(key(pair))));
  // When nobody reaches anybody, every node is guilty, and each is named.
  const alone = guilty.map((node) => ({ node, pairs: failing.filter(isWith(node)) }));
  const rest = failing.filter((pair) => !guilty.some((name) => isWith(name)(pair)));
  const couples = [...new Map(rest.map((pair) => [key(pair), pair])).values()];
  return [
    ...alone,
    ...couples.map((between) => ({ between, pairs: rest.filter((pair) => key(pair) === key(between)) })),
  ];
}
