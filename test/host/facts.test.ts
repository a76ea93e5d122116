import { freemem, totalmem } from 'node:os';
import t from 'tap';
import { readMachineFacts } from '../../src/host/facts.ts';

t.test('this machine is what its kernel says', async (t) => {
  const facts = await readMachineFacts();
  t.equal(facts.memoryBytes, totalmem());
  t.ok(facts.memoryBytes > freemem());
  t.equal(facts.uid, process.getuid?.());
  t.match(facts.operatingSystem, /\S/);
  t.ok(facts.addresses.some(({ address }) => address === '127.0.0.1'));
});
