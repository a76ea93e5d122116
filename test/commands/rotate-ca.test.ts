import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { kinds, type Node } from '../../src/api/index.ts';
import { caCertHash, splitCertificates } from '../../src/certs/index.ts';
import { clientFromKubeconfig, type HttpApiClient } from '../../src/client/index.ts';
import { parseKubeconfig } from '../../src/kubeconfig/index.ts';
import { startControlPlane } from '../../src/testing/index.ts';
import {
  clusterInfoConfigMap,
  clusterInfoKubeconfig,
  generateToken,
  tokenSecret,
  verifyClusterInfo,
} from '../../src/tokens/index.ts';
import { runLines } from './run-lines.ts';

t.setTimeout(90_000);

t.test('rotate-ca on a control plane that runs, with one node that follows and one that does not', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'k8ts-rotate-'));
  const plane = await startControlPlane({
    dataDir: folder,
    controllers: ['root-ca-certificate-publisher-controller', 'bootstrap-signer-controller'],
  });
  const clients: HttpApiClient[] = [];
  t.teardown(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await plane.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const connect = async (path: string): Promise<HttpApiClient> => {
    const client = await clientFromKubeconfig(await readFile(path, 'utf8'), { retries: 0 });
    clients.push(client);
    return client;
  };
  const admin = join(folder, 'admin.conf');
  const kept = join(folder, 'kept.conf');
  await copyFile(admin, kept);
  const old = await connect(kept);
  const hashes = async (): Promise<readonly string[]> =>
    splitCertificates(await readFile(join(folder, 'pki', 'ca.crt'), 'utf8')).map(caCertHash);
  const follow = async (client: HttpApiClient, name: string, trusted: readonly string[], by: string): Promise<void> => {
    const annotations = { 'k8ts.dev/trusted-ca': trusted.join(','), 'k8ts.dev/certificates-signed-by': by };
    await client.patch(kinds.node, { name }, 'merge', { metadata: { annotations } });
  };
  const node = (name: string): Node => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
  await old.create(kinds.node, node('n1'));
  const token = generateToken();
  await old.create(kinds.secret, tokenSecret(token, { ttl: 0 }));
  const caPem = await readFile(join(folder, 'pki', 'ca.crt'), 'utf8');
  await old.create(kinds.configMap, clusterInfoConfigMap(clusterInfoKubeconfig({ server: plane.url, caPem }), [token]));

  const places = ['--cert-dir', join(folder, 'pki'), '--kubeconfig-dir', folder];
  const rotate = async (...more: readonly string[]) => {
    const [printed] = await runLines([['certs', 'rotate-ca', ...places, ...more]]);
    return printed ?? { code: -1, stdout: '', stderr: '' };
  };
  const [first = ''] = await hashes();
  const [dry, nowhere, slow] = await runLines([
    ['certs', 'rotate-ca', ...places, '--dry-run'],
    ['certs', 'rotate-ca', '--cert-dir', '/nowhere', '--kubeconfig-dir', '/nowhere'],
    ['certs', 'rotate-ca', ...places, '--timeout', '300ms'],
  ]);
  t.match(dry?.stdout, /^This would be done:\n[\s\S]*ca-next\.key[\s\S]*every node has followed/);
  t.match(nowhere?.stderr, /CA_ABSENT/);
  t.equal(slow?.code, 1);
  t.match(slow?.stderr, /n1 \(its agent says nothing of certificates\) \[ROTATION_NOT_FOLLOWED\]/);
  const both = await hashes();
  t.equal(both.length, 2);
  await follow(old, 'n1', both, first);

  // Of the machines that join, each stage finds a signed cluster-info with the CAs that are trusted.
  const announced = async (client: HttpApiClient): Promise<readonly string[]> => {
    const map = await client.get(kinds.configMap, { namespace: 'kube-public', name: 'cluster-info' });
    const { ca } = parseKubeconfig(verifyClusterInfo(map, token));
    return ca !== undefined && 'text' in ca ? splitCertificates(ca.text).map(caCertHash) : [];
  };
  t.same(await announced(old), both);

  const refused = await rotate('--timeout', '300ms');
  t.match(refused.stderr, /n1 \(it has certificates of the old CA\)/, 'new certificates are waited for');
  const [second = '', last] = await hashes();
  t.same([second, last], [both[1], first], 'the new CA signs');
  await follow(old, 'n1', [second, first], second);
  t.same(await announced(old), [second, first], 'who knows the old CA alone is heard');

  await old.create(kinds.node, node('n2'));
  const blocked = await rotate('--timeout', '300ms');
  t.match(blocked.stderr, /n2/);
  t.equal((await hashes()).length, 2, 'nothing is dropped while a node would be left behind');
  const done = await rotate('--force');
  t.equal(done.code, 0, done.stderr);
  t.match(done.stdout, /warning: .*n2/);
  t.same(await hashes(), [second]);
  const fresh = await connect(admin);
  t.same(await announced(fresh), [second]);
  // The server takes over what is on disk a moment later; the old kubeconfig ends then.
  for (;;) {
    const late = await connect(kept);
    const isHeard = await late.raw('GET', '/version').then(
      () => true,
      () => false,
    );
    if (!isHeard) break;
  }
  t.equal((await fresh.raw('GET', '/version')).status, 200);
});
