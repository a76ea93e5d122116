import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { bundleFor, findBundle, installScript, makeBundle, readTree, rootOf } from '../../src/bundle/index.ts';
import { stripProgram } from '../../src/bundle/strip.ts';
import { makeCheckout } from './checkout.ts';

t.test('a stripped program is smaller and still runs', async (t) => {
  // Node has symbols; a program of the distribution has none left.
  const node = readFileSync(process.execPath);
  const stripped = stripProgram(node);
  t.ok(stripped.length <= node.length);
  t.ok(stripProgram(stripped).equals(stripped), 'stripping again changes nothing');
  const file = join(t.testdir(), 'node');
  writeFileSync(file, stripped, { mode: 0o755 });
  t.equal(execFileSync(file, ['-p', '6 * 7'], { encoding: 'utf8' }), '42\n');
  t.throws(() => stripProgram(Buffer.from('#!/bin/sh\n')), { code: 'NOT_A_PROGRAM' });
});

t.test('a tree has the program and not its caches, and its name changes with it', async (t) => {
  const root = makeCheckout(t.testdir(), ['x64', 'arm64']);
  const tree = await readTree(root, 'x64');
  t.strictSame(
    tree.files.map(({ path, mode }) => `${path} ${mode.toString(8)}`),
    [
      'LICENSE 644',
      'bin/k8ts 755',
      'bin/node 755',
      'bin/node.LICENSE 644',
      'dist/k8ts.js 644',
      'dist/schemas/core.json 644',
    ],
  );
  t.match(tree.manifest, { name: /^1\.2\.3-[0-9a-f]{12}$/, version: '1.2.3', node: '24.0.0' });
  t.equal((await readTree(root, 'arm64')).manifest.name, tree.manifest.name, 'the same on every architecture');
  writeFileSync(join(root, 'dist/k8ts.js'), 'program, changed');
  t.not((await readTree(root, 'x64')).manifest.name, tree.manifest.name);

  await t.rejects(readTree(makeCheckout(t.testdir({ other: {} })), 'arm64'), { code: 'NODE_MISSING', hint: /bundle/ });
  rmSync(join(root, 'LICENSE'));
  await t.rejects(readTree(root, 'x64'), { code: 'PROGRAM_INCOMPLETE', message: `${root}/LICENSE is part of k8ts` });
  rmSync(join(root, 'dist/k8ts.js'));
  await t.rejects(readTree(root, 'x64'), { code: 'PROGRAM_NOT_BUILT', hint: /scripts\/build/ });
});

t.test('only a built program can be installed', async (t) => {
  t.equal(rootOf('/opt/k8ts/1.0.0-abc/dist/k8ts.js'), '/opt/k8ts/1.0.0-abc');
  t.equal(rootOf('/home/me/k8ts/src/commands/main.ts'), undefined);
});

t.test('an archive has the same bytes each time, and unpacks to a tree that names itself', async (t) => {
  const root = makeCheckout(t.testdir());
  const first = await makeBundle(await readTree(root, 'x64'), join(root, 'one'));
  const second = await makeBundle(await readTree(root, 'x64'), join(root, 'two'));
  t.equal(second.sha256, first.sha256);
  t.ok(readFileSync(first.path).equals(readFileSync(second.path)));
  t.match(
    execFileSync('sha256sum', ['-c', `${first.path}.sha256`], { cwd: join(root, 'one'), encoding: 'utf8' }),
    /OK/,
  );

  execFileSync('tar', ['-xzf', first.path, '-C', root]);
  const unpacked = await readTree(join(root, first.name), 'x64');
  t.strictSame(unpacked.manifest, { name: first.name, version: '1.2.3', architecture: 'x64', node: '24.0.0' });
  const third = await makeBundle(unpacked, join(root, 'three'));
  t.equal(third.sha256, first.sha256, 'made from the unpacked tree it is the same again');
});

t.test('bundleFor answers the archive that is there, and makes one when the program changed', async (t) => {
  const root = makeCheckout(t.testdir());
  const made: string[] = [];
  const ask = () => bundleFor('x64', { root, onMake: () => made.push('made') });
  const first = await ask();
  t.strictSame(await ask(), first);
  t.equal(made.length, 1);
  t.strictSame(await findBundle(join(root, 'dist/bundle'), 'x64'), first);
  writeFileSync(join(root, 'dist/k8ts.js'), 'program, changed');
  t.not((await ask()).sha256, first.sha256);
  truncateSync(first.path, 10);
  t.ok((await ask()).size > 10, 'a damaged one is made again');
  t.equal(made.length, 3);

  t.equal(await findBundle(join(root, 'dist/bundle'), 'arm64'), undefined);
  await t.rejects(bundleFor('arm64', { root }), { code: 'NODE_MISSING' });
  writeFileSync(join(root, 'dist/bundle/linux-x64.json'), '{');
  await t.rejects(ask(), { code: 'BUNDLE_UNREADABLE', hint: /delete/ });
});

t.test('the install script is valid sh, verifies, and does nothing when it is cut off', async (t) => {
  const script = installScript({
    endpoint: '192.0.2.1:6443',
    caPem: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    caHash: `sha256:${'0'.repeat(64)}`,
    token: 'abcdef.0123456789abcdef',
    bundles: [{ name: '1.2.3-abc', architecture: 'x64', sha256: 'f'.repeat(64) }],
  });
  execFileSync('sh', ['-n'], { input: script });
  t.match(script, /curl .*--cacert/);
  t.notMatch(script, /curl .* -[a-zA-Z]*k/, 'no download without a verified server');
  t.match(script, /\nmain "\$@"\n$/);
  const cut = script.slice(0, script.lastIndexOf('main "$@"'));
  t.equal(execFileSync('sh', ['-s'], { input: cut, encoding: 'utf8' }), '');
});
