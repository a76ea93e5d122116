// Stock kubectl goes from client-side to server-side apply, compares, edits, and meets other managers.

import t from 'tap';
import { at, startTestServer } from './harness.ts';
import { kubectlFor } from './kubectl.ts';
import { noKubectl } from './proxy/cluster.ts';

const manifest = (replicas: number, image = 'i:1'): string =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'c', image, ports: [{ containerPort: 80 }] }] },
      },
    },
  });

t.test('kubectl', { skip: noKubectl }, async (t) => {
  const api = await startTestServer();
  const kubectl = await kubectlFor(api);
  t.teardown(async () => {
    await kubectl.close();
    await api.stop();
  });
  const apply = (input: string, ...flags: readonly string[]) =>
    kubectl.run(['apply', '--server-side', '-f', '-', ...flags], input);
  const path = '/apis/apps/v1/namespaces/default/deployments/web';
  const managers = async (): Promise<readonly string[]> => {
    const entries = at((await api.call('GET', path)).body, 'metadata.managedFields') as Record<string, string>[];
    return entries
      .map(({ manager, operation, subresource = '' }) => `${manager} ${operation} ${subresource}`.trim())
      .sort();
  };

  t.match(await kubectl.run(['apply', '-f', '-'], manifest(1)), { code: 0, out: 'deployment.apps/web created\n' });
  t.same(await managers(), ['kubectl-client-side-apply Update']);
  t.match(await apply(manifest(2)), { code: 0, out: 'deployment.apps/web serverside-applied\n' }, 'takes over its own');
  t.same(await managers(), ['kubectl Apply', 'kubectl-last-applied Apply']);

  await kubectl.run(['scale', 'deployment', 'web', '--replicas=5']);
  t.match(await apply(manifest(2)), {
    code: 1,
    err: /^error: Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps\/v1: \.spec\.replicas\n/,
  });
  t.equal((await apply(manifest(2), '--force-conflicts')).code, 0);
  t.same(await managers(), ['kubectl Apply', 'kubectl-last-applied Apply']);

  t.match(await kubectl.run(['diff', '--server-side', '-f', '-'], manifest(2)), { code: 0, out: '' });
  t.match(await kubectl.run(['diff', '--server-side', '-f', '-'], manifest(3)), {
    code: 1,
    out: /^\+ {2}replicas: 3$/m,
  });
  t.match(await apply(manifest(2, 'i:2'), '--field-manager=other'), {
    code: 1,
    err: /conflict with "kubectl": \.spec\.template\.spec\.containers\[name="c"\]\.image/,
  });
  t.equal((await apply(manifest(2), '--field-manager=other')).code, 0, 'the same values are shared');
  t.same(await managers(), ['kubectl Apply', 'kubectl-last-applied Apply', 'other Apply']);

  const shown = await kubectl.run(['get', 'deployment', 'web', '-o', 'yaml', '--show-managed-fields']);
  t.match(shown.out, /k:\{"containerPort":80,"protocol":"TCP"\}:\n\s+\.: \{\}\n\s+f:containerPort: \{\}/);
  t.notMatch((await kubectl.run(['get', 'deployment', 'web', '-o', 'yaml'])).out, /managedFields/);
});

const named = (kind: string, apiVersion: string, rest: object): object => ({
  kind,
  apiVersion,
  metadata: { name: 'x' },
  ...rest,
});
const volumes = [
  { name: 'e', emptyDir: {} },
  { name: 'd', downwardAPI: {} },
  { name: 'c', configMap: { name: 'c' } },
];
const migrated = [
  named('Pod', 'v1', { spec: { containers: [{ name: 'c', image: 'i', securityContext: {} }], volumes } }),
  named('PriorityLevelConfiguration', 'flowcontrol.apiserver.k8s.io/v1', {
    spec: { type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing: {} } } },
  }),
  named('NetworkPolicy', 'networking.k8s.io/v1', { spec: { podSelector: {}, ingress: [{}] } }),
];

t.test('empty objects survive the way from client-side to server-side apply', { skip: noKubectl }, async (t) => {
  const api = await startTestServer();
  const kubectl = await kubectlFor(api);
  t.teardown(async () => {
    await kubectl.close();
    await api.stop();
  });
  const list = JSON.stringify({ kind: 'List', apiVersion: 'v1', items: migrated });
  const specs = async (): Promise<unknown> =>
    JSON.parse((await kubectl.run(['get', '-f', '-', '-o', 'json'], list)).out).items.map(
      (item: Record<string, unknown>) => item['spec'],
    );
  t.match(await kubectl.run(['apply', '-f', '-'], list), { code: 0 });
  const before = await specs();
  for (const time of ['first', 'second']) {
    t.match(await kubectl.run(['apply', '--server-side', '-f', '-'], list), { code: 0, err: '' }, time);
    t.strictSame(await specs(), before, time);
  }
});
