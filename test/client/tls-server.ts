// A small API server for the client's tests: TLS with client certificates, answers given by a function.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createKeyPair, issueCertificate, type Signer } from '../../src/certs/index.ts';

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Common name of the client certificate. */
  readonly user: string | undefined;
}

export type Answer = (seen: Seen, response: ServerResponse, socket: Socket) => void;

const hour = 3_600_000;

export async function startTlsServer(answer: Answer) {
  const ca = await makeCa();
  const seen: Seen[] = [];
  const tls = { ca: ca.certPem, requestCert: true, rejectUnauthorized: false };
  const server = createServer({ ...tls, ...(await issue(ca, 'server', ['127.0.0.1'])) });
  server.on('request', (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const subject = (request.socket as TLSSocket).getPeerCertificate().subject;
      const { method = '', url = '', headers } = request;
      const one = { method, path: url, headers, body: Buffer.concat(chunks).toString(), user: subject?.CN?.toString() };
      seen.push(one);
      answer(one, response, request.socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `https://127.0.0.1:${port}`,
    port,
    ca: ca.certPem,
    seen,
    identity: (name: string) => issue(ca, name, []),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function validity(): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - hour), notAfter: new Date(Date.now() + hour) };
}

async function makeCa(): Promise<Signer> {
  const { publicKeyPem, privateKeyPem } = await createKeyPair();
  const signer = { self: true, keyPem: privateKeyPem } as const;
  const subject = { commonName: 'test CA', organizations: [] };
  const usages = ['digital signature', 'cert sign'] as const;
  return { certPem: issueCertificate({ subject, publicKeyPem, signer, usages, ...validity() }), keyPem: privateKeyPem };
}

async function issue(signer: Signer, name: string, altNames: string[]): Promise<{ cert: string; key: string }> {
  const { publicKeyPem, privateKeyPem } = await createKeyPair();
  const subject = { commonName: name, organizations: [] };
  const usages = ['digital signature', 'server auth', 'client auth'] as const;
  const cert = issueCertificate({ subject, publicKeyPem, signer, usages, altNames, ...validity() });
  return { cert, key: privateKeyPem };
}
