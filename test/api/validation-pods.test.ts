// Validation of pods, what they share with other kinds, and how a pod may change: one mistake, upstream's sentence.

import t from 'tap';
import {
  applyDefaults,
  fieldErrorText,
  type KindSpec,
  type KubeObject,
  kinds,
  validateCreate,
} from '../../src/api/index.ts';

type Fields = Readonly<Record<string, unknown>>;

function wrong(kind: KindSpec, content: object): string[] {
  const made = structuredClone({ metadata: { name: 'x', namespace: 'default' }, ...content }) as KubeObject;
  applyDefaults(kind, made);
  return validateCreate(kind, made).map(fieldErrorText);
}

const pod = (spec: Fields): object => ({ spec: { containers: [{ name: 'a', image: 'i' }], ...spec } });

const emptyKey = [
  'Invalid value: "": name part must be non-empty',
  `Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
];
const badLabel = `Invalid value: "a b": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`;
const noOperator = 'Invalid value: "": not a valid selector operator';

t.test('selectors of nodes and labels', async (t) => {
  const needed = (term: object): string[] =>
    wrong(
      kinds.pod,
      pod({
        affinity: {
          nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } },
        },
      }),
    );
  const at =
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0]';
  t.strictSame(
    needed({ matchExpressions: [{}] }),
    [`${at}.operator: ${noOperator}`, ...emptyKey.map((why) => `${at}.key: ${why}`)],
    'neither key nor operator',
  );
  t.strictSame(needed({ matchExpressions: [{ key: 'k', operator: 'Exists', values: ['a b'] }] }), [
    `${at}.values: Forbidden: may not be specified when \`operator\` is 'Exists' or 'DoesNotExist'`,
    `${at}.values[0]: ${badLabel}`,
  ]);
  const fields = at.replace('Expressions', 'Fields');
  t.strictSame(needed({ matchFields: [{}] }), [
    `${fields}.operator: ${noOperator}`,
    `${fields}.key: Invalid value: "": not a valid field selector key`,
  ]);
  const preferred = (preference: object): string[] =>
    wrong(
      kinds.pod,
      pod({
        affinity: {
          nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference }] },
        },
      }),
    );
  t.strictSame(
    preferred({ matchExpressions: [{ key: 'k', operator: 'In', values: ['a b'] }] }),
    [],
    'a wish may name a value that no label has',
  );
  const labels = wrong(kinds.deployment, {
    spec: {
      selector: { matchLabels: { app: 'x' }, matchExpressions: [{}] },
      template: { metadata: { labels: { app: 'x' } }, ...pod({}) },
    },
  });
  const selector = 'spec.selector.matchExpressions[0]';
  t.strictSame(labels, [`${selector}.operator: ${noOperator}`, ...emptyKey.map((why) => `${selector}.key: ${why}`)]);
});
