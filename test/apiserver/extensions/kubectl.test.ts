// Stock kubectl defines a kind, waits for it, and works with its objects at once.

import t from 'tap';
import { startTestServer } from '../harness.ts';
import { kubectlFor } from '../kubectl.ts';
import { noKubectl } from '../proxy/cluster.ts';
import { cronTab, cronTabDefinition, cronTabSchema, version } from './definitions.ts';

const described = { ...cronTabSchema, description: 'CronTab runs things' };
const more = {
  subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } },
  additionalPrinterColumns: [
    { name: 'Spec', type: 'string', jsonPath: '.spec.cronSpec' },
    { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas', priority: 1 },
  ],
};

t.test('kubectl', { skip: noKubectl }, async (t) => {
  const api = await startTestServer();
  const kubectl = await kubectlFor(api);
  t.teardown(async () => {
    await kubectl.close();
    await api.stop();
  });
  const run = (...args: readonly string[]) => kubectl.run([...args]);
  const definition = JSON.stringify(cronTabDefinition([version('v1', more, described)]));

  t.match(await kubectl.run(['apply', '-f', '-'], definition), { code: 0, out: /created/ });
  const name = 'crd/crontabs.stable.example.com';
  t.match(await run('wait', '--for=condition=Established', name, '--timeout=5s'), { code: 0, out: /condition met/ });
  t.match(await kubectl.run(['apply', '-f', '-'], JSON.stringify(cronTab('a'))), { code: 0, out: /created/ });
  t.match(await run('get', 'ct', '-o', 'wide'), { out: /^NAME +SPEC +REPLICAS\na +\* \* \* \* \*\/5 +1\n$/ });
  t.match(await run('get', 'all', '-o', 'name'), { out: /crontab.stable.example.com\/a/ });
  t.match(await run('explain', 'crontab'), { out: /KIND: +CronTab(.|\n)*CronTab runs things(.|\n)*spec\t<Object>/ });
  t.match(await run('explain', 'ct.spec.replicas'), { out: /FIELD: replicas <integer>/ });
  t.match(await run('scale', 'ct', 'a', '--replicas=3'), { code: 0, out: /scaled/ });
  t.match(await run('patch', 'ct', 'a', '--type=merge', '-p', '{"spec":{"replicas":11}}'), {
    code: 1,
    err: /spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10/,
  });
  t.match(await kubectl.run(['apply', '-f', '-'], JSON.stringify(cronTab('b', { nope: 1 }))), {
    code: 1,
    err: /unknown field "spec.nope"/,
  });
  t.match(await run('get', 'ct', 'a', '-o', 'jsonpath={.spec.replicas} {.metadata.generation}'), { out: '3 2' });
  t.match(await run('delete', name), { code: 0 });
  t.match(await run('get', 'ct'), { code: 1 });
});
