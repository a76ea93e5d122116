import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { kinds, type Pod } from '../../src/api/index.ts';
import type { Clock } from '../../src/base/index.ts';
import { buildKubeconfig } from '../../src/certs/index.ts';
import {
  clientFromKubeconfig,
  createClient,
  createInformerFactory,
  isConnectionError,
} from '../../src/client/index.ts';
import { type Answer, json, startTlsServer } from './tls-server.ts';

const pod: Pod = { metadata: { name: 'p', namespace: 'default' }, spec: { containers: [] } };
const at = { namespace: 'default', name: 'p' };

/** Notes how long was slept, and does not sleep. */
function impatientClock(): Clock & { readonly slept: number[] } {
  const slept: number[] = [];
  return { slept, now: () => Date.now(), sleep: async (ms) => void slept.push(ms) };
}

async function withServer(answer: Answer, test: (server: Awaited<ReturnType<typeof startTlsServer>>) => Promise<void>) {
  const server = await startTlsServer(answer);
  try {
    await test(server);
  } finally {
    await server.close();
  }
}

t.test('each verb is the method, path and body that upstream expects', async (t) => {
  const echo: Answer = (_seen, response) => json(response, 200, { metadata: { name: 'p' }, items: [] });
  await withServer(echo, async ({ url, ca, seen }) => {
    const client = createClient({ server: url, ca, token: 'secret', userAgent: 'test' });
    await client.get(kinds.pod, at);
    await client.list(kinds.deployment, { labelSelector: 'a=b,c!=d', limit: 5, resourceVersion: '0' });
    await client.create(kinds.pod, pod);
    await client.update(kinds.pod, pod, { subresource: 'status' });
    await client.patch(kinds.pod, at, 'merge', { a: 1 });
    await client.patch(kinds.pod, at, 'strategic', { a: 1 }, { subresource: 'status' });
    await client.delete(kinds.node, { name: 'n' }, { gracePeriodSeconds: 0, propagationPolicy: 'Foreground' });
    await client.post(kinds.serviceAccount, { namespace: 'x', name: 'sa' }, 'token', { spec: {} });
    const { status, body } = await client.raw('GET', '/healthz');
    t.equal(status, 200);
    t.ok(Buffer.isBuffer(body));
    t.same(
      seen.map(({ method, path, headers }) => [method, path, headers['content-type']]),
      [
        ['GET', '/api/v1/namespaces/default/pods/p', undefined],
        ['GET', '/apis/apps/v1/deployments?labelSelector=a%3Db%2Cc%21%3Dd&resourceVersion=0&limit=5', undefined],
        ['POST', '/api/v1/namespaces/default/pods', 'application/json'],
        ['PUT', '/api/v1/namespaces/default/pods/p/status', 'application/json'],
        ['PATCH', '/api/v1/namespaces/default/pods/p', 'application/merge-patch+json'],
        ['PATCH', '/api/v1/namespaces/default/pods/p/status', 'application/strategic-merge-patch+json'],
        ['DELETE', '/api/v1/nodes/n', 'application/json'],
        ['POST', '/api/v1/namespaces/x/serviceaccounts/sa/token', 'application/json'],
        ['GET', '/healthz', undefined],
      ],
    );
    t.match(JSON.parse(seen[2]?.body ?? ''), { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } });
    t.match(JSON.parse(seen[6]?.body ?? ''), {
      kind: 'DeleteOptions',
      gracePeriodSeconds: 0,
      propagationPolicy: 'Foreground',
    });
    t.match(seen[0]?.headers, { authorization: 'Bearer secret', 'user-agent': 'test', accept: 'application/json' });
    await client.close();
  });
});

t.test('a Status answer becomes an ApiStatusError, and is not retried', async (t) => {
  const status = { kind: 'Status', code: 409, reason: 'Conflict', message: 'modified', details: { name: 'p' } };
  await withServer(
    (_seen, response) => json(response, 409, status),
    async ({ url, ca, seen }) => {
      const client = createClient({ server: url, ca });
      const want = {
        name: 'ApiStatusError',
        code: 409,
        reason: 'Conflict',
        message: 'modified',
        details: { name: 'p' },
      };
      await t.rejects(client.update(kinds.pod, pod), want);
      t.equal(seen.length, 1);
      await client.close();
    },
  );
});

t.test('an answer that is no Status still has a reason', async (t) => {
  await withServer(
    (_seen, response) => response.writeHead(502).end('<html>bad gateway'),
    async ({ url, ca }) => {
      const client = createClient({ server: url, ca });
      await t.rejects(client.get(kinds.pod, at), { code: 502, message: 'HTTP 502: <html>bad gateway' });
      await client.close();
    },
  );
});

