// The certificate towards nodes is exchanged while requests are under way.

import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import t from 'tap';
import { kinds, type Node } from '../../../src/api/index.ts';
import { createNodeProxy } from '../../../src/apiserver/proxy/index.ts';
import { createFakeObjects } from '../fake-objects.ts';
import { createTestPki } from '../pki.ts';

t.test('new requests show the new certificate, one under way ends as it began', async (t) => {
  const pki = await createTestPki();
  const [first, second] = await Promise.all([pki.client('first', []), pki.client('second', [])]);
  let finish: () => void = () => undefined;
  const node = createServer({ ...pki.server, ca: pki.ca, requestCert: true }, (request, response) => {
    const { CN } = (request.socket as TLSSocket).getPeerCertificate().subject;
    response.write(`${String(CN)} `);
    finish = () => response.end('done');
    if (request.url === '/quick') finish();
  });
  await new Promise<void>((resolve) => node.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    node.closeAllConnections();
    node.close();
  });
  const objects = createFakeObjects();
  const { port } = node.address() as AddressInfo;
  objects.put(kinds.node, {
    metadata: { name: 'n1' },
    status: {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    },
  } as Node);
  const proxy = createNodeProxy({
    reader: objects.reader,
    clientCert: first.cert,
    clientKey: first.key,
    clusterCa: pki.ca,
  });
  t.teardown(() => proxy.close());
  const get = (rest: string) =>
    proxy.handle({
      resource: 'nodes',
      subresource: 'proxy',
      namespace: '',
      name: 'n1',
      rest,
      query: new URLSearchParams(),
      method: 'GET',
      headers: {},
      body: Readable.from([]),
      user: { name: 'admin', groups: [] },
      signal: new AbortController().signal,
    });
  t.equal(await text((await get('/quick')).body), 'first done');
  const slow = await get('/slow');
  const end = finish;
  proxy.replaceCertificate({ clientCert: second.cert, clientKey: second.key });
  t.equal(await text((await get('/quick')).body), 'second done');
  end();
  t.equal(await text(slow.body), 'first done');
});
