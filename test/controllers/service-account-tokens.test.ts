import t from 'tap';
import type { Secret, ServiceAccount, Stored } from '../../src/api/index.ts';
import { reconcileTokens } from '../../src/controllers/service-account-token.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function account(like: Partial<ServiceAccount> = {}): Stored<ServiceAccount> {
  const metadata = { name: 'a', namespace: 'n', uid: '12345678', resourceVersion: '1', ...like.metadata };
  return { ...like, metadata } as Stored<ServiceAccount>;
}

function secret(name: string, data: Secret['data'], uid?: string): Stored<Secret> {
  const annotations = {
    'kubernetes.io/service-account.name': 'a',
    ...(uid === undefined ? {} : { 'kubernetes.io/service-account.uid': uid }),
  };
  const metadata = { name, namespace: 'n', uid: `uid-${name}`, resourceVersion: '1', annotations };
  return { metadata, type: 'kubernetes.io/service-account-token', data } as unknown as Stored<Secret>;
}

const filled = { token: base64('t'), namespace: base64('n'), 'ca.crt': base64('CA') };
const named = account({ secrets: [{ name: 'a-token-12345' }] });

const cases = [
  {
    name: 'an account without a Secret gets one',
    account: account(),
    secrets: [],
    want: [
      { do: 'create', object: { metadata: { name: 'a-token-12345' }, type: 'kubernetes.io/service-account-token' } },
    ],
  },
  {
    name: 'an empty Secret is filled before it is named',
    account: account(),
    secrets: [secret('a-token-12345', {}, '12345678')],
    want: [{ do: 'issueToken', secret: { data: { namespace: base64('n'), 'ca.crt': base64('CA') } } }],
  },
  {
    name: 'a filled Secret is named beside those that are named already',
    account: account({ secrets: [{ name: 'other' }] }),
    secrets: [secret('a-token-12345', filled, '12345678')],
    want: [{ do: 'update', object: { secrets: [{ name: 'other' }, { name: 'a-token-12345' }] } }],
  },
  {
    name: 'all as it should be',
    account: named,
    secrets: [secret('a-token-12345', filled, '12345678')],
    want: [],
  },
  {
    name: 'a Secret that a person made is filled and not named',
    account: named,
    secrets: [secret('a-token-12345', filled, '12345678'), secret('mine', {})],
    want: [
      {
        do: 'issueToken',
        secret: { metadata: { name: 'mine', annotations: { 'kubernetes.io/service-account.uid': '12345678' } } },
      },
    ],
  },
  {
    name: 'the Secret of an earlier account of this name is deleted',
    account: named,
    secrets: [secret('a-token-12345', filled, '12345678'), secret('old', filled, '9')],
    want: [{ do: 'delete', object: { metadata: { name: 'old' } } }],
  },
  {
    name: 'another root certificate is put in, with a new token',
    account: named,
    secrets: [secret('a-token-12345', { ...filled, 'ca.crt': base64('old') }, '12345678')],
    want: [{ do: 'issueToken', secret: { data: { 'ca.crt': base64('CA') } } }],
  },
  {
    name: 'an account that is being deleted is left alone',
    account: account({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' as never } }),
    secrets: [],
    want: [],
  },
];

for (const { name, account, secrets, want } of cases) {
  t.test(name, async (t) => {
    const actions = reconcileTokens(account, secrets, 'CA');
    t.equal(actions.length, want.length);
    t.match(actions, want);
  });
}
