// Installing for real, in a mount namespace with empty /opt, /usr/local and /var/lib: by the shell script from an archive,
// by copying a tree, and back again by the journal.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  currentLink,
  installBundle,
  installedManifest,
  installTree,
  makeBundle,
  readTree,
} from '../../src/bundle/index.ts';
import { createFileJournal, createLocalHost, undoChanges } from '../../src/host/index.ts';
import { makeCheckout } from './checkout.ts';

const inside = process.env['K8TS_TEST_NAMESPACE'] === '1';
const folders = ['/opt', '/usr/local', '/var/lib'];

if (process.getuid?.() !== 0) {
  t.plan(0, 'needs root');
} else if (!inside) {
  t.test('in a mount namespace of its own', async (t) => {
    const mounts = folders.map((folder) => `mount -t tmpfs tmpfs ${folder}`).join(' && ');
    const again = spawnSync(
      'unshare',
      ['--mount', 'sh', '-c', `${mounts} && exec "$@"`, 'sh', process.execPath, import.meta.filename],
      {
        encoding: 'utf8',
        env: { ...process.env, K8TS_TEST_NAMESPACE: '1', TAP: '1' },
      },
    );
    t.equal(again.status, 0, again.stdout + again.stderr);
  });
} else {
  const bare = createLocalHost();
  const undo = async () => {
    const report = await undoChanges(bare, createFileJournal());
    t.strictSame(report.failed, []);
  };
  const nothingLeft = (t: Pick<typeof import('tap').t, 'notOk'>, ...paths: readonly string[]) => {
    for (const path of ['/opt/k8ts', '/usr/local/bin/k8ts', ...paths]) t.notOk(existsSync(path), `${path} is gone`);
  };

  t.test('from an archive, twice, a newer version, and back', async (t) => {
    const root = makeCheckout(t.testdir());
    const first = await makeBundle(await readTree(root, 'x64'), join(root, 'one'));
    t.equal(await installedManifest(bare), undefined);
    await installBundle(bare, first, { archive: first.path });
    t.equal((await installedManifest(bare))?.name, first.name);
    t.match(spawnSync('/usr/local/bin/k8ts', { encoding: 'utf8' }).stdout, /k8ts from/);
    const journal = readFileSync('/var/lib/k8ts/journal.jsonl', 'utf8');
    await installBundle(bare, first, { archive: '/nowhere' });
    t.equal(readFileSync('/var/lib/k8ts/journal.jsonl', 'utf8'), journal, 'a second time changes nothing');

    writeFileSync(join(root, 'dist/k8ts.js'), 'newer');
    const second = await makeBundle(await readTree(root, 'x64'), join(root, 'two'));
    await installBundle(bare, second, { archive: second.path });
    t.equal(readlinkSync(currentLink), second.name);
    t.ok(existsSync(`/opt/k8ts/${first.name}/bin/node`), 'what may still run stays');
    await undo();
    nothingLeft(t, '/var/lib/k8ts');
  });

  t.test('an archive that is not the right one is not installed', async (t) => {
    const root = makeCheckout(t.testdir());
    const bundle = await makeBundle(await readTree(root, 'x64'), join(root, 'one'));
    writeFileSync(bundle.path, 'something else');
    await t.rejects(installBundle(bare, bundle, { archive: bundle.path }), { code: 'BUNDLE_DAMAGED', hint: /copy/ });
    t.notOk(existsSync(`/opt/k8ts/${bundle.name}`));
    const wrong = { ...bundle, sha256: 'd1d0bc3ba4c4a8e4f1a1bd6a6ef4dd4ed4c8a4fd5d5b4e6b9f1d1e5f0a2b3c4d' };
    await t.rejects(installBundle(bare, wrong, { archive: bundle.path }), { code: 'BUNDLE_DAMAGED' });
    await undo();
    nothingLeft(t);
  });

  t.test('from a checkout, which may be deleted afterwards', async (t) => {
    const root = makeCheckout(t.testdir());
    const tree = await readTree(root, 'x64');
    const host = createLocalHost({ journal: createFileJournal() });
    await installTree(host, tree);
    rmSync(join(root, 'dist'), { recursive: true });
    t.equal((await installedManifest(bare))?.name, tree.manifest.name);
    t.ok(existsSync(`${currentLink}/dist/.cache/k8ts/bytecode`), 'what V8 compiled goes along');
    t.match(spawnSync('/usr/local/bin/k8ts', { encoding: 'utf8' }).stdout, /k8ts from/);
    t.equal(spawnSync(`${currentLink}/bin/node`, ['runs'], { encoding: 'utf8' }).stdout, 'runs\n');
    const installed = await readTree(readlinkSync(currentLink).replace(/^/, '/opt/k8ts/'), 'x64');
    await installTree(host, installed);
    await undo();
    nothingLeft(t);
  });

  t.test("somebody else's k8ts in PATH stays theirs", async (t) => {
    mkdirSync('/usr/local/bin', { recursive: true });
    writeFileSync('/usr/local/bin/k8ts', 'theirs');
    const root = makeCheckout(t.testdir());
    await installTree(createLocalHost({ journal: createFileJournal() }), await readTree(root, 'x64'));
    await undo();
    t.equal(readFileSync('/usr/local/bin/k8ts', 'utf8'), 'theirs');
    t.notOk(existsSync('/opt/k8ts'));
  });
}
