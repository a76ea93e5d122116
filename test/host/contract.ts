// What every Host does, run by the local, the fake and the SSH one.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { createMemoryJournal, type Host, type Journal, undoChanges } from '../../src/host/index.ts';

export interface HostUnderTest {
  readonly host: Host;
  /** The same machine, without the journal. */
  readonly bare: Host;
  readonly journal: Journal;
}

type Pair = Pick<HostUnderTest, 'host' | 'bare'>;

export function hostContract(t: Test, make: (journal: Journal) => Pair | Promise<Pair>): void {
  const setup = async (t: Test): Promise<HostUnderTest & { root: string }> => {
    const root = mkdtempSync(join(tmpdir(), 'k8ts-host-'));
    t.teardown(() => rmSync(root, { recursive: true, force: true }));
    const journal = createMemoryJournal();
    const { host, bare } = await make(journal);
    await bare.makeDir(root);
    await journal.replace([]);
    return { host, bare, journal, root };
  };

  t.test('a written file is read back, and its folders are made', async (t) => {
    const { host, root } = await setup(t);
    await host.writeFile(join(root, 'a/b/c.txt'), 'one', { mode: 0o600 });
    t.equal((await host.readFile(join(root, 'a/b/c.txt'))).toString(), 'one');
    t.match(await host.stat(join(root, 'a/b/c.txt')), { kind: 'file', mode: 0o600, size: 3 });
    t.match(await host.stat(join(root, 'a/b')), { kind: 'directory' });
    t.strictSame(await host.readDir(join(root, 'a')), ['b']);
  });

  t.test('what is absent is undefined, and reading it fails with ENOENT', async (t) => {
    const { host, root } = await setup(t);
    t.equal(await host.readFileIfExists(join(root, 'none')), undefined);
    t.equal(await host.stat(join(root, 'none')), undefined);
    await t.rejects(host.readFile(join(root, 'none')), { code: 'ENOENT' });
    await host.remove(join(root, 'none'));
  });

  t.test('undoing gives back contents and modes, and removes what was made', async (t) => {
    const { host, bare, journal, root } = await setup(t);
    await bare.writeFile(join(root, 'kept'), 'before', { mode: 0o640 });
    await host.writeFile(join(root, 'kept'), 'after', { mode: 0o600 });
    await host.writeFile(join(root, 'kept'), 'after that', { mode: 0o644 });
    await host.writeFile(join(root, 'new/deep/file'), 'x');
    await bare.writeFile(join(root, 'gone'), 'still wanted', { mode: 0o600 });
    await host.remove(join(root, 'gone'));
    const report = await undoChanges(bare, journal);
    t.strictSame(report.failed, []);
    t.equal((await bare.readFile(join(root, 'kept'))).toString(), 'before');
    t.equal((await bare.stat(join(root, 'kept')))?.mode, 0o640);
    t.equal((await bare.readFile(join(root, 'gone'))).toString(), 'still wanted');
    t.equal(await bare.stat(join(root, 'new')), undefined);
    t.strictSame(await journal.changes(), []);
  });

  t.test('a folder that others put a file in is left to them', async (t) => {
    const { host, bare, journal, root } = await setup(t);
    await host.writeFile(join(root, 'net.d/ours'), 'x');
    await bare.writeFile(join(root, 'net.d/theirs'), 'y');
    await undoChanges(bare, journal);
    t.strictSame(await bare.readDir(join(root, 'net.d')), ['theirs']);
  });

  t.test('a folder recorded as ours goes with all that is in it, and its files are not noted one by one', async (t) => {
    const { host, bare, journal, root } = await setup(t);
    await host.record({ kind: 'directory', path: join(root, 'own') });
    await host.writeFile(join(root, 'own/pods/1/token'), 'x');
    t.equal((await journal.changes()).length, 1);
    await undoChanges(bare, journal);
    t.equal(await bare.stat(join(root, 'own')), undefined);
  });

  t.test('writing what is there already notes nothing', async (t) => {
    const { host, bare, journal, root } = await setup(t);
    await bare.writeFile(join(root, 'same'), 'x');
    await host.writeFile(join(root, 'same'), 'x');
    t.strictSame(await journal.changes(), []);
  });

  t.test('a folder that is not empty is removed only when asked for', async (t) => {
    const { host, root } = await setup(t);
    await host.writeFile(join(root, 'd/f'), 'x');
    await t.rejects(host.remove(join(root, 'd')), { code: 'ENOTEMPTY' });
    await host.remove(join(root, 'd'), { recursive: true });
    t.equal(await host.stat(join(root, 'd')), undefined);
  });
}