t.test('429 is repeated after the time that the server names, whatever the verb', async (t) => {
  let refusals = 2;
  const answer: Answer = (_seen, response) => {
    refusals -= 1;
    if (refusals >= 0)
      json(response, 429, { kind: 'Status', code: 429, reason: 'TooManyRequests' }, { 'retry-after': '3' });
    else json(response, 201, pod);
  };
  await withServer(answer, async ({ url, ca, seen }) => {
    const clock = impatientClock();
    const client = createClient({ server: url, ca, clock });
    t.match(await client.create(kinds.pod, pod), { metadata: { name: 'p' } });
    t.same(clock.slept, [3000, 3000]);
    t.equal(seen.length, 3);
    t.equal(seen[0]?.body, seen[2]?.body);
    await client.close();
  });
});

t.test('retries end', async (t) => {
  const answer: Answer = (_seen, response) =>
    json(response, 429, { kind: 'Status', code: 429, reason: 'TooManyRequests' });
  await withServer(answer, async ({ url, ca, seen }) => {
    const client = createClient({ server: url, ca, clock: impatientClock(), retries: 2 });
    await t.rejects(client.get(kinds.pod, at), { code: 429 });
    t.equal(seen.length, 3);
    await client.close();
  });
});

t.test('a lost connection repeats reads only: the fate of a write is unknown', async (t) => {
  await withServer(
    (_seen, _response, socket) => socket.destroy(),
    async ({ url, ca, seen }) => {
      const client = createClient({ server: url, ca, clock: impatientClock(), retries: 2 });
      await t.rejects(client.create(kinds.pod, pod));
      t.equal(seen.length, 1);
      const error = await client.get(kinds.pod, at).catch((reason: unknown) => reason);
      t.ok(isConnectionError(error));
      t.equal(seen.length, 4);
      await client.close();
    },
  );
});

t.test('a refused connection repeats writes too', async (t) => {
  const clock = impatientClock();
  const port = await freePort();
  const client = createClient({ server: `https://127.0.0.1:${port}`, clock, retries: 3 });
  const error = await client.create(kinds.pod, pod).catch((reason: unknown) => reason);
  t.ok(isConnectionError(error));
  t.equal(clock.slept.length, 3);
  await client.close();
});

t.test('a server whose CA is not the one expected is not spoken to', async (t) => {
  await withServer(
    (_seen, response) => json(response, 200, {}),
    async ({ url, seen }) => {
      const other = await startTlsServer(() => undefined);
      const client = createClient({ server: url, ca: other.ca, retries: 0 });
      await t.rejects(client.get(kinds.pod, at), { code: /CERT|SIGNATURE|SELF_SIGNED/ });
      t.equal(seen.length, 0);
      await client.close();
      await other.close();
    },
  );
});

t.test('the client certificate can be exchanged in use', async (t) => {
  const answer: Answer = (_seen, response) => json(response, 200, pod);
  await withServer(answer, async ({ url, ca, seen, identity }) => {
    const client = createClient({ server: url, ca, ...(await identity('first')) });
    await client.get(kinds.pod, at);
    client.useIdentity(await identity('second'));
    await client.get(kinds.pod, at);
    t.same(
      seen.map(({ user }) => user),
      ['first', 'second'],
    );
    await client.close();
  });
});

t.test('tokens are asked for before each request', async (t) => {
  await withServer(
    (_seen, response) => json(response, 200, pod),
    async ({ url, ca, seen }) => {
      let serial = 0;
      const tokenProvider = async (): Promise<string> => {
        serial += 1;
        return `t${serial}`;
      };
      const client = createClient({ server: url, ca, tokenProvider });
      await client.get(kinds.pod, at);
      await client.get(kinds.pod, at);
      t.same(
        seen.map(({ headers }) => headers.authorization),
        ['Bearer t1', 'Bearer t2'],
      );
      await client.close();
    },
  );
});

