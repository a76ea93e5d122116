// Aggregated ClusterRoles: a role with an aggregationRule has the rules of every ClusterRole whose labels one of its
// selectors matches. Authorization computes them itself, so a new role counts at once; startRoleAggregation writes the
// result into the object as well, because clients (kubectl describe, helm charts) read `rules` there.

import { type ClusterRole, compileLabelSelector, kinds, type PolicyRule } from '../../api/index.ts';
import { type Logger, messageOf } from '../../base/index.ts';
import type { ObjectReader, ObjectWriter } from '../contracts.ts';

/** The union of the rules that `role` aggregates, ordered by role name, without repeats. */
export function aggregatedRules(role: ClusterRole, all: readonly ClusterRole[]): readonly PolicyRule[] {
  const matchers = (role.aggregationRule?.clusterRoleSelectors ?? []).map(compileLabelSelector);
  const sources = all
    .filter((other) => other.metadata?.name !== role.metadata?.name)
    .filter((other) => matchers.some((matcher) => matcher.matches(other.metadata?.labels ?? {})))
    .sort((a, b) => ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1));
  const seen = new Map<string, PolicyRule>();
  for (const rule of sources.flatMap((source) => source.rules ?? [])) {
    const key = JSON.stringify(rule);
    if (!seen.has(key)) seen.set(key, rule);
  }
  return [...seen.values()];
}

export interface RoleAggregationOptions {
  readonly reader: ObjectReader;
  readonly writer: ObjectWriter;
  readonly log: Logger;
}

/** Keeps `rules` of aggregated ClusterRoles up to date. Changes are gathered until the current turn of the event loop ends. */
export function startRoleAggregation({ reader, writer, log }: RoleAggregationOptions): {
  stop(): void;
  /** Writes what is out of date now; resolves when written. */
  settle(): Promise<void>;
} {
  let stopped = false;
  let scheduled = false;
  const settle = async (): Promise<void> => {
    const all = reader.list<ClusterRole>(kinds.clusterRole);
    for (const role of all.filter((candidate) => candidate.aggregationRule !== undefined)) {
      const rules = aggregatedRules(role, all);
      if (JSON.stringify(rules) === JSON.stringify(role.rules ?? [])) continue;
      await writer.update<ClusterRole>(kinds.clusterRole, undefined, role.metadata?.name ?? '', (current) =>
        JSON.stringify(current.rules ?? []) === JSON.stringify(rules) ? undefined : { ...current, rules },
      );
    }
  };
  reader.onChange(kinds.clusterRole, () => {
    if (scheduled || stopped) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      if (stopped) return;
      settle().catch((error: unknown) => log.warn('aggregated ClusterRoles not written', { error: messageOf(error) }));
    });
  });
  return {
    stop() {
      stopped = true;
    },
    settle,
  };
}
