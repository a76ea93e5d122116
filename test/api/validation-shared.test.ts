// Validation of what kinds share, metadata and selectors: one mistake, upstream's sentence.

import t from 'tap';
import { type KindSpec, kinds } from '../../src/api/index.ts';
import { dnsSubdomain, labelValue } from './sentences.ts';
import { wrong } from './validated.ts';

type Fields = Readonly<Record<string, unknown>>;

const pod = (spec: Fields): object => ({ spec: { containers: [{ name: 'a', image: 'i' }], ...spec } });

const emptyKey = [
  'Invalid value: "": name part must be non-empty',
  `Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
];
const badLabel = `Invalid value: "a b": ${labelValue}`;
const noOperator = 'Invalid value: "": not a valid selector operator';

t.test('selectors of nodes and labels', async (t) => {
  const needed = (term: object): readonly string[] =>
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
  const preferred = (preference: object): readonly string[] =>
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
  t.strictSame(labels.slice(0, 3), [
    `${selector}.operator: ${noOperator}`,
    ...emptyKey.map((why) => `${selector}.key: ${why}`),
  ]);
});

t.test('finalizers, and names that are still to be made', async (t) => {
  const of = (kind: KindSpec, metadata: Fields): readonly string[] =>
    wrong(kind, { metadata: { name: 'x', namespace: 'default', ...metadata } });
  t.strictSame(of(kinds.configMap, { finalizers: ['a', 'example.com/f', 'orphan', 'foregroundDeletion'] }), [
    'metadata.finalizers: Invalid value: ["a","example.com/f","orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
    'metadata.finalizers[0]: Invalid value: "a": name is neither a standard finalizer name nor is it fully qualified',
  ]);
  t.strictSame(of(kinds.lease, { finalizers: ['a'] }), [], 'only kinds of the core libraries ask for more');
  t.strictSame(of(kinds.configMap, { generateName: 'a-' }), []);
  t.strictSame(of(kinds.configMap, { generateName: '-' }), [
    `metadata.generateName: Invalid value: "-": ${dnsSubdomain}`,
  ]);
  t.strictSame(of(kinds.configMap, { ownerReferences: [{ apiVersion: 'v1', kind: 'Event', name: 'e', uid: '1' }] }), [
    'metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"e","uid":"1"}: /v1, Kind=Event is disallowed from being an owner',
  ]);
});
