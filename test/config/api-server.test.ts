import t from 'tap';
import { apiServerFlags, apiServerSettingsOf, readInitFile } from '../../src/config/index.ts';

t.test('flags of kube-apiserver become settings', async (t) => {
  const given = {
    'anonymous-auth': 'false',
    'token-auth-file': '/etc/tokens.csv',
    'oidc-issuer-url': 'https://issuer.test',
    'oidc-client-id': 'k8ts',
    'oidc-required-claim': ['hd=example.org', 'x=a=b'],
    'requestheader-username-headers': 'X-Remote-User,X-User',
    'audit-policy-file': '/etc/audit.yaml',
    'audit-log-path': '/var/log/audit.log',
    'audit-log-maxage': '7',
    'max-requests-inflight': '100',
    'service-account-issuer': 'https://accounts.test',
    'api-audiences': ['one,two', 'three'],
    'enable-admission-plugins': 'AlwaysPullImages',
    'service-node-port-range': '30000-30100',
  };
  t.strictSame(apiServerSettingsOf(given), {
    anonymousAuth: false,
    tokenAuthFile: '/etc/tokens.csv',
    oidc: {
      issuerUrl: 'https://issuer.test',
      clientId: 'k8ts',
      requiredClaims: { hd: 'example.org', x: 'a=b' },
    },
    requestHeader: { usernameHeaders: ['x-remote-user', 'x-user'] },
    audit: { policyFile: '/etc/audit.yaml', logPath: '/var/log/audit.log', maxAgeDays: 7 },
    maxRequestsInFlight: 100,
    serviceAccounts: { issuer: 'https://accounts.test', audiences: ['one', 'two', 'three'] },
    admission: { enable: ['AlwaysPullImages'] },
    serviceNodePortRange: '30000-30100',
  });
  t.strictSame(apiServerSettingsOf({ 'audit-log-path': undefined }), {});
});

t.test('every flag has a field of the document', (t) => {
  const values = { boolean: 'true', number: '1', list: 'a', pairs: 'a=b', text: 'https://a.test' };
  const all = Object.fromEntries(apiServerFlags.map(({ flag, read }) => [flag, values[read]]));
  const formed = { 'service-node-port-range': '1-2', 'request-timeout': '5s', 'event-ttl': '5s' };
  t.match(apiServerSettingsOf({ ...all, ...formed }), { anonymousAuth: true });
  t.end();
});

t.test('what is wrong is named', (t) => {
  const wrong = [
    [{ 'etcd-servers': 'http://e' }, { code: 'FLAG_UNSUPPORTED', message: /--etcd-servers is not supported/ }],
    [{ 'anonymous-auth': 'perhaps' }, { code: 'CONFIG_INVALID', message: /anonymousAuth: .*perhaps/ }],
    [{ 'max-requests-inflight': '0' }, { code: 'CONFIG_INVALID', message: /maxRequestsInFlight/ }],
    [{ 'oidc-issuer-url': 'https://a.test' }, { code: 'CONFIG_INVALID', message: /oidc.clientId: is missing/ }],
    [
      { 'oidc-issuer-url': 'http://a.test', 'oidc-client-id': 'a' },
      { code: 'CONFIG_INVALID', message: /must be an https URL/ },
    ],
    [{ 'audit-log-path': '/a' }, { code: 'CONFIG_INVALID', message: /audit.policyFile: is missing/ }],
    [
      { 'audit-log-path': '-', 'audit-policy-file': '/p' },
      { code: 'CONFIG_INVALID', message: /must be a file; standard output/ },
    ],
    [{ 'request-timeout': '60' }, { code: 'CONFIG_INVALID', message: /requestTimeout: must be a duration above zero/ }],
    [{ 'request-timeout': '0s' }, { code: 'CONFIG_INVALID', message: /requestTimeout/ }],
    [{ 'service-node-port-range': '1' }, { code: 'CONFIG_INVALID', message: /must be like 30000-32767/ }],
  ] as const;
  for (const [given, want] of wrong) t.throws(() => apiServerSettingsOf(given), want, JSON.stringify(given));
  t.end();
});

t.test("the cluster's document has the same fields", (t) => {
  const document = (apiServer: string): string =>
    `apiVersion: k8ts.dev/v1\nkind: ClusterConfiguration\napiServer: ${apiServer}\n`;
  const { document: given } = readInitFile(document('{bindPort: 7443, audit: {policyFile: /p, logPath: /l}}'), 'file');
  t.strictSame(given.apiServer, { bindPort: 7443, audit: { policyFile: '/p', logPath: '/l' } });
  t.throws(() => readInitFile(document('{audit: {policyFile: /p}}'), 'file'), {
    code: 'CONFIG_INVALID',
    message: /apiServer.audit.logPath: is missing/,
  });
  t.end();
});
