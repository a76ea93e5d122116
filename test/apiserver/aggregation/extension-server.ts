// A small API server of another group: it takes requests only from who shows the front proxy's certificate, and says who it
// was told that asks.

import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createKeyPair, issueCertificate } from '../../../src/certs/index.ts';
import type { TestPki } from '../pki.ts';

export interface ExtensionServer {
  readonly port: number;
  /** PEM of what signs its serving certificate. */
  readonly ca: string;
  readonly seen: {
    readonly target: string;
    readonly headers: NodeJS.Dict<string | string[]>;
  }[];
  close(): Promise<void>;
}

export const group = 'shapes.example.com';
const version = 'v1';

const listing = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: `${group}/${version}`,
  resources: [
    {
      name: 'circles',
      singularName: 'circle',
      namespaced: true,
      kind: 'Circle',
      verbs: ['get', 'list'],
      shortNames: ['ci'],
    },
    { name: 'circles/status', singularName: '', namespaced: true, kind: 'Circle', verbs: ['get'] },
  ],
};
const openApiIndex = {
  paths: { [`apis/${group}/${version}`]: { serverRelativeURL: `/openapi/v3/apis/${group}/${version}?hash=ABC123` } },
};
export const openApi = { openapi: '3.0.0', info: { title: 'shapes', version }, paths: {} };
const reference = (name: string) => ({ $ref: `#/definitions/${name}` });
const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
/** As upstream's servers write it: shared parameters, their own copy of the machinery, and groups that are not asked for. */
const openApi2 = {
  swagger: '2.0',
  info: { title: 'shapes', version },
  paths: {
    [`/apis/${group}/${version}/circles`]: {
      get: {
        operationId: 'listCircles',
        parameters: [{ $ref: '#/parameters/pretty' }],
        responses: { 200: { description: 'OK', schema: reference('com.example.Circle') } },
      },
    },
    '/apis/other.example.com/v1/squares': { get: { responses: { 200: { description: 'OK' } } } },
  },
  definitions: {
    'com.example.Circle': {
      type: 'object',
      properties: { metadata: reference(objectMeta), radius: { type: 'integer' } },
      'x-kubernetes-group-version-kind': [{ group, version, kind: 'Circle' }],
    },
    [objectMeta]: { type: 'object', description: 'another release', properties: { name: { type: 'string' } } },
    'com.example.Square': { type: 'object' },
  },
  parameters: { pretty: { name: 'pretty', in: 'query', type: 'string', uniqueItems: true } },
};
const openApi2Tag = '"V2TAG"';
const circle = { kind: 'Circle', apiVersion: `${group}/${version}`, metadata: { name: 'round', namespace: 'default' } };
const list = { kind: 'CircleList', apiVersion: `${group}/${version}`, metadata: {}, items: [circle] };

/** @param dnsName of the serving certificate. */
export async function startExtensionServer(
  pki: TestPki,
  frontProxyCa: string,
  dnsName: string,
): Promise<ExtensionServer> {
  const pair = await createKeyPair();
  const cert = issueCertificate({
    subject: { commonName: 'shapes', organizations: [] },
    publicKeyPem: pair.publicKeyPem,
    signer: { certPem: pki.ca, keyPem: pki.caKey },
    usages: ['server auth'],
    altNames: [dnsName],
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
  });
  const seen: ExtensionServer['seen'][number][] = [];
  const server = createServer({
    cert,
    key: pair.privateKeyPem,
    ca: frontProxyCa,
    requestCert: true,
    rejectUnauthorized: false,
  });
  server.on('request', (request, response) => {
    const socket = request.socket as TLSSocket;
    const { url: target = '', headers } = request;
    if (!socket.authorized || socket.getPeerCertificate().subject?.CN !== 'front-proxy-client') {
      response.writeHead(401).end();
      return;
    }
    seen.push({ target, headers });
    const answer = (body: unknown) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const { pathname, searchParams } = new URL(target, 'https://here');
    if (pathname === `/apis/${group}/${version}`) return answer(listing);
    if (pathname === '/openapi/v2') {
      if (headers['if-none-match'] === openApi2Tag) return void response.writeHead(304).end();
      response.setHeader('etag', openApi2Tag);
      return answer(openApi2);
    }
    if (pathname === '/openapi/v3') return answer(openApiIndex);
    if (pathname === `/openapi/v3/apis/${group}/${version}`) return answer(openApi);
    if (searchParams.get('watch') === '1') {
      // Left open: what comes after the first event is up to the client.
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(`${JSON.stringify({ type: 'ADDED', object: circle })}\n`);
      return;
    }
    if (request.method === 'POST') {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => answer(JSON.parse(text)));
      return;
    }
    answer(pathname.endsWith('/circles') ? list : circle);
  });
  server.on('upgrade', (request, socket) => {
    if (!(request.socket as TLSSocket).authorized) return void socket.destroy();
    seen.push({ target: request.url ?? '', headers: request.headers });
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\n');
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    ca: pki.ca,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
