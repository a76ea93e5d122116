// A node with a real VXLAN link in one namespace, and a machine that is none in another.

import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';

const run = async (program: string, ...args: readonly string[]): Promise<string> =>
  (await promisify(execFile)(program, [...args])).stdout;
const netns = `k8tp${process.pid}`;
const [node, stranger] = [`${netns}-node`, `${netns}-stranger`];
const mac = '02:11:22:33:44:55';
const ask = (vni: number): Promise<string> =>
  run('ip', 'netns', 'exec', stranger, process.execPath, join(import.meta.dirname, 'ask.ts'), String(vni), mac);

t.before(async () => {
  for (const name of [node, stranger]) {
    await run('ip', 'netns', 'add', name);
    await run('ip', '-n', name, 'link', 'set', 'lo', 'up');
  }
  await run('ip', '-n', node, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', stranger);
  await run('ip', '-n', node, 'address', 'add', '192.0.2.1/24', 'dev', 'eth0');
  await run('ip', '-n', stranger, 'address', 'add', '192.0.2.2/24', 'dev', 'eth0');
  for (const name of [node, stranger]) await run('ip', '-n', name, 'link', 'set', 'eth0', 'up');
  await run('ip', '-n', stranger, 'route', 'add', 'default', 'via', '192.0.2.1');
  const vxlan = ['type', 'vxlan', 'id', '7', 'dev', 'eth0', 'local', '192.0.2.1', 'dstport', '8472', 'nolearning'];
  await run('ip', '-n', node, 'link', 'add', 'k8ts.7', 'address', mac, ...vxlan);
  await run('ip', '-n', node, 'address', 'add', '10.244.0.0/32', 'dev', 'k8ts.7');
  await run('ip', '-n', node, 'link', 'set', 'k8ts.7', 'up');
  await run('ip', '-n', node, 'address', 'add', '10.96.0.10/32', 'dev', 'lo');
  const responder = spawn('ip', ['netns', 'exec', node, process.execPath, join(import.meta.dirname, 'responder.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(async () => {
    const ended = new Promise((resolve) => responder.once('exit', resolve));
    responder.kill('SIGKILL');
    await ended;
    for (const name of [node, stranger]) await run('ip', 'netns', 'delete', name);
  });
  await new Promise((resolve) => responder.stdout.once('data', resolve));
});

t.test('an answer comes back through the overlay', async (t) => {
  t.equal(await ask(7), 'true');
});

t.test('another overlay does not answer', async (t) => {
  t.equal(await ask(8), 'false');
});

t.test('a firewall that drops the overlay’s packets is noticed', async (t) => {
  const rules =
    'add table inet f; add chain inet f i { type filter hook input priority 0; }; add rule inet f i udp dport 8472 drop';
  await run('ip', 'netns', 'exec', node, 'nft', rules);
  t.equal(await ask(7), 'false');
});
