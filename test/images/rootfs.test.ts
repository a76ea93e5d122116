import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { entriesOfRootfs } from '../../src/images/index.ts';

t.test('a folder, a tar and a tar.gz with the same files give the same entries', async (t) => {
  const dir = t.testdir();
  const tree = join(dir, 'tree');
  mkdirSync(join(tree, 'bin'), { recursive: true });
  writeFileSync(join(tree, 'bin/run'), 'program', { mode: 0o755 });
  linkSync(join(tree, 'bin/run'), join(tree, 'bin/walk'));
  symlinkSync('run', join(tree, 'bin/start'));
  const tar = join(dir, 'tree.tar');
  execFileSync('tar', ['--sort=name', '-cf', tar, '-C', tree, '.']);
  execFileSync('sh', ['-c', `gzip -c ${tar} >${tar}.gz`]);

  const shown = (entries: Awaited<ReturnType<typeof entriesOfRootfs>>) =>
    entries.map((entry) => ({ ...entry, ...('content' in entry && { content: String(entry.content) }) }));
  const folder = shown(await entriesOfRootfs(tree));
  t.match(folder, [
    { kind: 'directory', path: 'bin', mode: 0o755 },
    { kind: 'file', path: 'bin/run', content: 'program', mode: 0o755 },
    { kind: 'link', path: 'bin/start', target: 'run' },
    { kind: 'file', path: 'bin/walk', content: 'program' },
  ]);
  t.strictSame(shown(await entriesOfRootfs(tar)), folder);
  t.strictSame(shown(await entriesOfRootfs(`${tar}.gz`)), folder);
});

t.test('what is no root file system is refused with its reason', async (t) => {
  const dir = t.testdir({ text: 'not an archive, but long enough to look at its first block of bytes'.repeat(20) });
  await t.rejects(entriesOfRootfs(join(dir, 'absent')), { code: 'ROOTFS_MISSING', hint: /folder/ });
  await t.rejects(entriesOfRootfs(join(dir, 'text')), { code: 'ROOTFS_UNREADABLE', hint: /tar -tf/ });
});
