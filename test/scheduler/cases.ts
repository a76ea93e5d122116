// Placement as a table: what each case has, and where its pod goes or why it does not.

import t from 'tap';
import type { Node, Pod, Stored } from '../../src/api/index.ts';
import { node, placed } from './objects.ts';

interface Case {
  readonly name: string;
  readonly pod: Stored<Pod>;
  readonly nodes: readonly Stored<Node>[];
  readonly running?: readonly (readonly [Stored<Pod>, string])[];
  readonly want: string | RegExp;
}

export const zone = 'topology.kubernetes.io/zone';
export const inZone = (name: string, value: string): Stored<Node> => node(name, { labels: { [zone]: value } });

export function check(title: string, cases: readonly Case[]): void {
  t.test(title, async (t) => {
    for (const { name, pod: wanting, nodes, running, want } of cases) {
      const got = placed(wanting, nodes, running);
      if (typeof want === 'string') t.equal(got, want, name);
      else t.match(got, want, name);
    }
  });
}
