// A real HTTPS server that answers AdmissionReviews as a test says.

import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createKeyPair, issueCertificate } from '../../../src/certs/index.ts';
import type { Json } from '../harness.ts';
import type { TestPki } from '../pki.ts';

export interface WebhookServer {
  readonly port: number;
  /** Base64, for clientConfig.caBundle. */
  readonly caBundle: string;
  /** The requests so far, by path. */
  readonly asked: readonly { readonly path: string; readonly request: Json }[];
  close(): Promise<void>;
}

/** What is told to a request; a string is sent as it is, undefined never answers. */
export type Respond = (request: Json, path: string) => Json | string | undefined;

export async function startWebhookServer(
  { ca, caKey }: TestPki,
  respond: Respond,
  names: readonly string[] = ['localhost', '127.0.0.1', 'hook.default.svc'],
): Promise<WebhookServer> {
  const pair = await createKeyPair();
  const cert = issueCertificate({
    subject: { commonName: 'hook', organizations: [] },
    publicKeyPem: pair.publicKeyPem,
    signer: { certPem: ca, keyPem: caKey },
    usages: ['server auth'],
    altNames: names,
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
  });
  const asked: { path: string; request: Json }[] = [];
  const server = createServer({ cert, key: pair.privateKeyPem }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const review = JSON.parse(Buffer.concat(chunks).toString()) as { readonly request: Json };
      const path = (request.url ?? '').split('?')[0] ?? '';
      asked.push({ path, request: review.request });
      const answer = respond(review.request, path);
      if (answer === undefined) return;
      const { uid } = review.request;
      const body = {
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: { uid, ...(answer as Json) },
      };
      response.setHeader('content-type', 'application/json');
      response.end(typeof answer === 'string' ? answer : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    caBundle: Buffer.from(ca).toString('base64'),
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const patchOf = (operations: readonly Json[]): Json => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});
