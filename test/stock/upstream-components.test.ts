// Upstream's own kube-scheduler and kube-controller-manager, release 1.20, do their work against this API server: in protobuf,
// with ServiceAccount credentials, leases and all. They are not fetched by scripts/setup; docs/judges.md says where they
// come from.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { freePort, startControlPlane } from './control-plane.ts';

const upstream = process.env['K8TS_UPSTREAM_BIN'] ?? '';
const kubectlPath = join(import.meta.dirname, '..', '..', '.cache', 'bin', 'kubectl');
const skip =
  upstream === ''
    ? 'K8TS_UPSTREAM_BIN does not name a folder with kube-scheduler and kube-controller-manager'
    : ([join(upstream, 'kube-scheduler'), join(upstream, 'kube-controller-manager'), kubectlPath].find(
        (path) => !existsSync(path),
      ) ?? false);
const waitMs = 60_000;

interface Pod {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly nodeName?: string; readonly containers: readonly [{ readonly image: string }] };
  readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

t.test('pods are bound, Deployments are rolled out, garbage is collected', { skip, timeout: 180_000 }, async (t) => {
  const { folder, kubeconfig, close } = await startControlPlane(['--controllers=none', '--no-scheduler']);
  t.teardown(close);
  const kubectl = async (...args: readonly string[]): Promise<string> =>
    (await promisify(execFile)(kubectlPath, args, { env: { HOME: folder, KUBECONFIG: kubeconfig } })).stdout.trim();
  const create = async (object: object): Promise<void> => {
    const running = promisify(execFile)(kubectlPath, ['create', '-f', '-'], {
      env: { HOME: folder, KUBECONFIG: kubeconfig },
    });
    running.child.stdin?.end(JSON.stringify(object));
    await running;
  };
  const data = join(folder, 'data');
  const run = async (name: string, config: string, ...flags: readonly string[]): Promise<void> => {
    const access = ['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map(
      (flag) => `--${flag}=${join(data, config)}`,
    );
    const serving = ['--port=0', '--bind-address=127.0.0.1', `--secure-port=${await freePort()}`];
    const child = spawn(join(upstream, name), [...access, ...serving, `--cert-dir=${join(folder, name)}`, ...flags], {
      stdio: 'ignore',
    });
    t.teardown(() => ended(child));
  };
  await run('kube-scheduler', 'scheduler.conf');
  await run(
    'kube-controller-manager',
    'controller-manager.conf',
    '--use-service-account-credentials',
    `--root-ca-file=${join(data, 'pki', 'ca.crt')}`,
    `--service-account-private-key-file=${join(data, 'pki', 'sa.key')}`,
  );

  const now = new Date().toISOString();
  const seconds = now.replace(/\.\d+Z$/, 'Z');
  await create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } });
  const room = { cpu: '4', memory: '8Gi', pods: '110' };
  const readyNode = { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: seconds };
  const status = { capacity: room, allocatable: room, conditions: [{ ...readyNode, lastTransitionTime: seconds }] };
  await kubectl('patch', 'node', 'n1', '--subresource=status', '--type=merge', '-p', JSON.stringify({ status }));
  await create({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'n1', namespace: 'kube-node-lease' },
    spec: { holderIdentity: 'n1', leaseDurationSeconds: 3600, renewTime: now.replace('Z', '000Z') },
  });
  const pods = async (image: string): Promise<readonly Pod[]> => {
    const { items } = JSON.parse(await kubectl('get', 'pods', '-o', 'json')) as { readonly items: readonly Pod[] };
    return items.filter(({ spec }) => spec.containers[0].image === image);
  };
  /** What a kubelet would do. */
  const makeReady = async (image: string): Promise<void> => {
    const isReady = ({ status: { conditions = [] } }: Pod): boolean =>
      conditions.some((one) => one.type === 'Ready' && one.status === 'True');
    for (const pod of await pods(image)) {
      if (pod.spec.nodeName === undefined || isReady(pod)) continue;
      const ready = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: seconds }] };
      const patch = JSON.stringify({ status: ready });
      // It may just have been deleted.
      await kubectl('patch', 'pod', pod.metadata.name, '--subresource=status', '--type=merge', '-p', patch).catch(
        () => '',
      );
    }
  };
  const rolledOut = async (image: string): Promise<boolean> => {
    await makeReady(image);
    const [all, ready, updated] = (
      await kubectl(
        'get',
        'deployment',
        'web',
        '-o',
        'jsonpath={.spec.replicas} {.status.readyReplicas} {.status.updatedReplicas}',
      )
    ).split(' ');
    return all === '3' && ready === '3' && updated === '3' && (await pods(image)).length === 3;
  };

  await kubectl('create', 'deployment', 'web', '--image=i:1', '--replicas=3');
  t.ok(await until(() => rolledOut('i:1')), 'three pods on the node, and the Deployment knows');
  t.strictSame(
    (await pods('i:1')).map(({ spec }) => spec.nodeName),
    ['n1', 'n1', 'n1'],
  );
  await kubectl('set', 'image', 'deployment/web', '*=i:2');
  t.ok(await until(() => rolledOut('i:2')), 'a new image is rolled out');
  await kubectl('delete', 'deployment', 'web', '--cascade=background');
  t.ok(await until(async () => (await kubectl('get', 'replicasets', '-o', 'name')) === ''), 'its ReplicaSets go');
});

async function until(holds: () => Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + waitMs;
  while (Date.now() < deadline) {
    if (await holds()) return true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return false;
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.on('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
