// Quantities: what is read, how it is written again, and sums that stay exact.

import t from 'tap';
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  percentOf,
  quantityMilliValue,
  quantityValue,
  scaleIntOrString,
  subtractQuantities,
} from '../../src/api/index.ts';

const canonical: readonly (readonly [given: string | number, want: string])[] = [
  ['0', '0'],
  ['0.5', '500m'],
  ['.5', '500m'],
  ['5.', '5'],
  ['1000m', '1'],
  ['1500m', '1500m'],
  ['100m', '100m'],
  ['1024Mi', '1Gi'],
  ['1.5Gi', '1536Mi'],
  ['512', '512'],
  ['1Ki', '1Ki'],
  ['0.5Ki', '512'],
  ['1.05Ki', '1075200m'],
  ['3000000', '3M'],
  ['1e3', '1e3'],
  ['12e4', '120e3'],
  ['1E', '1E'],
  ['0.0000000001', '1n'],
  ['-0.5', '-500m'],
  ['+1', '1'],
  ['99999999999999999999', '9223372036854775807'],
  [2, '2'],
  [0.1, '100m'],
];

t.test('a quantity is written in its canonical form, which reads as itself', async (t) => {
  for (const [given, want] of canonical) {
    t.equal(canonicalQuantity(given), want, `${given}`);
    t.equal(canonicalQuantity(want), want, `${want} again`);
  }
});

t.test('what is no quantity is refused', async (t) => {
  for (const given of ['', ' ', 'abc', '1.2.3', '1 Mi', 'Mi', '.', '1Zi', '--1', '0x10']) {
    t.throws(() => parseQuantity(given), { name: 'QuantityError' }, JSON.stringify(given));
  }
});

t.test('sums keep the format of the first that is not zero', async (t) => {
  const sum = (a: string, b: string): string => formatQuantity(addQuantities(parseQuantity(a), parseQuantity(b)));
  t.equal(sum('100m', '0.9'), '1');
  t.equal(sum('0', '1Gi'), '1Gi');
  t.equal(sum('1Gi', '1G'), '2073741824');
  t.equal(sum('9007199254740993', '9007199254740993'), '18014398509481986', 'past 2^53');
  t.equal(formatQuantity(subtractQuantities(parseQuantity('1'), parseQuantity('1100m'))), '-100m');
});

t.test('comparison does not depend on how a value is written', async (t) => {
  t.equal(compareQuantities(parseQuantity('1Gi'), parseQuantity('1024Mi')), 0);
  t.equal(compareQuantities(parseQuantity('1G'), parseQuantity('1Gi')), -1);
  t.equal(compareQuantities(parseQuantity('2'), parseQuantity('1999m')), 1);
});

t.test('whole and thousandth values round up', async (t) => {
  t.equal(quantityValue(parseQuantity('100m')), 1);
  t.equal(quantityValue(parseQuantity('1Mi')), 1_048_576);
  t.equal(quantityMilliValue(parseQuantity('1.5')), 1500);
  t.equal(quantityMilliValue(parseQuantity('1u')), 1);
});

t.test('a percentage scales to a total', async (t) => {
  t.equal(scaleIntOrString('25%', 10, 'up'), 3);
  t.equal(scaleIntOrString('25%', 10, 'down'), 2);
  t.equal(scaleIntOrString(4, 10, 'up'), 4);
  t.equal(percentOf('150%'), 150);
  t.throws(() => scaleIntOrString('ten', 10, 'up'), RangeError);
});
