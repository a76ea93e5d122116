// What a request asks for wrongly: told in upstream's words, with upstream's codes, and nothing is done.

import t from 'tap';
import { configMap, configMaps, startTestServer } from './harness.ts';

const api = await startTestServer();
t.teardown(() => api.stop());

const pods = '/api/v1/namespaces/default/pods';
const deployments = '/apis/apps/v1/namespaces/default/deployments';
const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
await api.call('POST', configMaps, configMap('kept'));
await api.call('POST', pods, { apiVersion: 'v1', kind: 'Pod', ...template, metadata: { name: 'pod' } });
await api.call('POST', deployments, {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: { selector: { matchLabels: { a: 'b' } }, template },
});

await api.call('POST', '/apis/node.k8s.io/v1/runtimeclasses', {
  apiVersion: 'node.k8s.io/v1',
  kind: 'RuntimeClass',
  metadata: { name: 'fast' },
  handler: 'fast',
});

interface Case {
  readonly name: string;
  readonly send: readonly [method: string, path: string, body?: unknown];
  readonly code: number;
  readonly message: string;
}

const forbidden = (options: string, field: string, why: string): string =>
  `${options}.meta.k8s.io "" is invalid: ${field}: Forbidden: ${why}`;

const lists: readonly Case[] = [
  {
    name: 'no number',
    send: ['GET', `${configMaps}?limit=x`],
    code: 400,
    message: 'strconv.ParseInt: parsing "x": invalid syntax',
  },
  {
    name: 'a number of more than 64 bits',
    send: ['GET', `${configMaps}?limit=99999999999999999999`],
    code: 400,
    message: 'strconv.ParseInt: parsing "99999999999999999999": value out of range',
  },
  {
    name: 'a timeout that is none',
    send: ['GET', `${configMaps}?timeoutSeconds=1.5`],
    code: 400,
    message: 'strconv.ParseInt: parsing "1.5": invalid syntax',
  },
  {
    name: 'a revision that is none',
    send: ['GET', `${configMaps}?watch=1&resourceVersion=-1`],
    code: 400,
    message: 'resourceVersion: Invalid value: "-1": strconv.ParseUint: parsing "-1": invalid syntax',
  },
  {
    name: 'a match without a revision',
    send: ['GET', `${configMaps}?resourceVersionMatch=Exact`],
    code: 422,
    message: forbidden(
      'ListOptions',
      'resourceVersionMatch',
      'resourceVersionMatch is forbidden unless resourceVersion is provided',
    ),
  },
  {
    name: 'a match that there is not',
    send: ['GET', `${configMaps}?resourceVersionMatch=Nope&resourceVersion=1`],
    code: 422,
    message:
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "Nope": supported values: "Exact", "NotOlderThan", ""',
  },
  {
    name: 'initial events of a list',
    send: ['GET', `${configMaps}?sendInitialEvents=true`],
    code: 422,
    message: forbidden('ListOptions', 'sendInitialEvents', 'sendInitialEvents is forbidden for list'),
  },
  {
    name: 'a match of a watch',
    send: ['GET', `${configMaps}?watch=1&resourceVersionMatch=NotOlderThan&resourceVersion=1`],
    code: 422,
    message: forbidden(
      'ListOptions',
      'resourceVersionMatch',
      'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
    ),
  },
  {
    name: 'a field of a kind that has keys of its own',
    send: ['GET', `${pods}?fieldSelector=spec.nope=1`],
    code: 400,
    message: 'field label not supported: spec.nope',
  },
];

