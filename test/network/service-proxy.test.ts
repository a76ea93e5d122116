// The proxy's loop on a fake host and a fake clock: what is sent to nft, and when.

import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { kinds } from '../../src/api/index.ts';
import { createFakeClock, silentLogger } from '../../src/base/index.ts';
import { createFakeClient, createInformerFactory } from '../../src/client/index.ts';
import { createFakeHost } from '../../src/host/index.ts';
import type { NetworkConfig } from '../../src/network/index.ts';
import { startServiceProxy } from '../../src/network/services/proxy.ts';
import { service, slice } from './objects.ts';

const config: NetworkConfig = {
  nodeName: 'n1',
  nodeIp: '192.0.2.10',
  dataDir: '/var/lib/k8ts/agent',
  serviceCidr: '10.96.0.0/12',
  podCidr: '10.244.0.0/16',
  clusterDns: '10.96.0.10',
  clusterDomain: 'cluster.local',
  overlay: { backend: 'vxlan', vni: 1, port: 8472 },
  serviceProxy: 'nftables',
  dns: 'off',
  cni: { confDir: '/etc/cni/net.d', binDirs: [] },
};
const ports = [{ port: 80, protocol: 'TCP' }];

async function start(programs: readonly string[] = ['nft', 'conntrack']) {
  const client = createFakeClient();
  const informers = createInformerFactory(client);
  const clock = createFakeClock();
  const stop = new AbortController();
  const transactions: string[] = [];
  const warnings: string[] = [];
  const answers = { tableIsThere: true, fail: false };
  const host = createFakeHost({
    programs,
    onRun: (program, args, { stdin = '' }) => {
      if (program !== 'nft') return undefined;
      if (args[0] === 'list') return { code: answers.tableIsThere ? 0 : 1 };
      if (answers.fail) throw new Error('nft: busy');
      transactions.push(String(stdin));
      return undefined;
    },
  });
  const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
  const deps = { client, informers, host, clock, recorder: { event: () => undefined } };
  const proxy = await startServiceProxy({ ...deps, logger: { ...logger, with: () => logger } }, config, stop.signal);
  t.teardown(() => stop.abort());
  await informers.start(stop.signal);
  const settle = async (ms = 5): Promise<void> => {
    await clock.advance(ms);
    for (let count = 0; count < 20; count++) await turn();
    await clock.advance(5);
    for (let count = 0; count < 20; count++) await turn();
  };
  await settle();
  return { client, host, proxy, transactions, warnings, answers, settle };
}

t.test(
  'the first transaction is the whole table, the next only the change, and nothing when nothing changed',
  async (t) => {
    const { client, host, proxy, transactions, settle } = await start();
    t.equal(proxy.waitingFor, undefined);
    t.equal(transactions.length, 1);
    t.match(transactions[0], /^add table ip k8ts\ndelete table ip k8ts\nadd table ip k8ts\n/);
    t.match(await host.journal.changes(), [{ kind: 'nft-table', family: 'ip', name: 'k8ts' }]);
    await client.create(kinds.service, service('web', { clusterIP: '10.96.0.5', ports }));
    const made = await client.create(kinds.endpointSlice, slice('web', [{ port: 80 }], [{ ip: '10.244.1.2' }]));
    await settle();
    t.equal(transactions.length, 2, 'one burst, one transaction');
    t.notMatch(transactions[1], /delete table/);
    await client.update(kinds.endpointSlice, { ...made, metadata: { ...made.metadata, annotations: { a: 'b' } } });
    await settle();
    t.equal(transactions.length, 2);
  },
);

t.test('chains that nobody uses any more are removed a while later, in a transaction of their own', async (t) => {
  const { client, transactions, settle } = await start();
  await client.create(kinds.service, service('web', { clusterIP: '10.96.0.5', ports }));
  const two = [{ ip: '10.244.1.2' }, { ip: '10.244.1.3' }];
  const made = await client.create(kinds.endpointSlice, slice('web', [{ port: 80 }], two));
  await settle();
  await client.update(kinds.endpointSlice, { ...made, endpoints: made.endpoints?.slice(0, 1) ?? [] });
  await settle();
  const before = transactions.length;
  await settle(5_000);
  t.equal(transactions.length, before + 1);
  t.equal(transactions.at(-1), 'flush chain ip k8ts addr-all-of-2\ndelete chain ip k8ts addr-all-of-2\n');
});

t.test('a table that somebody flushed is written again', async (t) => {
  const { transactions, warnings, answers, settle } = await start();
  await settle(30_000);
  t.equal(transactions.length, 1, 'it is there: nothing to do');
  answers.tableIsThere = false;
  await settle(30_000);
  t.match(warnings, [/removed by somebody/]);
  t.match(transactions[1], /delete table ip k8ts/);
});

t.test('after a failure the whole table is written, and the reason is shown until then', async (t) => {
  const { client, proxy, transactions, answers, settle } = await start();
  answers.fail = true;
  await client.create(kinds.service, service('web', { clusterIP: '10.96.0.5', ports }));
  await client.create(kinds.endpointSlice, slice('web', [{ port: 80 }], [{ ip: '10.244.1.2' }]));
  await settle();
  t.match(proxy.waitingFor, /nft: busy/);
  answers.fail = false;
  await settle(1_000);
  await settle();
  t.equal(proxy.waitingFor, undefined);
  t.match(transactions.at(-1), /delete table ip k8ts[\s\S]*10\.244\.1\.2 \. 80/);
});

t.test('without conntrack it says what that costs', async (t) => {
  const { warnings } = await start(['nft']);
  t.match(warnings, [/conntrack is not installed/]);
});
