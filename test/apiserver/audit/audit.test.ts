// The audit log: which requests are written down, how much of them, and the file they go to.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { createAuditFile, parseAuditPolicy } from '../../../src/apiserver/audit/index.ts';
import { silentLogger } from '../../../src/base/index.ts';
import { createKeyPair } from '../../../src/certs/index.ts';
import { at, configMap, configMaps, type Json, startTestServer } from '../harness.ts';

const folder = await mkdtemp(join(tmpdir(), 'k8ts-audit-'));
t.teardown(() => rm(folder, { recursive: true }));

const policy = parseAuditPolicy(`
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: None
    nonResourceURLs: ['/version', '/healthz*']
  - level: Metadata
    resources: [{ group: '', resources: [secrets] }]
  - level: RequestResponse
    omitManagedFields: true
    verbs: [create]
    resources: [{ group: '', resources: [configmaps] }]
  - level: Request
    resources: [{ group: '', resources: ['serviceaccounts/*'] }]
  - level: Metadata
    omitStages: [ResponseStarted]
`);

const path = join(folder, 'audit.log');
const sink = createAuditFile({ path, logger: silentLogger });
const { privateKeyPem: signingKeyPem } = await createKeyPair();
const server = await startTestServer({
  security: { mode: 'rbac', serviceAccounts: { signingKeyPem, issuer: 'https://issuer.test' } },
  clientGroups: ['system:masters'],
  audit: { policy, sink },
});
t.teardown(() => server.stop());

/** What was written about a path since the last look at it. */
async function eventsOf(uri: string, stage = 'ResponseComplete'): Promise<readonly Json[]> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    await sink.flush();
    const lines = (await readFile(path, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
    const events = lines.map((line) => JSON.parse(line) as Json);
    const found = events.filter((event) => event['requestURI'] === uri && event['stage'] === stage);
    if (found.length > 0) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return [];
}

t.test('who did what, with what result', async (t) => {
  const { status } = await server.call('GET', `${configMaps}/none`, undefined, {
    'user-agent': 'tests',
    'audit-id': 'mine',
  });
  t.equal(status, 404);
  const [event] = await eventsOf(`${configMaps}/none`);
  t.match(event, {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Metadata',
    auditID: 'mine',
    verb: 'get',
    user: { username: 'tester', groups: ['system:masters', 'system:authenticated'] },
    sourceIPs: ['127.0.0.1'],
    userAgent: 'tests',
    objectRef: { resource: 'configmaps', namespace: 'default', name: 'none', apiVersion: 'v1' },
    responseStatus: { status: 'Failure', code: 404, reason: 'NotFound', message: 'configmaps "none" not found' },
    annotations: { 'authorization.k8s.io/decision': 'allow' },
  });
  t.match(event?.['stageTimestamp'], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
});

t.test('bodies where the level asks for them', async (t) => {
  await server.call('POST', `${configMaps}?fieldManager=m`, configMap('told', {}, { key: 'value' }));
  const [event] = await eventsOf(`${configMaps}?fieldManager=m`);
  t.match(event, { level: 'RequestResponse', responseStatus: { code: 201 } });
  t.match(event?.['requestObject'], { data: { key: 'value' } });
  t.match(event?.['responseObject'], { metadata: { name: 'told', uid: String } });
  t.equal(at(event, 'responseObject.metadata.managedFields'), undefined);
});

t.test('no secret gets into the log unless the policy wants it in', async (t) => {
  const secrets = '/api/v1/namespaces/default/secrets';
  const stringData = { password: 'hunter2-hunter2' };
  await server.call('POST', secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData });
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'top-secret-token' } };
  await server.call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', review);
  await server.call('GET', configMaps, undefined, { authorization: 'Bearer top-secret-token' });
  t.equal((await eventsOf(secrets)).length, 1);
  t.equal((await eventsOf('/apis/authentication.k8s.io/v1/tokenreviews')).length, 1);
  const text = await readFile(path, 'utf8');
  t.notMatch(text, /hunter2|aHVudGVyMi|top-secret/);
});

t.test('impersonation, refusals', async (t) => {
  await server.call('GET', `${configMaps}?limit=1`, undefined, { 'impersonate-user': 'jane' });
  const [event] = await eventsOf(`${configMaps}?limit=1`);
  t.match(event, {
    user: { username: 'tester' },
    impersonatedUser: { username: 'jane' },
    responseStatus: { code: 403, reason: 'Forbidden' },
    annotations: { 'authorization.k8s.io/decision': 'forbid' },
  });
});

t.test('watches: when they began', async (t) => {
  const watch = await server.watch(`${configMaps}?watch=1&timeoutSeconds=5`);
  watch.close();
  t.equal((await eventsOf(`${configMaps}?watch=1&timeoutSeconds=5`)).length, 1);
});

t.test('what the policy leaves out', async (t) => {
  await server.call('GET', '/version');
  await server.call('GET', '/readyz');
  t.equal((await eventsOf('/readyz')).length, 1);
  const text = await readFile(path, 'utf8');
  t.notMatch(text, /"requestURI":"\/version"/);
  t.notMatch(text, /"stage":"RequestReceived"/);
});

t.test('a policy that cannot be used says why', async (t) => {
  for (const [text, want] of [
    ['kind: Pod', /it is no audit.k8s.io\/v1 Policy/],
    ['{apiVersion: audit.k8s.io/v1, kind: Policy, rules: []}', /it has no rules/],
    ['{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: Much}]}', /rules\[0\].level must be one of None/],
    [
      '{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, omitStages: [End]}]}',
      /rules\[0\].omitStages: End is not one of/,
    ],
    [
      '{apiVersion: audit.k8s.io/v1, kind: Policy, rules: [{level: None, nonResourceURLs: [/], resources: [{group: ""}]}]}',
      /cannot be about resources and nonResourceURLs at once/,
    ],
    ['{', /cannot be used/],
  ] as const) {
    t.throws(() => parseAuditPolicy(text), { code: 'AUDIT_POLICY_INVALID', message: want }, text);
  }
});

t.test('a full file is renamed, the oldest go', async (t) => {
  const file = join(folder, 'small', 'a.log');
  const broken = createAuditFile({ path: file, logger: silentLogger });
  broken.write('lost\n');
  await broken.flush();
  t.equal(broken.dropped, 1, 'there is no such folder');
  const small = createAuditFile({ path: join(folder, 'a.log'), maxBytes: 10, maxFiles: 2, logger: silentLogger });
  for (let n = 0; n < 6; n += 1) {
    small.write(`line ${n}\n`);
    await small.flush();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await small.close();
  const names = (await readdir(folder)).filter((name) => name.startsWith('a')).sort();
  t.equal(names.filter((name) => /^a-\d{4}-.*\.log$/.test(name)).length, 2);
  t.equal(await readFile(join(folder, 'a.log'), 'utf8'), 'line 5\n');
});

t.test('a queue that is full drops what is new', async (t) => {
  const bounded = createAuditFile({ path: join(folder, 'b.log'), queueBytes: 12, logger: silentLogger });
  for (const line of ['first\n', 'secnd\n', 'third\n']) bounded.write(line);
  await bounded.close();
  t.equal(await readFile(join(folder, 'b.log'), 'utf8'), 'first\nsecnd\n');
  t.equal(bounded.dropped, 1);
});