const writes: readonly Case[] = [
  {
    name: 'another dry run',
    send: ['POST', `${configMaps}?dryRun=Some`, configMap('new')],
    code: 422,
    message: 'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
  },
  {
    name: 'a grace period that is no number',
    send: ['DELETE', `${configMaps}/kept?gracePeriodSeconds=x`],
    code: 400,
    message: 'strconv.ParseInt: parsing "x": invalid syntax',
  },
  {
    name: 'another propagation policy',
    send: ['DELETE', `${configMaps}/kept`, { propagationPolicy: 'Nope' }],
    code: 422,
    message:
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Nope": supported values: "Foreground", "Background", "Orphan", "nil"',
  },
  {
    name: 'two ways to say what becomes of dependents',
    send: ['DELETE', `${configMaps}/kept?orphanDependents=true&propagationPolicy=Foreground`],
    code: 422,
    message:
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Foreground": orphanDependents and deletionPropagation cannot be both set',
  },
  {
    name: 'options that are an object of another kind',
    send: ['DELETE', `${configMaps}/kept`, { apiVersion: 'v1', kind: 'Pod' }],
    code: 400,
    message: 'the body of the request cannot be handled as a DeleteOptions',
  },
  {
    name: 'an object that does not name itself',
    send: ['PUT', `${configMaps}/kept`, { apiVersion: 'v1', kind: 'ConfigMap' }],
    code: 400,
    message: 'the name of the object (kept based on URL) was undeterminable: name must be provided',
  },
  {
    name: 'an object of another namespace',
    send: ['PUT', `${configMaps}/kept`, { ...configMap('kept'), metadata: { name: 'kept', namespace: 'other' } }],
    code: 400,
    message: 'the namespace of the object (other) does not match the namespace on the request (default)',
  },
  {
    name: 'a mark for deletion by a change',
    send: [
      'PUT',
      `${configMaps}/kept`,
      { ...configMap('kept'), metadata: { name: 'kept', deletionTimestamp: '2000-01-01T00:00:00Z' } },
    ],
    code: 422,
    message:
      'ConfigMap "kept" is invalid: metadata.deletionTimestamp: Invalid value: "2000-01-01T00:00:00Z": field is immutable',
  },
  {
    name: 'a method that logs do not have',
    send: ['POST', `${pods}/pod/log`],
    code: 405,
    message: 'the server does not allow this method on the requested resource',
  },
  {
    name: 'a binding of another pod',
    send: ['POST', `${pods}/pod/binding`, { metadata: { name: 'other' }, target: { name: 'node' } }],
    code: 400,
    message: 'name in URL does not match name in Binding object',
  },
  {
    name: 'a binding of nobody',
    send: ['POST', '/api/v1/namespaces/default/bindings', { target: { name: 'node' } }],
    code: 400,
    message: 'Name parameter required.',
  },
  {
    name: 'an eviction of nobody',
    send: ['POST', `${pods}/pod/eviction`, {}],
    code: 400,
    message: 'name in URL does not match name in Eviction object',
  },
  {
    name: 'a scale that is a Deployment',
    send: ['PUT', `${deployments}/web/scale`, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } }],
    code: 400,
    message: 'Deployment in version "v1" cannot be handled as a Scale: the request is for Scale objects',
  },
  {
    name: 'a scale of nobody',
    send: ['PUT', `${deployments}/web/scale`, { apiVersion: 'autoscaling/v1', kind: 'Scale', spec: { replicas: 2 } }],
    code: 400,
    message: 'the name of the object (web based on URL) was undeterminable: name must be provided',
  },
  {
    name: 'an object that does not name itself, of a kind whose changes need a revision',
    send: ['PUT', '/apis/node.k8s.io/v1/runtimeclasses/fast', { handler: 'fast' }],
    code: 400,
    message: 'the name of the object (fast based on URL) was undeterminable: name must be provided',
  },
];

for (const { name, send, code, message } of [...lists, ...writes]) {
  t.test(name, async (t) => {
    const before = api.store.revision;
    const answer = await api.call(...send);
    t.equal(answer.status, code);
    t.match(answer.body, { kind: 'Status', status: 'Failure', code, message });
    t.equal(api.store.revision, before);
  });
}

t.test('owners that are named twice are dropped with a warning', async (t) => {
  const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'kept', uid: '1', controller: true };
  const owned = { ...configMap('owned'), metadata: { name: 'owned', ownerReferences: [owner, owner] } };
  const answer = await api.call('POST', configMaps, owned);
  t.equal(answer.status, 201);
  t.match(answer.body, { metadata: { ownerReferences: [owner] } });
  t.equal((answer.body as { metadata: { ownerReferences: [] } }).metadata.ownerReferences.length, 1);
  t.match(answer.headers['warning'], /duplicate UID\(s\) observed: 1/);
});

t.test('a patch may not change the uid', async (t) => {
  const answer = await api.patch(`${configMaps}/kept`, { metadata: { uid: 'another' } });
  t.match(answer.body, { code: 422, details: { causes: [{ field: 'metadata.uid', reason: 'FieldValueInvalid' }] } });
});

t.test('a limit below one is none', async (t) => {
  t.equal((await api.call('GET', `${configMaps}?limit=-1`)).status, 200);
});

t.test('deprecated kinds are served with a warning', async (t) => {
  for (const path of ['/api/v1/componentstatuses', '/api/v1/endpoints']) {
    t.match((await api.call('GET', path)).headers['warning'], /^299 - "v1 \w+ is deprecated in v1\./, path);
  }
});
