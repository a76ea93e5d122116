import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { agentPaths } from '../../src/agent/paths.ts';
import { whyNoVolumePath, writeAtomicFiles } from '../../src/agent/volumes/atomic-files.ts';
import { claimedFolder } from '../../src/agent/volumes/claims.ts';
import { createReferences, referencesOf } from '../../src/agent/volumes/references.ts';
import { createTokens } from '../../src/agent/volumes/tokens.ts';
import { createVolumes } from '../../src/agent/volumes/volumes.ts';
import { type KubeObject, kinds, type Volume } from '../../src/api/index.ts';
import { createFakeClock, silentLogger, systemClock } from '../../src/base/index.ts';
import { createFakeClient } from '../../src/client/index.ts';
import { createFakeHost } from '../../src/host/index.ts';
import { container, pod } from './builders.ts';

const dir = mkdtempSync(join(tmpdir(), 'k8ts-volumes-'));
t.teardown(() => rmSync(dir, { recursive: true, force: true }));
const fields = { podIps: ['10.0.0.2'], hostIps: ['192.0.2.1'], allocatable: {} };
const base64 = (text: string): string => Buffer.from(text).toString('base64');

t.test('files change all at once', async (t) => {
  const volume = join(dir, 'atomic');
  const files = (entries: Record<string, string>) =>
    new Map(Object.entries(entries).map(([path, text]) => [path, { data: Buffer.from(text), mode: 0o640 }]));
  await writeAtomicFiles(volume, { files: files({ a: '1', 'sub/b': '2' }) });
  t.equal(readFileSync(join(volume, 'a'), 'utf8'), '1');
  t.equal(readFileSync(join(volume, 'sub/b'), 'utf8'), '2');
  t.equal(readlinkSync(join(volume, 'a')), '..data/a');
  t.equal(statSync(join(volume, 'a')).mode & 0o777, 0o640);
  const before = readlinkSync(join(volume, '..data'));
  await writeAtomicFiles(volume, { files: files({ a: '3', c: '4' }) });
  t.equal(readFileSync(join(volume, 'a'), 'utf8'), '3');
  t.notOk(existsSync(join(volume, 'sub')), 'what is not there any more is gone');
  t.notOk(existsSync(join(volume, before)), 'and so is the old set');
  t.same(
    readdirSync(volume)
      .filter((name) => !name.startsWith('..'))
      .sort(),
    ['a', 'c'],
  );
});

t.test('paths that would leave the volume', async (t) => {
  for (const path of ['', '/etc/passwd', '../x', 'a/../../x', '..data']) t.type(whyNoVolumePath(path), 'string', path);
  t.equal(whyNoVolumePath('a/b..c'), undefined);
});

t.test('what a pod refers to', async (t) => {
  const given = pod({
    containers: [
      container('a', {
        env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'c1', key: 'k' } } }],
        envFrom: [{ secretRef: { name: 's1' } }],
      }),
    ],
    imagePullSecrets: [{ name: 's2' }],
    volumes: [
      { name: 'v', configMap: { name: 'c2' } },
      { name: 'w', projected: { sources: [{ configMap: { name: 'c3' } }, { secret: { name: 's1' } }] } },
    ],
  });
  const names = referencesOf(given).map(({ kind, name }) => `${kind} ${name}`);
  t.same(names.sort(), ['configMap c1', 'configMap c2', 'configMap c3', 'secret s1', 'secret s2']);
});

