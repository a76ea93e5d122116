// The document that `k8ts join` is told by, instead of flags. How the cluster is found is one of three: a join string, a token
// with an endpoint and a CA hash, or a discovery file.
//
//   apiVersion: k8ts.dev/v1
//   kind: JoinConfiguration
//   discovery: { endpoints: ['192.0.2.10:6443'], token: abcdef.0123456789abcdef, caCertHashes: ['sha256:…'] }

import * as z from 'zod';
import { documentVersion } from './cluster-document.ts';
import { caCertHashSchema, endpointSchema, nodeFields, runFields, tokenSchema } from './fields.ts';

export const joinDocument = z.strictObject({
  apiVersion: z.literal(documentVersion).describe('Version of this format.'),
  kind: z.literal('JoinConfiguration').describe('What k8ts join reads.'),
  discovery: z
    .strictObject({
      joinString: z.string().min(1).optional().describe('What k8ts token create --print-join-string prints.'),
      endpoints: z
        .array(endpointSchema)
        .min(1)
        .optional()
        .describe('host:port of the API server; the first that answers is used. Port 6443 if left out.'),
      token: tokenSchema.optional().describe('Bootstrap token, for finding the cluster and for logging in.'),
      tlsBootstrapToken: tokenSchema.optional().describe('Another token for logging in. Default: token.'),
      caCertHashes: z.array(caCertHashSchema).min(1).optional().describe("Hashes of the cluster's CA, sha256:…"),
      unsafeSkipCaVerification: z
        .boolean()
        .optional()
        .describe('Trust whoever knows the token, without a CA hash. Default false.'),
      file: z.string().min(1).optional().describe('Kubeconfig file, or https URL of one, that names server and CA.'),
    })
    .optional()
    .describe('How the cluster is found and trusted.'),
  node: z.strictObject(nodeFields).optional().describe('This machine.'),
  ...runFields,
});

export type JoinDocument = z.infer<typeof joinDocument>;

export const emptyJoinDocument: JoinDocument = { apiVersion: documentVersion, kind: 'JoinConfiguration' };
