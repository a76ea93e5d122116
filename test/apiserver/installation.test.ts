import { createHash } from 'node:crypto';
import { truncateSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, get } from 'node:https';
import { join } from 'node:path';
import t from 'tap';
import type { Exchange } from '../../src/apiserver/http/exchange.ts';
import type { InstallationSource } from '../../src/apiserver/index.ts';
import { createInstallation } from '../../src/apiserver/installation/index.ts';
import { CodedError } from '../../src/base/index.ts';
import { startTestServer } from './harness.ts';

const token = { authorization: 'Bearer abcdef.0123456789abcdef' };
const content = Buffer.alloc(700_000, 'k8ts ');
const sha256 = createHash('sha256').update(content).digest('hex');

type Test = Pick<typeof t, 'testdir' | 'teardown'>;

async function serverWith(t: Test, source: Partial<InstallationSource> = {}) {
  const path = join(t.testdir(), 'archive');
  writeFileSync(path, content);
  const archive = async (architecture: string) =>
    architecture === 'x64' ? { path, sha256, size: content.length } : undefined;
  const script = async (asker: string) => `#!/bin/sh\n# for ${asker}\n`;
  const server = await startTestServer({ installation: { archive, script, ...source } });
  t.teardown(() => server.stop());
  return { ...server, path };
}

t.test('the script is for who holds a token', async (t) => {
  const { call } = await serverWith(t);
  const answer = await call('GET', '/k8ts/install', undefined, token);
  t.equal(answer.status, 200);
  t.equal(answer.text, '#!/bin/sh\n# for abcdef.0123456789abcdef\n');
  t.equal(answer.headers['cache-control'], 'no-store');
  for (const authorization of ['', 'Bearer x', 'Bearer abcdef.0123456789abcdef;reboot']) {
    const refused = await call('GET', '/k8ts/install', undefined, authorization === '' ? {} : { authorization });
    t.equal(refused.status, 400, authorization);
    t.match(refused.text, /bootstrap token/);
  }
  t.equal((await call('POST', '/k8ts/install', {}, token)).status, 405);
  t.equal((await call('GET', '/k8ts/other', undefined, token)).status, 404);
});

t.test('a master without an archive says so', async (t) => {
  const script = async () => {
    throw new CodedError('BUNDLE_MISSING', 'there is no archive of k8ts here yet', { hint: 'make one' });
  };
  const { call } = await serverWith(t, { script });
  const answer = await call('GET', '/k8ts/install', undefined, token);
  t.equal(answer.status, 503);
  t.match(answer.text, /no archive of k8ts/);
});

t.test('a download can be continued, and is not repeated', async (t) => {
  const { call } = await serverWith(t);
  const whole = await call('GET', '/k8ts/bundle/x64');
  t.equal(whole.status, 200);
  t.equal(whole.headers['content-length'], String(content.length));
  t.equal(createHash('sha256').update(whole.text).digest('hex'), sha256);
  const etag = String(whole.headers['etag']);
  t.equal(etag, `"${sha256}"`);

  const rest = await call('GET', '/k8ts/bundle/x64', undefined, { range: 'bytes=600000-' });
  t.equal(rest.status, 206);
  t.equal(rest.headers['content-range'], `bytes 600000-${content.length - 1}/${content.length}`);
  t.equal(rest.text, content.subarray(600_000).toString());
  const same = await call('GET', '/k8ts/bundle/x64', undefined, { range: 'bytes=600000-', 'if-range': etag });
  t.equal(same.status, 206);
  const other = await call('GET', '/k8ts/bundle/x64', undefined, { range: 'bytes=600000-', 'if-range': '"older"' });
  t.equal(other.status, 200, 'a part of another archive is of no use');
  t.equal(other.text.length, content.length);
  t.equal((await call('GET', '/k8ts/bundle/x64', undefined, { range: 'bytes=1-2,5-6' })).status, 200);

  const beyond = await call('GET', '/k8ts/bundle/x64', undefined, { range: `bytes=${content.length}-` });
  t.equal(beyond.status, 416);
  t.equal(beyond.headers['content-range'], `bytes */${content.length}`);
  t.equal((await call('GET', '/k8ts/bundle/x64', undefined, { 'if-none-match': etag })).status, 304);
  const head = await call('HEAD', '/k8ts/bundle/x64');
  t.equal(head.status, 200);
  t.equal(head.headers['content-length'], String(content.length));
  t.equal((await call('GET', '/k8ts/bundle/riscv')).status, 404);
});

t.test('an archive that shrinks while it is sent does not look complete', async (t) => {
  const { call, path } = await serverWith(t);
  truncateSync(path, 1000);
  await t.rejects(call('GET', '/k8ts/bundle/x64'));
});

t.test('more downloads than the bound are told to come back', async (t) => {
  const size = 64 << 20; // more than sockets hold, so that a client that does not read keeps its place
  const path = join(t.testdirName, 'archive');
  const { call, server, ca } = await serverWith(t, { archive: async () => ({ path, sha256, size }) });
  truncateSync(path, size);
  const agent = new Agent({ keepAlive: false });
  const begin = () =>
    new Promise<IncomingMessage>((resolve, reject) => {
      get(`${server.url}/k8ts/bundle/x64`, { ca, agent }, resolve).on('error', reject);
    });
  const slow = await Promise.all(Array.from({ length: 16 }, begin));
  t.ok(slow.every(({ statusCode }) => statusCode === 200));
  const refused = await call('GET', '/k8ts/bundle/x64');
  t.equal(refused.status, 429);
  t.equal(refused.headers['retry-after'], '5');
  for (const answer of slow) answer.destroy();
});

t.test('who takes nothing of a download gives up its place', async (t) => {
  const path = join(t.testdir(), 'archive');
  writeFileSync(path, content);
  const archive = async () => ({ path, sha256, size: content.length });
  const handler = createInstallation({ archive, script: async () => '' }, 20);
  let writes = 0;
  let destroyed = false;
  const body = {
    write: () => {
      writes += 1;
      return writes === 1;
    },
    closed: false,
    drained: () => new Promise<void>(() => undefined),
    destroy: () => {
      destroyed = true;
    },
  };
  const exchange = { method: 'GET', headers: {}, stream: () => body } as unknown as Exchange;
  await handler(exchange, '/k8ts/bundle/x64');
  t.ok(destroyed);
  t.equal(writes, 2, 'it was sent no more');
});