t.test('volumes made of objects: first content, changes, errors', async (t) => {
  const client = createFakeClient([
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'cm', namespace: 'ns' },
      data: { a: 'one', b: 'two' },
    } as object,
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'sec', namespace: 'ns' },
      data: { key: base64('geheim') },
    } as object,
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'ns' } },
    ...storage(dir),
  ]);
  const changed: string[] = [];
  const references = createReferences(client, {
    clock: systemClock,
    logger: silentLogger,
    changed: (uid) => changed.push(uid),
  });
  const paths = { ...agentPaths(join(dir, 'data')), secrets: join(dir, 'secrets') };
  const volumes = createVolumes({
    host: createFakeHost(),
    paths,
    references,
    tokens: createTokens(client, systemClock),
    claimed: (namespace, claim) => claimedFolder(client, namespace, claim),
  });
  const { signal } = new AbortController();
  const mount = async (list: readonly Volume[]) => {
    const given = pod(
      { volumes: list },
      { metadata: { name: 'p', namespace: 'ns', uid: 'u1', labels: { app: 'web' } } },
    );
    await references.follow(given, signal);
    return await volumes.mount(given, fields);
  };
  const text = (mounted: ReadonlyMap<string, string>, volume: string, file: string): string =>
    readFileSync(join(mounted.get(volume) ?? '', file), 'utf8');

  const list: readonly Volume[] = [
    { name: 'cm', configMap: { name: 'cm', items: [{ key: 'b', path: 'deep/b', mode: 0o400 }] } },
    { name: 'sec', secret: { secretName: 'sec', defaultMode: 0o400 } },
    { name: 'gone', configMap: { name: 'absent', optional: true } },
    { name: 'me', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
    {
      name: 'all',
      projected: {
        sources: [
          { serviceAccountToken: { path: 'token' } },
          { configMap: { name: 'cm' } },
          { downwardAPI: { items: [{ path: 'ns', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
        ],
      },
    },
    { name: 'empty', emptyDir: {} },
    { name: 'host', hostPath: { path: dir, type: 'Directory' } },
    { name: 'claim', persistentVolumeClaim: { claimName: 'local' } },
  ];
  const mounted = await mount(list);
  t.equal(text(mounted, 'cm', 'deep/b'), 'two');
  t.equal(statSync(join(mounted.get('cm') ?? '', 'deep/b')).mode & 0o777, 0o400);
  t.equal(text(mounted, 'sec', 'key'), 'geheim');
  t.ok(mounted.get('sec')?.startsWith(paths.secrets), 'secrets are kept in memory');
  t.equal(text(mounted, 'me', 'labels'), 'app="web"');
  t.equal(text(mounted, 'all', 'token'), 'fake');
  t.equal(text(mounted, 'all', 'a'), 'one');
  t.equal(text(mounted, 'all', 'ns'), 'ns');
  t.ok(lstatSync(mounted.get('empty') ?? '').isDirectory());
  t.equal(mounted.get('host'), dir);
  t.equal(mounted.get('claim'), dir);

  const set = readlinkSync(join(mounted.get('all') ?? '', '..data'));
  await mount(list);
  t.equal(readlinkSync(join(mounted.get('all') ?? '', '..data')), set, 'nothing is written when nothing changed');
  changed.length = 0;
  await client.patch(kinds.configMap, { namespace: 'ns', name: 'cm' }, 'merge', { data: { a: 'new' } });
  for (let tries = 0; tries < 200 && changed.length === 0; tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 5));
  t.same(changed, ['u1']);
  await mount(list);
  t.equal(text(mounted, 'all', 'a'), 'new');

  writeFileSync(join(dir, 'file'), '');
  const failures: readonly { readonly given: Volume; readonly want: RegExp }[] = [
    { given: { name: 'v', configMap: { name: 'absent' } }, want: /"v" : configmap "absent" not found/ },
    { given: { name: 'v', secret: { secretName: 'absent' } }, want: /secret "absent" not found/ },
    {
      given: { name: 'v', configMap: { name: 'cm', items: [{ key: 'no', path: 'x' }] } },
      want: /non-existent config key: no/,
    },
    {
      given: { name: 'v', configMap: { name: 'cm', items: [{ key: 'a', path: '../x' }] } },
      want: /must not have "\.\."/,
    },
    { given: { name: 'v', nfs: { server: 's', path: '/' } }, want: /volume type nfs is not supported/ },
    ...(
      [
        ['none', /persistentvolumeclaim "none" not found/],
        ['waiting', /PVC is not bound: "waiting"/],
        ['driver', /volume "driver" is of a type that is not supported/],
        ['block', /volume "block" is a block device/],
      ] as const
    ).map(([claimName, want]) => ({ given: { name: 'v', persistentVolumeClaim: { claimName } }, want })),
    {
      given: { name: 'v', persistentVolumeClaim: { claimName: 'local', readOnly: true } },
      want: /readOnly of a claim is not supported/,
    },
    { given: { name: 'v', hostPath: { path: join(dir, 'file'), type: 'Directory' } }, want: /is not a Directory/ },
    { given: { name: 'v', hostPath: { path: join(dir, 'none'), type: 'File' } }, want: /is not a File/ },
  ];
  for (const { given, want } of failures) await t.rejects(mount([given]), { name: 'VolumeError', message: want });

  await volumes.unmount('u1');
  t.notOk(existsSync(paths.podDir('u1')));
  t.notOk(existsSync(join(paths.secrets, 'u1')));
  references.release('u1');
  t.equal(references.configMap('ns', 'cm'), undefined);
});

t.test('tokens are asked for once, and again when most of their life is over', async (t) => {
  const client = createFakeClient([
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'ns' } },
  ]);
  const clock = createFakeClock(Date.now());
  const tokens = createTokens(client, clock);
  const count = (): number => client.requests.filter(({ resource }) => resource === 'serviceaccounts/token').length;
  await tokens.get(pod(), undefined, 3600);
  await tokens.get(pod(), undefined, 3600);
  t.equal(count(), 1);
  await tokens.get(pod(), 'other', 3600);
  t.equal(count(), 2, 'another audience, another token');
  await clock.advance(25 * 3_600_000);
  await tokens.get(pod(), undefined, 3600);
  t.equal(count(), 3, 'a day is the most');
  t.ok((tokens.refreshAt('u1') ?? 0) > 0);
  tokens.forget('u1');
  t.equal(tokens.refreshAt('u1'), undefined);
});

/** Claims and, for those that are bound, the volume of the same name. */
function storage(dir: string): KubeObject[] {
  const bound: Readonly<Record<string, object>> = {
    local: { local: { path: dir } },
    driver: { csi: { driver: 'd', volumeHandle: 'h' } },
    block: { volumeMode: 'Block', local: { path: '/dev/sdz' } },
  };
  const claimOf = (name: string, more: object): KubeObject => ({
    ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name, namespace: 'ns', uid: `claim-${name}` } },
    ...more,
  });
  return [
    claimOf('waiting', { status: { phase: 'Pending' } }),
    ...Object.entries(bound).flatMap(([name, spec]) => [
      claimOf(name, { spec: { volumeName: name }, status: { phase: 'Bound' } }),
      {
        ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name } },
        ...({ spec: { ...spec, claimRef: { namespace: 'ns', name, uid: `claim-${name}` } } } as object),
      },
    ]),
  ];
}
