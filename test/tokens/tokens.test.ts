import { CompactSign, compactVerify } from 'jose';
import t from 'tap';
import {
  clusterInfoConfigMap,
  clusterInfoKubeconfig,
  formatDuration,
  formatToken,
  generateToken,
  parseDuration,
  parseToken,
  readTokenSecret,
  signClusterInfo,
  signedData,
  tokenSecret,
  verifyClusterInfo,
  whyTokenUnusable,
} from '../../src/tokens/index.ts';

const token = parseToken('abcdef.0123456789abcdef');
const text = clusterInfoKubeconfig({ server: 'https://10.0.0.1:6443', caPem: 'PEM' });

t.test('tokens are parsed, written and made', async (t) => {
  t.same(token, { id: 'abcdef', secret: '0123456789abcdef' });
  t.equal(formatToken(token), 'abcdef.0123456789abcdef');
  const made = generateToken();
  t.same(parseToken(formatToken(made)), made);
  t.notSame(generateToken(), made);
});

t.test('what is no token is refused without repeating it', async (t) => {
  for (const given of [
    '',
    'abcdef',
    'ABCDEF.0123456789abcdef',
    'abcdef.0123456789abcde',
    'abcdef.0123456789abcdef0',
    ' abcdef.0123456789abcdef',
  ]) {
    t.throws(() => parseToken(given), { code: 'TOKEN_MALFORMED', exit: 'invalidInput' }, given);
  }
  try {
    parseToken('abcdef.0123456789ABCDEF');
  } catch (error) {
    t.notMatch(String(error), '0123456789');
  }
});

t.test('the Secret says all about the token and is read back', async (t) => {
  const now = new Date('2026-01-01T00:00:00Z');
  const secret = tokenSecret(token, { ttl: parseDuration('24h0m0s'), now, description: 'for n2' });
  t.match(secret, {
    metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
    type: 'bootstrap.kubernetes.io/token',
    data: { expiration: Buffer.from('2026-01-02T00:00:00Z').toString('base64') },
  });
  t.same(readTokenSecret(secret), {
    token,
    expires: new Date('2026-01-02T00:00:00Z'),
    usages: ['signing', 'authentication'],
    groups: ['system:bootstrappers:kubeadm:default-node-token'],
    description: 'for n2',
  });
  t.equal(readTokenSecret(tokenSecret(token, { ttl: 0 }))?.expires, undefined);
});

t.test('a Secret that is not sound grants nothing', async (t) => {
  const good = tokenSecret(token, { ttl: 0 });
  const base64 = (value: string): string => Buffer.from(value).toString('base64');
  const cases = [
    { name: 'type', given: { ...good, type: 'Opaque' } },
    { name: 'name', given: { ...good, metadata: { ...good.metadata, name: 'bootstrap-token-zzzzzz' } } },
    { name: 'id', given: { ...good, data: { ...good.data, 'token-id': base64('../../') } } },
    { name: 'secret', given: { ...good, data: { ...good.data, 'token-secret': '' } } },
    { name: 'date', given: { ...good, data: { ...good.data, expiration: base64('soon') } } },
    { name: 'no data', given: { metadata: good.metadata ?? {}, type: 'bootstrap.kubernetes.io/token' } },
  ];
  for (const { name, given } of cases) t.equal(readTokenSecret(given), undefined, name);
});

t.test('expiry and usages are judged with a reason', async (t) => {
  const now = new Date('2026-01-01T00:00:00Z');
  const record = readTokenSecret(tokenSecret(token, { ttl: 1000, now, usages: ['signing'] }));
  t.ok(record);
  if (record === undefined) return;
  t.equal(whyTokenUnusable(record, 'signing', now), undefined);
  t.match(whyTokenUnusable(record, 'authentication', now), /not for authentication/);
  t.match(whyTokenUnusable(record, 'signing', new Date('2026-01-01T00:00:01Z')), /expired/);
});

