import { freemem, totalmem } from 'node:os';
import t from 'tap';
import { meminfo, operatingSystem, readMachineFacts } from '../../src/host/facts.ts';

t.test('this machine is what its kernel says', async (t) => {
  const facts = await readMachineFacts();
  t.equal(facts.memoryBytes, totalmem());
  t.ok(facts.memoryBytes > freemem());
  t.equal(facts.uid, process.getuid?.());
  t.ok(facts.addresses.some(({ address }) => address === '127.0.0.1'));
  const root = facts.disks.find(({ mount }) => mount === '/');
  t.ok(root !== undefined && root.sizeBytes > root.freeBytes);
  t.notOk(
    facts.disks.some(({ mount }) => mount === '/proc'),
    'what holds nothing is no disk',
  );
});

t.test('files of other machines', (t) => {
  t.equal(
    operatingSystem('NAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION="12 (bookworm)"\n'),
    'Debian GNU/Linux 12',
  );
  t.equal(operatingSystem('NAME=Arch\n'), 'Arch');
  t.equal(operatingSystem(''), 'Linux');
  t.equal(meminfo('MemTotal:       100 kB\nSwapTotal:        8 kB\n', 'SwapTotal'), 8192);
  t.equal(meminfo('MemTotal:       100 kB\n', 'SwapTotal'), 0);
  t.end();
});
