// Certificates on two hosts with stock kubectl: one is extended and renewed, and the CA is replaced, while everything runs.

import t from 'tap';
import { createLab, eventually, mustSucceed } from './lab.ts';

t.setTimeout(300_000);
const lab = createLab('certs');
const certs = (...args: readonly string[]) => lab.k8ts('master', ['certs', ...args], { timeout: 150_000 });
/** Through the API server to the agent of a node and back: each verifies the other by the cluster's CA. */
const throughTo = (node: string): Promise<string> =>
  lab.kubectl(['get', '--raw', `/api/v1/nodes/${node}/proxy/metrics`]);

t.before(async () => {
  await lab.down();
  await lab.up('master', 'node1');
  await Promise.all(
    ['master', 'node1'].map(async (host) =>
      mustSucceed(await lab.k8ts(host, ['image', 'import', lab.images[0] ?? ''])),
    ),
  );
  mustSucceed(await lab.k8ts('master', ['init']));
  const join = mustSucceed(await lab.k8ts('master', ['token', 'create', '--print-join-command'])).stdout.trim();
  mustSucceed(await lab.k8ts('node1', join.split(/\s+/).slice(1)));
});
t.teardown(() => lab.down());

t.test('a name is added and served without a restart', async (t) => {
  const before = mustSucceed(await lab.k8ts('master', ['status', '-o', 'json'])).stdout;
  mustSucceed(await certs('add-san', 'api.example.org'));
  const server = `https://${await lab.addressOf('master')}:6443`;
  await eventually('the new certificate is served', 30_000, async () => {
    const named = await lab.tryKubectl([`--server=${server}`, '--tls-server-name=api.example.org', 'get', 'nodes']);
    return named.code === 0 ? true : undefined;
  });
  const after = mustSucceed(await lab.k8ts('master', ['status', '-o', 'json'])).stdout;
  const services = (text: string) =>
    (JSON.parse(text) as readonly { readonly kind: string; readonly name: string; readonly detail: string }[])
      .filter(({ kind }) => kind === 'service')
      .map(({ name, detail }) => `${name} ${detail}`);
  t.same(services(after), services(before), 'by the same processes');
});

t.test('the CA is replaced under a cluster that runs; the old kubeconfig ends with the last stage', async (t) => {
  mustSucceed(await lab.on('master', ['cp', '/etc/kubernetes/admin.conf', '/root/old.conf']));
  const withOld = () => lab.on('master', ['env', 'KUBECONFIG=/root/old.conf', lab.kubectlPath, 'get', 'nodes']);
  for (const stage of ['trust', 'issue']) {
    t.match(mustSucceed(await certs('rotate-ca')).stdout, new RegExp(`\\[${stage}\\]`));
    mustSucceed(await withOld());
    for (const node of ['master', 'node1'])
      t.match(await throughTo(node), /kubelet_certificate_manager_client_ttl_seconds \d/);
  }
  t.match(mustSucceed(await certs('rotate-ca')).stdout, /old CA is trusted no more/);
  await eventually('the old kubeconfig is refused', 30_000, async () =>
    (await withOld()).code === 0 ? undefined : true,
  );
  for (const node of ['master', 'node1'])
    t.match(await throughTo(node), /kubelet_certificate_manager_server_ttl_seconds \d/);
  const nodes = await lab.kubectl(['get', 'nodes', '--no-headers']);
  for (const name of ['master', 'node1']) t.match(nodes, new RegExp(`^${name}\\s+Ready\\s`, 'm'));
  for (const host of ['master', 'node1']) mustSucceed(await lab.k8ts(host, ['status']));
});

t.test('what is down is said, and told by the exit code', async (t) => {
  const rows = JSON.parse(mustSucceed(await lab.k8ts('node1', ['status', '-o', 'json'])).stdout) as readonly {
    readonly name: string;
    readonly detail: string;
  }[];
  t.ok(rows.some(({ name }) => name === 'kubelet-client'));
  await lab.down('master');
  const output = await lab.k8ts('node1', ['status']);
  t.equal(output.code, 1);
  t.match(output.stdout, /^api +API server +unreachable/m);
  t.match(output.stdout, /^certificate +kubelet-client +valid/m);
  t.match(output.stderr, /NOT_READY/);
});