t.test('cluster-info is a JWS that another implementation verifies, and the other way round', async (t) => {
  const key = Buffer.from(token.secret);
  const [header, mac] = signClusterInfo(text, token).split('..');
  const whole = `${header}.${Buffer.from(text).toString('base64url')}.${mac}`;
  const { payload, protectedHeader } = await compactVerify(whole, key);
  t.equal(Buffer.from(payload).toString(), text);
  t.same(protectedHeader, { alg: 'HS256', kid: 'abcdef' });
  const theirs = await new CompactSign(Buffer.from(text)).setProtectedHeader({ alg: 'HS256', kid: 'abcdef' }).sign(key);
  const [theirHeader, , theirMac] = theirs.split('.');
  const configMap = { data: { kubeconfig: text, 'jws-kubeconfig-abcdef': `${theirHeader}..${theirMac}` } };
  t.equal(verifyClusterInfo(configMap, token), text);
});

t.test('each way in which cluster-info can be wrong has its own error', async (t) => {
  const good = clusterInfoConfigMap(text, [token]);
  t.equal(verifyClusterInfo(good, token), text);
  const signature = signClusterInfo(text, token);
  const other = { id: token.id, secret: 'ffffffffffffffff' };
  const none = Buffer.from('{"alg":"none","kid":"abcdef"}').toString('base64url');
  const cases = [
    { name: 'empty', data: {}, code: 'CLUSTER_INFO_INVALID', message: /no kubeconfig/ },
    { name: 'not for this token', data: { kubeconfig: text }, code: 'TOKEN_UNKNOWN', message: /abcdef/ },
    { name: 'another secret', sign: signClusterInfo(text, other), message: /does not match/ },
    { name: 'changed text', sign: signClusterInfo(`${text} `, token), message: /does not match/ },
    { name: 'alg none', sign: `${none}..`, message: /algorithm is "none"/ },
    {
      name: 'another kid',
      sign: signClusterInfo(text, { id: 'zzzzzz', secret: token.secret }),
      message: /another token/,
    },
    { name: 'attached', sign: signature.replace('..', '.e30.'), message: /malformed/ },
    { name: 'rubbish', sign: 'rubbish', message: /malformed/ },
  ];
  for (const { name, data, sign, code = 'CLUSTER_INFO_SIGNATURE', message } of cases) {
    const given = { data: data ?? { kubeconfig: text, 'jws-kubeconfig-abcdef': sign ?? '' } };
    t.throws(() => verifyClusterInfo(given, token), { code, message }, name);
  }
});

t.test('signatures follow the tokens that are valid', async (t) => {
  const second = generateToken();
  const data = clusterInfoConfigMap(text, [token]).data ?? {};
  t.equal(signedData(data, [token]), data, 'nothing to write');
  t.same(Object.keys(signedData(data, [second])).sort(), [`jws-kubeconfig-${second.id}`, 'kubeconfig'].sort());
  t.same(signedData(data, []), { kubeconfig: text });
  t.same(signedData({ ...data, note: 'kept' }, []), { kubeconfig: text, note: 'kept' });
});

t.test('durations in the form of Go', async (t) => {
  const cases = [
    { given: '24h0m0s', want: 86_400_000 },
    { given: '90m', want: 5_400_000 },
    { given: '1.5h', want: 5_400_000 },
    { given: '500ms', want: 500 },
    { given: '0', want: 0 },
  ];
  for (const { given, want } of cases) t.equal(parseDuration(given), want, given);
  for (const given of ['', '1', 'h', '-1h', '1d', '1h x']) {
    t.throws(() => parseDuration(given), { code: 'DURATION_MALFORMED' }, given);
  }
  t.equal(formatDuration(86_400_000), '24h');
  t.equal(formatDuration(5_445_000), '1h30m45s');
  t.equal(formatDuration(20), '0s');
});
