import t from 'tap';
import type { CertificateSigningRequest, ConfigMap, Node, Secret, Stored } from '../../src/api/index.ts';
import { createCsr, createKeyPair, issueCertificate, parseCertificate } from '../../src/certs/index.ts';
import { reconcileClusterInfo } from '../../src/controllers/bootstrap-signer.ts';
import type { Action } from '../../src/controllers/controller.ts';
import { reconcileApproval } from '../../src/controllers/csr-approving.ts';
import { reconcileAge } from '../../src/controllers/csr-cleaner.ts';
import { readRequest } from '../../src/controllers/csr-request.ts';
import { reconcileSigning } from '../../src/controllers/csr-signing.ts';
import { reconcileToken } from '../../src/controllers/token-cleaner.ts';
import { tokenSecret, verifyClusterInfo } from '../../src/tokens/index.ts';
import { ago, node, now } from './objects.ts';

interface CsrLike {
  readonly signer?: string;
  readonly commonName?: string;
  readonly organizations?: readonly string[];
  readonly altNames?: readonly string[];
  readonly usages?: readonly string[];
  readonly username?: string;
  readonly groups?: readonly string[];
  readonly request?: string;
  readonly expirationSeconds?: number;
  readonly status?: CertificateSigningRequest['status'];
}

const key = await createKeyPair('ECDSA-P256');
const bootstrap = { username: 'system:bootstrap:abcdef', groups: ['system:bootstrappers', 'system:authenticated'] };
const own = { username: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] };
const serving = {
  ...own,
  signer: 'kubernetes.io/kubelet-serving',
  usages: ['digital signature', 'server auth'],
  altNames: ['n1', '10.0.0.1'],
};

function csr(like: CsrLike = {}): Stored<CertificateSigningRequest> {
  const { signer = 'kubernetes.io/kube-apiserver-client-kubelet', commonName = 'system:node:n1' } = like;
  const { organizations = ['system:nodes'], altNames = [], usages = ['digital signature', 'client auth'] } = like;
  const pem = createCsr({ keyPem: key.privateKeyPem, subject: { commonName, organizations }, altNames });
  return {
    metadata: { name: 'csr-1', uid: 'csr-1', resourceVersion: '1', creationTimestamp: ago(60) as never },
    spec: {
      signerName: signer,
      request: like.request ?? Buffer.from(pem).toString('base64'),
      usages,
      username: like.username ?? bootstrap.username,
      groups: like.groups ?? bootstrap.groups,
      ...(like.expirationSeconds === undefined ? {} : { expirationSeconds: like.expirationSeconds }),
    },
    ...(like.status === undefined ? {} : { status: like.status }),
  } as unknown as Stored<CertificateSigningRequest>;
}

t.test('which requests are approved without a person', async (t) => {
  const known = node({
    addresses: [
      { type: 'InternalIP', address: '10.0.0.1' },
      { type: 'Hostname', address: 'n1' },
    ],
  });
  const cases: readonly {
    readonly name: string;
    readonly given: CsrLike;
    readonly node?: Node;
    readonly want: boolean;
  }[] = [
    { name: 'first client certificate', given: {}, want: true },
    { name: 'renewal by the node itself', given: own, want: true },
    { name: 'by another node', given: { ...own, username: 'system:node:n2' }, want: false },
    { name: 'by a user', given: { username: 'jane', groups: ['system:authenticated'] }, want: false },
    { name: 'into another group', given: { organizations: ['system:masters'] }, want: false },
    { name: 'into two groups', given: { organizations: ['system:nodes', 'system:masters'] }, want: false },
    { name: 'not a node', given: { commonName: 'admin' }, want: false },
    { name: 'names in a client certificate', given: { altNames: ['n1'] }, want: false },
    { name: 'as a server', given: { usages: ['digital signature', 'client auth', 'server auth'] }, want: false },
    { name: 'for another signer', given: { signer: 'example.com/own' }, want: false },
    { name: 'unreadable', given: { request: Buffer.from('x').toString('base64') }, want: false },
    { name: 'serving, own addresses', given: serving, node: known, want: true },
    {
      name: 'serving, an address of somebody else',
      given: { ...serving, altNames: ['10.0.0.2'] },
      node: known,
      want: false,
    },
    {
      name: 'serving, a name of somebody else',
      given: { ...serving, altNames: ['kubernetes'] },
      node: known,
      want: false,
    },
    { name: 'serving, node not known yet', given: serving, want: false },
    { name: 'serving, with a bootstrap token', given: { ...serving, ...bootstrap }, node: known, want: false },
    { name: 'serving, no names', given: { ...serving, altNames: [] }, node: known, want: false },
  ];
  for (const { name, given, node, want } of cases) {
    const request = csr(given);
    const actions = reconcileApproval(request, readRequest(request), node, now);
    t.equal(actions.length === 1, want, name);
    if (want) {
      t.match(actions, [
        { subresource: 'approval', object: { status: { conditions: [{ type: 'Approved', reason: 'AutoApproved' }] } } },
      ]);
    }
  }
});

const caKey = await createKeyPair('ECDSA-P256');
const ca = {
  keyPem: caKey.privateKeyPem,
  certPem: issueCertificate({
    subject: { commonName: 'kubernetes', organizations: [] },
    publicKeyPem: caKey.publicKeyPem,
    signer: { self: true, keyPem: caKey.privateKeyPem },
    usages: ['cert sign', 'digital signature'],
    notBefore: new Date(now - 1000),
    notAfter: new Date(now + 10 * 365 * 86_400_000),
  }),
};

