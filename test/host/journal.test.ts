import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { createFakeHost, createFileJournal, undoChanges } from '../../src/host/index.ts';

t.test('each change is one line, written before note resolves, readable by root alone', async (t) => {
  const path = join(t.testdir({}), 'deep/journal.jsonl');
  const journal = createFileJournal(path);
  await journal.note({ kind: 'link', name: 'cni0' });
  await journal.note({ kind: 'link', name: 'cni0' });
  const lines = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.match(lines, [
    { time: /^\d{4}-/, kind: 'directory', path: join(path, '..') },
    { kind: 'link', name: 'cni0' },
  ]);
  t.equal(lines.length, 2);
  t.equal(statSync(path).mode & 0o777, 0o600);
});

t.test('the first state of a subject is kept, also across processes', async (t) => {
  const path = join(t.testdir({}), 'journal.jsonl');
  const [one, two] = [createFileJournal(path), createFileJournal(path)];
  await one.note({ kind: 'sysctl', key: 'a', before: '0' });
  await two.note({ kind: 'sysctl', key: 'a', before: '1' });
  await two.note({ kind: 'sysctl', key: 'b', before: '2' });
  await one.note({ kind: 'sysctl', key: 'b', before: '3' });
  t.strictSame(await one.changes(), [
    { kind: 'sysctl', key: 'a', before: '0' },
    { kind: 'sysctl', key: 'b', before: '2' },
  ]);
});

t.test('a torn last line is left out, and what follows it is not damaged', async (t) => {
  const path = join(t.testdir({}), 'journal.jsonl');
  writeFileSync(path, '{"kind":"link","name":"a"}\n');
  appendFileSync(path, '{"kind":"link","na');
  const journal = createFileJournal(path);
  await journal.note({ kind: 'link', name: 'b' });
  t.strictSame(await createFileJournal(path).changes(), [
    { kind: 'link', name: 'a' },
    { kind: 'link', name: 'b' },
  ]);
});

t.test('notes made at the same time are all there', async (t) => {
  const path = join(t.testdir({}), 'journal.jsonl');
  const journal = createFileJournal(path);
  const names = Array.from({ length: 20 }, (_, n) => `l${n}`);
  await Promise.all(names.map((name) => journal.note({ kind: 'link', name })));
  t.equal((await journal.changes()).length, 20);
});

t.test('what could not be undone stays in the journal with its reason', async (t) => {
  const path = join(t.testdir({}), 'journal.jsonl');
  const journal = createFileJournal(path);
  const host = createFakeHost({
    files: {
      '/f': 'now',
      '/proc/self/mountinfo': '1 2 0:3 / /mnt/a\\040b rw - tmpfs t rw\n',
    },
    sysctls: { 'net.x': '1' },
    onRun: (program, args) =>
      program === 'swapon'
        ? { code: 255, stderr: 'device is busy' }
        : program === 'nft' && args[0] === 'list'
          ? { stdout: 'table ip k8ts\n' }
          : program === 'iptables' && args.includes('-S')
            ? { stdout: '-P INPUT ACCEPT\n-N K8TS\n-A INPUT -m comment --comment "to k8ts" -j K8TS\n' }
            : {},
  });
  await journal.note({ kind: 'swap', device: '/dev/sda2' });
  await journal.note({ kind: 'sysctl', key: 'net.x', before: '0' });
  await journal.note({ kind: 'mount', path: '/mnt' });
  await journal.note({ kind: 'nft-table', family: 'ip', name: 'k8ts' });
  await journal.note({ kind: 'iptables-chain', table: 'filter', chain: 'K8TS' });
  await journal.note({ kind: 'unit', name: 'k8ts-agent.service' });
  const report = await undoChanges(host.bare, journal);
  t.match(report.failed, [{ subject: 'swap /dev/sda2', reason: /device is busy/ }]);
  t.strictSame(await journal.changes(), [{ kind: 'swap', device: '/dev/sda2' }]);
  t.equal(await host.readSysctl('net.x'), '0');
  t.strictSame(host.commands, [
    'systemctl disable --now k8ts-agent.service',
    'iptables -w -t filter -S',
    "iptables -w -t filter -D INPUT -m comment --comment 'to k8ts' -j K8TS",
    'iptables -w -t filter -F K8TS',
    'iptables -w -t filter -X K8TS',
    'nft list tables',
    'nft delete table ip k8ts',
    "umount '/mnt/a b'",
    'swapon /dev/sda2',
  ]);
  t.ok(existsSync(path));
});
