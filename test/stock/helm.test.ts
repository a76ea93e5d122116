// helm through the life of a release: a chart with a definition of its own, an object of that kind, and hooks.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { startControlPlane } from './control-plane.ts';

const bin = join(import.meta.dirname, '..', '..', '.cache', 'bin');
const chart = join(import.meta.dirname, 'chart');
const skip = existsSync(join(bin, 'helm')) ? false : 'helm is not there: run scripts/setup';

t.test('helm installs, upgrades, rolls back and uninstalls', { skip }, async (t) => {
  const { folder, kubeconfig, close } = await startControlPlane();
  t.teardown(close);
  const home = join(folder, 'home');
  await mkdir(home);
  const env = { HOME: home, KUBECONFIG: kubeconfig, PATH: process.env['PATH'] ?? '' };
  const run = async (program: string, args: string): Promise<string> =>
    (await promisify(execFile)(join(bin, program), args.split(' '), { env })).stdout.trim();
  const helm = (args: string): Promise<string> => run('helm', args);
  const kubectl = (args: string): Promise<string> => run('kubectl', args);
  const replicas = (): Promise<string> => kubectl('get deployment web -o jsonpath={.spec.replicas}');
  const hook = (name: string): Promise<string> => kubectl(`get configmap was-${name} -o jsonpath={.data.revision}`);

  t.match(await helm(`install web ${chart}`), /STATUS: deployed\nREVISION: 1/);
  t.equal(await replicas(), '1');
  t.equal(await kubectl('get coupon welcome -o jsonpath={.spec.percent}'), '10');
  t.equal(await hook('pre-install'), '1');

  t.match(await helm(`upgrade web ${chart} --set replicas=3`), /REVISION: 2/);
  t.equal(await replicas(), '3');
  t.equal(await hook('post-upgrade'), '2');

  t.match(await helm('rollback web 1'), /Rollback was a success/);
  t.equal(await replicas(), '1');
  t.match(await helm('history web'), /3 .*deployed.*Rollback to 1/);
  t.match(await helm('list'), /^web\s+default\s+3\s/m);

  t.match(await helm('uninstall web --wait'), /release "web" uninstalled/);
  t.equal(await hook('pre-delete'), '1', 'as release 1 was rendered, which the rollback brought back');
  t.equal(await kubectl('get deployments,services,coupons -l app.kubernetes.io/managed-by=Helm -o name'), '');
  await t.rejects(kubectl('get coupon welcome'), /NotFound/);
  t.equal(
    await kubectl('get crd coupons.shop.example -o name'),
    'customresourcedefinition.apiextensions.k8s.io/coupons.shop.example',
  );
});
