// Real links, rules, mounts, files and settings, made in a network and mount namespace of their own and taken back.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createFileJournal, createLocalHost, undoChanges } from '../../src/host/index.ts';

const inside = process.env['K8TS_TEST_NAMESPACE'] === '1';

if (process.getuid?.() !== 0) {
  t.plan(0, 'needs root');
} else if (!inside) {
  t.test('in its own namespaces', async (t) => {
    const again = spawnSync('unshare', ['--net', '--mount', '--', process.execPath, import.meta.filename], {
      encoding: 'utf8',
      env: { ...process.env, K8TS_TEST_NAMESPACE: '1', TAP: '1' },
    });
    t.equal(again.status, 0, again.stdout + again.stderr);
  });
} else {
  t.test('the machine after undo is the machine before', async (t) => {
    const dir = t.testdir({ volumes: {}, data: { old: 'old' } });
    execFileSync('ip', ['link', 'set', 'lo', 'up']);
    const before = snapshot(dir);
    const journal = createFileJournal(join(dir, 'state/journal.jsonl'));
    const host = createLocalHost({ journal, ownTrees: [join(dir, 'own')] });

    await host.writeFile(join(dir, 'data/old'), 'changed', { mode: 0o600 });
    await host.writeFile(join(dir, 'data/new'), 'new');
    await host.writeFile(join(dir, 'own/a/b'), 'x');
    await host.writeSysctl('net.ipv4.ip_forward', '1');
    await host.record({ kind: 'link', name: 'k8ts0' });
    execFileSync('ip', ['link', 'add', 'k8ts0', 'type', 'bridge']);
    execFileSync('ip', ['addr', 'add', '192.0.2.1/24', 'dev', 'k8ts0']);
    execFileSync('ip', ['link', 'set', 'k8ts0', 'up']);
    await host.record({ kind: 'route', destination: '198.51.100.0/24', device: 'lo' });
    execFileSync('ip', ['route', 'add', '198.51.100.0/24', 'dev', 'lo']);
    await host.record({ kind: 'nft-table', family: 'ip', name: 'k8ts' });
    execFileSync('nft', ['add', 'table', 'ip', 'k8ts']);
    await host.record({ kind: 'mount', path: join(dir, 'volumes') });
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(dir, 'volumes')]);
    await host.makeDir(join(dir, 'own/pod'));
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(dir, 'own/pod')]);
    t.notSame(snapshot(dir), before);

    const report = await undoChanges(createLocalHost(), journal);
    t.strictSame(report.failed, []);
    t.strictSame(snapshot(dir), before);
    t.notOk(existsSync(join(dir, 'state')), 'the journal itself is gone');
    const again = await undoChanges(createLocalHost(), journal);
    t.strictSame(again, { undone: [], failed: [] });
  });

  t.test('a table that others may use goes when nothing is left in it', async (t) => {
    const dir = t.testdir();
    const journal = createFileJournal(join(dir, 'state/journal.jsonl'));
    const host = createLocalHost({ journal });
    for (const [name, rule] of [
      ['empty', []],
      ['used', ['counter']],
    ] as const) {
      await host.record({ kind: 'nft-table', family: 'ip', name, shared: true });
      execFileSync('nft', ['add', 'table', 'ip', name]);
      execFileSync('nft', ['add', 'chain', 'ip', name, 'in', '{ type nat hook prerouting priority 0; }']);
      if (rule.length > 0) execFileSync('nft', ['add', 'rule', 'ip', name, 'in', ...rule]);
    }
    t.strictSame((await undoChanges(createLocalHost(), journal)).failed, []);
    t.equal(execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' }), 'table ip used\n');
    execFileSync('nft', ['delete', 'table', 'ip', 'used']);
  });
}

function snapshot(dir: string): Readonly<Record<string, string>> {
  const read = (program: string, ...args: string[]): string => execFileSync(program, args, { encoding: 'utf8' });
  return {
    links: read('ip', '-br', 'link').replaceAll(/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, 'MAC'),
    routes: read('ip', 'route', 'show', 'table', 'all'),
    tables: read('nft', 'list', 'tables'),
    mounts: read('findmnt', '-rno', 'TARGET'),
    forwarding: read('cat', '/proc/sys/net/ipv4/ip_forward'),
    files: read('find', dir, '-printf', '%p %m %s\n'),
    old: read('cat', join(dir, 'data/old')),
  };
}
