// kube-apiserver's flags at `k8ts run control-plane`: each is seen at work from outside, and what is wrong is told.

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import t from 'tap';
import { Agent } from 'undici';
import { createTestPki } from '../apiserver/pki.ts';
import { startControlPlane } from './control-plane.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'k8ts');
const folder = await mkdtemp(join(tmpdir(), 'k8ts-settings-'));
t.teardown(() => rm(folder, { recursive: true }));
const file = async (name: string, text: string): Promise<string> => {
  await writeFile(join(folder, name), text);
  return join(folder, name);
};

const pki = await createTestPki();
const proxies = await createTestPki();
const keys = await generateKeyPair('RS256');
const issuer = createServer(pki.server, async (request, response) => {
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k', alg: 'RS256', use: 'sig' };
  const discovery = { issuer: issuerUrl(), jwks_uri: `${issuerUrl()}/keys` };
  response.end(JSON.stringify(request.url === '/keys' ? { keys: [jwk] } : discovery));
});
await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
t.teardown(() => {
  issuer.closeAllConnections();
  issuer.close();
});
function issuerUrl(): string {
  return `https://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
}

const policy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  rules: [{ level: 'RequestResponse', resources: [{ group: '', resources: ['configmaps'] }] }],
};

t.test('every setting does what it says', async (t) => {
  const auditLog = join(folder, 'audit.log');
  const flags = {
    'anonymous-auth': 'false',
    'token-auth-file': await file('tokens.csv', 'secret,alice,1,"system:masters"\n'),
    'oidc-issuer-url': issuerUrl(),
    'oidc-client-id': 'k8ts',
    'oidc-username-prefix': 'oidc:',
    'oidc-ca-file': await file('issuer.crt', pki.ca),
    'requestheader-client-ca-file': await file('proxies.crt', proxies.ca),
    'requestheader-allowed-names': 'gateway',
    'requestheader-username-headers': 'X-User',
    'audit-policy-file': await file('policy.json', JSON.stringify(policy)),
    'audit-log-path': auditLog,
    'audit-log-maxage': '1',
    'service-account-issuer': 'https://accounts.test',
    'api-audiences': 'https://accounts.test,second',
    'enable-admission-plugins': 'AlwaysPullImages,DenyServiceExternalIPs',
    'disable-admission-plugins': 'ServiceAccount',
    'service-node-port-range': '31000-31010',
    'max-requests-inflight': '50',
    'max-mutating-requests-inflight': '50',
    'request-timeout': '5s',
  };
  const plane = await startControlPlane([
    '--controllers=none',
    '--no-scheduler',
    ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
  ]);
  t.teardown(plane.close);
  const config = new KubeConfig();
  config.loadFromFile(plane.kubeconfig);
  const ca = Buffer.from(config.getCurrentCluster()?.caData ?? '', 'base64').toString();
  const ask = async (
    path: string,
    headers: Record<string, string>,
    { body, identity = {} }: { readonly body?: object; readonly identity?: object } = {},
  ) => {
    const agent = new Agent({ connect: { ca, ...identity }, allowH2: false });
    try {
      const answer = await agent.request({
        origin: plane.url,
        path,
        method: body === undefined ? 'GET' : 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        ...(body && { body: body instanceof Readable ? body : JSON.stringify(body) }),
      });
      return { status: answer.statusCode, body: (await answer.body.json()) as Record<string, unknown> };
    } finally {
      await agent.destroy();
    }
  };
  const alice = { authorization: 'Bearer secret' };
  const pods = '/api/v1/namespaces/default/pods';
  const whoAmI = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
  const review = { body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' } };

  t.equal((await ask('/version', {})).status, 401, 'nobody is anonymous');
  t.match(await ask(whoAmI, alice, review), { body: { status: { userInfo: { username: 'alice' } } } });
  const token = await new SignJWT({ sub: 'bob' })
    .setProtectedHeader({ alg: 'RS256', kid: 'k' })
    .setIssuer(issuerUrl())
    .setAudience('k8ts')
    .setExpirationTime('5m')
    .sign(keys.privateKey);
  t.match(await ask(whoAmI, { authorization: `Bearer ${token}` }, review), {
    body: { status: { userInfo: { username: 'oidc:bob' } } },
  });
  const asDave = { 'x-user': 'dave', 'x-remote-group': 'system:masters' };
  t.match(await ask(whoAmI, asDave, { ...review, identity: await proxies.client('gateway', []) }), {
    body: { status: { userInfo: { username: 'dave' } } },
  });
  t.equal((await ask(whoAmI, asDave, { ...review, identity: await proxies.client('other', []) })).status, 401);

  t.match(await ask('/.well-known/openid-configuration', alice), { body: { issuer: 'https://accounts.test' } });
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } };
  await ask('/api/v1/namespaces/default/serviceaccounts', alice, { body: account });
  const tokenRequest = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences: ['second'] },
  };
  const issued = await ask('/api/v1/namespaces/default/serviceaccounts/robot/token', alice, { body: tokenRequest });
  const { token: robot } = issued.body['status'] as { readonly token: string };
  t.match(await ask(whoAmI, { authorization: `Bearer ${robot}` }, review), {
    body: { status: { userInfo: { username: 'system:serviceaccount:default:robot' } } },
  });

  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'c', image: 'i:1' }] },
  };
  const made = await ask(pods, alice, { body: pod });
  t.match(made, { status: 201, body: { spec: { containers: [{ imagePullPolicy: 'Always' }] } } });
  t.notMatch(made.body['spec'], { serviceAccountName: 'default' }, 'its plugin is off');
  const service = (spec: object): object => ({
    body: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { generateName: 's' },
      spec: { ports: [{ port: 80 }], ...spec },
    },
  });
  t.match(await ask('/api/v1/namespaces/default/services', alice, service({ externalIPs: ['192.0.2.1'] })), {
    status: 403,
    body: { message: /Use of external IPs is denied by admission control/ },
  });
  const { body } = await ask('/api/v1/namespaces/default/services', alice, service({ type: 'NodePort' }));
  const { ports } = body['spec'] as { readonly ports: readonly [{ readonly nodePort: number }] };
  t.ok(ports[0].nodePort >= 31000 && ports[0].nodePort <= 31010, 'out of the range');

  const endless = new Readable({ read: () => undefined });
  endless.push('{');
  t.match(await ask(pods, alice, { body: endless }), { status: 504, body: { reason: 'Timeout' } });

  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data: { a: 'b' } };
  t.equal((await ask('/api/v1/namespaces/default/configmaps', alice, { body: map })).status, 201);
  await plane.restart();
  const events = (await readFile(auditLog, 'utf8')).trim().split('\n');
  t.match(JSON.parse(events.at(-1) ?? '{}'), {
    kind: 'Event',
    level: 'RequestResponse',
    user: { username: 'alice' },
    requestObject: { data: { a: 'b' } },
  });
  t.notMatch(events.join(), /"resource":"pods"/);
});

t.test('what cannot be used is told before anything listens', async (t) => {
  const cases = [
    { flags: ['--token-auth-file=/nowhere'], says: /apiServer.tokenAuthFile: \/nowhere cannot be read/ },
    { flags: [`--token-auth-file=${await file('bad.csv', 'x\n')}`], says: /line 1 of the token file/ },
    {
      flags: ['--enable-admission-plugins=ImagePolicyWebhook'],
      says: /there is no admission plugin ImagePolicyWebhook/,
    },
    {
      flags: [
        `--audit-policy-file=${await file('bad.yaml', 'kind: Policy')}`,
        `--audit-log-path=${join(folder, 'x.log')}`,
      ],
      says: /the audit policy cannot be used/,
    },
    { flags: ['--service-node-port-range=32000-31000'], says: /is no range of ports/ },
    { flags: ['--etcd-servers=http://x'], says: /etcd-servers/ },
  ];
  const run = async (flags: readonly string[], index: number): Promise<string> => {
    const data = join(folder, String(index));
    const args = ['run', 'control-plane', '--data-dir', data, '--port', '0', '--controllers=none', '--no-scheduler'];
    return promisify(execFile)(program, [...args, ...flags]).then(
      () => 'it started',
      (error: { readonly stderr: string }) => error.stderr,
    );
  };
  const said = await Promise.all(cases.map(({ flags }, index) => run(flags, index)));
  for (const [index, { flags, says }] of cases.entries()) t.match(said[index], says, flags.join(' '));
});