t.test('a kubeconfig’s credentials are used, inline or from files', async (t) => {
  await withServer(
    (_seen, response) => json(response, 200, pod),
    async ({ url, ca, seen, identity }) => {
      const folder = mkdtempSync(join(tmpdir(), 'k8ts-client-'));
      t.teardown(() => rmSync(folder, { recursive: true }));
      const { cert, key } = await identity('from-file');
      writeFileSync(join(folder, 'me.crt'), cert);
      writeFileSync(join(folder, 'me.key'), key);
      writeFileSync(join(folder, 'token'), 'abc\n');
      const access = { server: url, user: 'me', ca: { text: ca } };
      const byFile = buildKubeconfig({
        ...access,
        cert: { file: 'me.crt' },
        key: { file: 'me.key' },
        token: { file: 'token' },
      });
      const first = await clientFromKubeconfig(byFile, { folder });
      await first.get(kinds.pod, at);
      const inline = await identity('inline');
      const second = await clientFromKubeconfig(
        buildKubeconfig({ ...access, cert: { text: inline.cert }, key: { text: inline.key } }),
      );
      await second.get(kinds.pod, at);
      t.match(seen, [{ user: 'from-file', headers: { authorization: 'Bearer abc' } }, { user: 'inline' }]);
      await Promise.all([first.close(), second.close()]);
    },
  );
});

t.test('watch events arrive however the bytes are cut; ERROR ends the watch as its Status', async (t) => {
  const event = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`;
  const text = [
    event('ADDED', { metadata: { name: 'ä', resourceVersion: '5' } }),
    event('BOOKMARK', { metadata: { resourceVersion: '9' } }),
    event('NEWTYPE', { metadata: {} }),
    event('DELETED', { metadata: { name: 'ä', resourceVersion: '10' } }),
    event('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }),
  ].join('');
  const answer: Answer = (_seen, response) => {
    response.writeHead(200);
    const bytes = Buffer.from(text);
    const cuts = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, index) =>
      bytes.subarray(index * 7, index * 7 + 7),
    );
    const writeNext = (): void => {
      const cut = cuts.shift();
      if (cut === undefined) response.end();
      else response.write(cut, () => setImmediate(writeNext));
    };
    writeNext();
  };
  await withServer(answer, async ({ url, ca, seen }) => {
    const client = createClient({ server: url, ca });
    const got: string[] = [];
    const watching = async (): Promise<void> => {
      for await (const one of client.watch(kinds.pod, {
        resourceVersion: '4',
        allowWatchBookmarks: true,
        timeoutSeconds: 60,
      })) {
        got.push(
          one.type === 'BOOKMARK' ? `BOOKMARK ${one.resourceVersion}` : `${one.type} ${one.object.metadata.name}`,
        );
      }
    };
    await t.rejects(watching(), { code: 410, reason: 'Expired' });
    t.same(got, ['ADDED ä', 'BOOKMARK 9', 'DELETED ä']);
    t.equal(seen[0]?.path, '/api/v1/pods?watch=true&resourceVersion=4&allowWatchBookmarks=true&timeoutSeconds=60');
    await client.close();
  });
});

t.test('a watch that is refused says why', async (t) => {
  const forbidden = { kind: 'Status', code: 403, reason: 'Forbidden', message: 'no' };
  await withServer(
    (_seen, response) => json(response, 403, forbidden),
    async ({ url, ca }) => {
      const client = createClient({ server: url, ca });
      const watching = async (): Promise<void> => {
        for await (const _event of client.watch(kinds.pod, {})) t.fail('no event');
      };
      await t.rejects(watching(), { code: 403, reason: 'Forbidden' });
      await client.close();
    },
  );
});

t.test('an informer goes on over a new connection when the identity is exchanged', async (t) => {
  const users: (string | undefined)[] = [];
  const answer: Answer = ({ path, user }, response) => {
    if (!path.includes('watch=true')) return json(response, 200, { metadata: { resourceVersion: '1' }, items: [] });
    users.push(user);
    response.writeHead(200);
    response.flushHeaders();
    const name = `seen-by-${user}`;
    response.write(
      `${JSON.stringify({ type: 'ADDED', object: { metadata: { name, resourceVersion: `${users.length + 1}` } } })}\n`,
    );
  };
  await withServer(answer, async ({ url, ca, identity }) => {
    const stop = new AbortController();
    const client = createClient({ server: url, ca, ...(await identity('first')) });
    const factory = createInformerFactory(client);
    const pods = factory.informer(kinds.pod);
    const both = new Promise<void>((resolve) =>
      pods.addHandler({ added: () => (pods.list().length === 2 ? resolve() : undefined) }),
    );
    await factory.start(stop.signal);
    await new Promise<void>((resolve) => pods.addHandler({ added: () => resolve() }));
    client.useIdentity(await identity('second'));
    await both;
    t.same(users, ['first', 'second']);
    stop.abort();
    await client.close();
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
