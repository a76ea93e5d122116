// Which texts fit which format of OpenAPI.

import t from 'tap';
import { fitsFormat } from '../../../src/api/structural/formats.ts';

const cases: Readonly<Record<string, { readonly fits: readonly string[]; readonly not: readonly string[] }>> = {
  'date-time': {
    fits: ['2020-01-01T00:00:00Z', '2020-01-01t00:00:00z', '2020-01-01T00:00:00.123456789+01:00'],
    not: ['2020-01-01', '2020-01-01 00:00:00Z', '2020-01-01T00:00:60Z', '2020-02-30T00:00:00Z', '2020-01-01T00:00:00'],
  },
  date: { fits: ['2020-02-29'], not: ['2019-02-29', '2020-1-1'] },
  email: {
    fits: ['a@b', 'a@b.co', 'A <a@b.c>', '"a b"@c.d'],
    not: ['a', 'a@', '@b', 'a b@c', 'a@b..c', 'a.@b.c', 'a@[1.2.3.4]'],
  },
  ipv4: { fits: ['1.2.3.4', '::ffff:1.2.3.4'], not: ['::1', '1.2.3'] },
  ipv6: { fits: ['::1'], not: ['1.2.3.4', 'fe80::1%eth0'] },
  cidr: { fits: ['10.0.0.1/8', '::/0', '1.2.3.4/08'], not: ['10.0.0.0', '10.0.0.0/33'] },
  duration: { fits: ['1h30m', '1 day', '3 weeks', 'PT1H', '0'], not: ['1', 'x', '1y'] },
  uri: { fits: ['http://a/b', '/a', '*', 'urn:x', 'http://'], not: ['x', 'a b', '?x'] },
  hostname: { fits: ['a', 'a.com', 'münchen.de'], not: ['a.b', 'a.', '1.2.3.4', '-a.com', `${'a'.repeat(64)}.com`] },
  ssn: { fits: ['111-11-1111', '111 11 1111'], not: ['111111111', '111-111111'] },
  unheard: { fits: ['anything'], not: [] },
};

for (const [format, { fits, not }] of Object.entries(cases)) {
  t.test(format, async (t) => {
    for (const text of fits) t.ok(fitsFormat(format, text), text);
    for (const text of not) t.notOk(fitsFormat(format, text), text);
  });
}

t.test('numbers are held to no format', async (t) => {
  t.ok(fitsFormat('int32', 3e9));
});
