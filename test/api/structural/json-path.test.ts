// The JSON paths of printer columns.

import t from 'tap';
import { compileJsonPath } from '../../../src/api/structural/json-path.ts';

const object = {
  metadata: { annotations: { 'a.b': 'dotted' } },
  spec: { replicas: 3, empty: null, hosts: ['a', 'b', 'c'], nested: { replicas: 4 } },
  status: {
    conditions: [
      { type: 'Ready', status: 'True', weight: 1 },
      { type: 'Done', status: 'False', weight: 7 },
    ],
  },
};

const cases: Readonly<Record<string, readonly unknown[]>> = {
  '.spec.replicas': [3],
  '{.spec.replicas}': [3],
  '.spec.empty': [],
  '.spec.absent.deeper': [],
  '.metadata.annotations.a\\.b': ['dotted'],
  ".metadata.annotations['a.b']": ['dotted'],
  '.spec.hosts[0]': ['a'],
  '.spec.hosts[-1]': ['c'],
  '.spec.hosts[7]': [],
  '.spec.hosts[*]': ['a', 'b', 'c'],
  '.spec.hosts[1:]': ['b', 'c'],
  '.spec.hosts[0:3:2]': ['a', 'c'],
  '.spec.hosts[0,2]': ['a', 'c'],
  '.status.conditions[-1:].type': ['Done'],
  '.status.conditions[?(@.type=="Ready")].status': ['True'],
  ".status.conditions[?(@.type == 'Done')].status": ['False'],
  '.status.conditions[?(@.type!="Ready")].status': ['False'],
  '.status.conditions[?(@.weight>5)].type': ['Done'],
  '.status.conditions[?(@.weight<=1)].type': ['Ready'],
  '.status.conditions[?(@.absent)].type': [],
  '.spec..replicas': [3, 4],
};

for (const [path, want] of Object.entries(cases)) {
  t.test(path, async (t) => t.strictSame(compileJsonPath(path)(object), want));
}

for (const path of ['.spec[', '.spec.hosts[x]', '.spec a']) {
  t.test(`refused: ${path}`, async (t) => t.throws(() => compileJsonPath(path), SyntaxError));
}