function statusOf(actions: readonly Action[]): NonNullable<CertificateSigningRequest['status']> {
  const [action] = actions;
  if (action === undefined || !('object' in action)) throw new Error('nothing was written');
  return (action.object as CertificateSigningRequest).status ?? {};
}

t.test('an approved request becomes a certificate with its subject, names, usages and life', async (t) => {
  const longest = 365 * 86_400_000;
  const cases = [
    { name: 'default life', given: {}, days: 365 },
    { name: 'asked for less', given: { expirationSeconds: 86_400 }, days: 1 },
    { name: 'asked for more', given: { expirationSeconds: 10 * 365 * 86_400 }, days: 365 },
  ];
  for (const { name, given, days } of cases) {
    const { certificate = '' } = statusOf(reconcileSigning(csr(given), { ca, longest, now }));
    const read = parseCertificate(Buffer.from(certificate, 'base64').toString());
    t.same(read.subject, { commonName: 'system:node:n1', organizations: ['system:nodes'] });
    t.same([...read.usages].sort(), ['client auth', 'digital signature']);
    t.equal(Math.round((read.notAfter.getTime() - now) / 86_400_000), days, name);
  }
  const { certificate = '' } = statusOf(reconcileSigning(csr(serving), { ca, longest, now }));
  t.match(parseCertificate(Buffer.from(certificate, 'base64').toString()), {
    dnsNames: ['n1'],
    ipAddresses: ['10.0.0.1'],
  });
});

t.test('an approved request that breaks its signer’s rules fails with the reason', async (t) => {
  const cases = [
    { name: 'unreadable', given: { request: Buffer.from('x').toString('base64') }, message: /PEM/ },
    { name: 'node rules', given: { organizations: ['system:masters'] }, message: /organization/ },
    {
      name: 'a server certificate from the client signer',
      given: { signer: 'kubernetes.io/kube-apiserver-client', usages: ['client auth', 'server auth'] },
      message: /server auth/,
    },
    {
      name: 'unknown usage',
      given: { usages: ['client auth', 'digital signature', 'ipsec user'] },
      message: /ipsec user/,
    },
  ];
  for (const { name, given, message } of cases) {
    const status = statusOf(reconcileSigning(csr(given), { ca, longest: 1e9, now }));
    t.match(status, { conditions: [{ type: 'Failed', reason: 'SignerValidationFailure', message }] }, name);
    t.equal(status.certificate, undefined, name);
  }
});

t.test('requests go an hour after their answer, a day after nobody answered', async (t) => {
  const answered = (type: string, seconds: number): CsrLike => ({
    status: { conditions: [{ type, status: 'True', lastUpdateTime: ago(seconds) as never }] },
  });
  const cases: readonly { readonly name: string; readonly given: CsrLike; readonly want: string }[] = [
    { name: 'pending', given: {}, want: 'later 86340000' },
    { name: 'approved lately', given: answered('Approved', 600), want: 'later 3000000' },
    { name: 'approved', given: answered('Approved', 3601), want: 'delete' },
    { name: 'denied', given: answered('Denied', 3601), want: 'delete' },
    { name: 'failed', given: answered('Failed', 3601), want: 'delete' },
  ];
  for (const { name, given, want } of cases) {
    const [action] = reconcileAge(csr(given), now);
    t.equal(action?.do === 'later' ? `later ${action.ms}` : action?.do, want, name);
  }
});

const token = { id: 'abcdef', secret: '0123456789abcdef' };

function secret(options: {
  readonly ttl: number;
  readonly usages?: readonly ('signing' | 'authentication')[];
}): Stored<Secret> {
  const made = tokenSecret(token, { ...options, now: new Date(now) });
  return {
    ...made,
    metadata: { ...made.metadata, name: made.metadata?.name ?? '', uid: 's', resourceVersion: '1' },
  } as Stored<Secret>;
}

t.test('cluster-info is signed for each token that may sign, and no other', async (t) => {
  const configMap = {
    metadata: { name: 'cluster-info', namespace: 'kube-public', uid: 'c', resourceVersion: '1' },
    data: { kubeconfig: 'server: x', 'jws-kubeconfig-gone00': 'stale' },
  } as Stored<ConfigMap>;
  const actions = reconcileClusterInfo(configMap, [secret({ ttl: 60_000 })], now);
  t.match(actions[0], { do: 'later', ms: 60_000 });
  const [, action] = actions;
  if (action === undefined || !('object' in action)) throw new Error('nothing was written');
  const signed = action.object as Stored<ConfigMap>;
  t.same(Object.keys(signed.data ?? {}).sort(), ['jws-kubeconfig-abcdef', 'kubeconfig']);
  t.equal(verifyClusterInfo(signed, token), 'server: x');
  t.same(reconcileClusterInfo(signed, [secret({ ttl: 0 })], now), [], 'nothing to do');
  t.match(reconcileClusterInfo(signed, [secret({ ttl: 0, usages: ['authentication'] })], now), [
    { object: { data: { kubeconfig: 'server: x', 'jws-kubeconfig-abcdef': undefined } } },
  ]);
});

t.test('a token is deleted when it expires', async (t) => {
  t.match(reconcileToken(secret({ ttl: 5_000 }), now), [{ do: 'later', ms: 5_000 }]);
  t.match(reconcileToken(secret({ ttl: 5_000 }), now + 5_000), [{ do: 'delete' }]);
  t.same(reconcileToken(secret({ ttl: 0 }), now), [], 'never');
});
