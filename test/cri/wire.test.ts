import t from 'tap';
import { bool, bytes, choice, decode, encode, int, list, map, message, string } from '../../src/cri/wire.ts';

const Inner = message({ name: [1, string], count: [2, int] });
const Outer = message({
  text: [1, string],
  number: [2, int],
  flag: [3, bool],
  data: [4, bytes],
  kind: [5, choice('none', 'some', 'all')],
  labels: [6, map],
  inner: [7, Inner],
  names: [8, list(string)],
  numbers: [9, list(int)],
  inners: [20, list(Inner)],
});

t.test('what was encoded is decoded again', async (t) => {
  const value = {
    text: 'grüße',
    number: -1,
    flag: true,
    data: Buffer.from([0, 255]),
    kind: 'all' as const,
    labels: { 'a/b': 'c', empty: '' },
    inner: { name: 'x', count: 2 ** 40 },
    names: ['', 'b'],
    numbers: [0, 1, -5, 300],
    inners: [
      { name: 'one', count: 0 },
      { name: '', count: 7 },
    ],
  };
  t.match(decode(Outer, encode(Outer, value)), value);
});

t.test('absent fields have the defaults of proto3', async (t) => {
  t.same(decode(Outer, new Uint8Array()), {
    text: '',
    number: 0,
    flag: false,
    data: new Uint8Array(),
    kind: 'none',
    labels: {},
    inner: undefined,
    names: [],
    numbers: [],
    inners: [],
  });
  t.equal(encode(Outer, { text: '', number: 0, flag: false, kind: 'none', labels: {}, names: [] }).length, 0);
});

t.test('bytes as other implementations write them', async (t) => {
  const cases = [
    { name: 'a negative int32 has ten bytes', given: '10ffffffffffffffffff01', want: { number: -1 } },
    { name: 'a nanosecond timestamp', given: '108080a8b1e39fe7cb17', want: { number: 1700000000000000000 } },
    { name: 'packed numbers', given: '4a03012c05', want: { numbers: [1, 44, 5] } },
    { name: 'numbers that are not packed', given: '48014802', want: { numbers: [1, 2] } },
    { name: 'a field that is not known', given: 'f801010a0161', want: { text: 'a' } },
    { name: 'fixed fields are skipped', given: '2900000000000000003500000000' + '0a0161', want: { text: 'a' } },
    { name: 'an enum value that is not known', given: '2863', want: { kind: 'none' } },
  ];
  for (const { name, given, want } of cases) {
    t.match(decode(Outer, Buffer.from(given, 'hex')), want, name);
  }
});

t.test('what ends too early is an error, not a wrong value', async (t) => {
  for (const given of ['0a05616263', '10ff', '08', '3a0a0a']) {
    t.throws(() => decode(Outer, Buffer.from(given, 'hex')), RangeError, given);
  }
});
