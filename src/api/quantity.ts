// Quantities: `100m`, `1.5Gi`, `1e3`. Exact as upstream: a value is a whole number of units 10^scale, so that sums
// never drift; a plain number is used while it is safe, BigInt beyond. Canonical form: no fraction, the largest
// suffix that loses nothing, and nothing finer than 10^-9 (rounded up, away from zero).
// Source: k8s.io/apimachinery pkg/api/resource (Quantity, suffix.go).

export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** value = mantissa × 10^scale, scale from -9 to 0. */
export interface Quantity {
  readonly mantissa: number | bigint;
  readonly scale: number;
  readonly format: QuantityFormat;
}

export class QuantityError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'QuantityError';
  }
}

const decimalSuffixes: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binarySuffixes: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const decimalByExponent = new Map(Object.entries(decimalSuffixes).map(([suffix, exponent]) => [exponent, suffix]));
const binaryByExponent = new Map(Object.entries(binarySuffixes).map(([suffix, exponent]) => [exponent, suffix]));
const maxInt64 = 2n ** 63n - 1n;

const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d{1,4})?$/;

/** Reads a quantity as JSON gives it. Throws QuantityError with upstream's sentence. */
export function parseQuantity(text: string | number): Quantity {
  const string = String(text).trim();
  if (string === '') throw new QuantityError('empty string is not a quantity');
  const match = pattern.exec(string);
  if (match === null || ((match[2] ?? '') === '' && (match[3] ?? '') === '')) {
    throw new QuantityError(
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    );
  }
  const [, sign, whole = '', fraction = '', suffix = ''] = match;
  const digits = `${whole}${fraction}`;
  if (digits.length > 100) throw new QuantityError('unable to parse quantity');
  const signed = sign === '-' ? -1n : 1n;
  const binary = Object.hasOwn(binarySuffixes, suffix) ? binarySuffixes[suffix] : undefined;
  if (binary !== undefined) {
    return make(signed * BigInt(digits) * 2n ** BigInt(binary), -fraction.length, 'BinarySI');
  }
  const decimal = Object.hasOwn(decimalSuffixes, suffix) ? decimalSuffixes[suffix] : undefined;
  const exponent = decimal ?? Number(suffix.slice(1));
  return make(
    signed * BigInt(digits),
    exponent - fraction.length,
    decimal === undefined ? 'DecimalExponent' : 'DecimalSI',
  );
}

/** The canonical text: `0.5` is `500m`, `1024Mi` is `1Gi`, `1000m` is `1`. */
export function formatQuantity(quantity: Quantity): string {
  const mantissa = BigInt(quantity.mantissa);
  if (mantissa === 0n) return '0';
  if (quantity.format === 'BinarySI') {
    const text = binaryText(mantissa, quantity.scale);
    if (text !== undefined) return text;
  }
  let value = mantissa;
  let exponent = quantity.scale;
  while (value % 10n === 0n) {
    value /= 10n;
    exponent += 1;
  }
  const step = Math.min(18, Math.floor(exponent / 3) * 3);
  const number = value * 10n ** BigInt(exponent - step);
  if (quantity.format === 'DecimalExponent') return step === 0 ? `${number}` : `${number}e${step}`;
  return `${number}${decimalByExponent.get(step) ?? ''}`;
}

const canonicalTexts = new Map<string, string>();

/** formatQuantity(parseQuantity(text)); remembers what it has seen, because few texts cover most objects. */
export function canonicalQuantity(text: string | number): string {
  if (typeof text === 'number') return formatQuantity(parseQuantity(text));
  const known = canonicalTexts.get(text);
  if (known !== undefined) return known;
  const canonical = formatQuantity(parseQuantity(text));
  if (canonicalTexts.size >= 4096) canonicalTexts.clear();
  canonicalTexts.set(text, canonical);
  return canonical;
}

export function compareQuantities(a: Quantity, b: Quantity): -1 | 0 | 1 {
  const [x, y] = aligned(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** The sum, in the format of `a` (of `b` when `a` is zero), as upstream. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  const [x, y, scale] = aligned(a, b);
  return make(BigInt(x) + BigInt(y), scale, isZero(a) ? b.format : a.format);
}

export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  const [x, y, scale] = aligned(a, b);
  return make(BigInt(x) - BigInt(y), scale, isZero(a) ? b.format : a.format);
}

function isZero(quantity: Quantity): boolean {
  return BigInt(quantity.mantissa) === 0n;
}

/** -1, 0 or 1. */
export function signOf(quantity: Quantity): number {
  return quantity.mantissa < 0 ? -1 : quantity.mantissa > 0 ? 1 : 0;
}

/** The value in whole units, rounded up: bytes of memory, pods. */
export function quantityValue(quantity: Quantity): number {
  return scaled(quantity, 0);
}

/** The value in thousandths, rounded up: CPU in millicores. */
export function quantityMilliValue(quantity: Quantity): number {
  return scaled(quantity, 3);
}

function scaled({ mantissa, scale }: Quantity, decimals: number): number {
  const exponent = scale + decimals;
  if (exponent >= 0) return Number(BigInt(mantissa) * 10n ** BigInt(exponent));
  return Number(divideAwayFromZero(BigInt(mantissa), 10n ** BigInt(-exponent)));
}

function make(mantissa: bigint, scale: number, format: QuantityFormat): Quantity {
  if (mantissa === 0n) return { mantissa: 0, scale: 0, format };
  let value = mantissa;
  let exponent = scale;
  if (exponent < -9) {
    value = divideAwayFromZero(value, 10n ** BigInt(-9 - exponent));
    exponent = -9;
  }
  if (exponent > 0) {
    // Upstream holds at most what int64 holds and caps beyond.
    value = exponent > 19 ? (value < 0n ? -maxInt64 : maxInt64) : value * 10n ** BigInt(exponent);
    exponent = 0;
  }
  while (exponent < 0 && value % 10n === 0n) {
    value /= 10n;
    exponent += 1;
  }
  if (exponent === 0 && value > maxInt64) value = maxInt64;
  if (exponent === 0 && value < -maxInt64) value = -maxInt64;
  const small = value >= -9007199254740991n && value <= 9007199254740991n;
  return { mantissa: small ? Number(value) : value, scale: exponent, format };
}

/** Both mantissas at the finer of the two scales. */
function aligned(a: Quantity, b: Quantity): readonly [number | bigint, number | bigint, number] {
  if (a.scale === b.scale) return [a.mantissa, b.mantissa, a.scale];
  const scale = Math.min(a.scale, b.scale);
  const at = (one: Quantity): bigint => BigInt(one.mantissa) * 10n ** BigInt(one.scale - scale);
  return [at(a), at(b), scale];
}

function divideAwayFromZero(value: bigint, by: bigint): bigint {
  const rest = value % by;
  if (rest === 0n) return value / by;
  return value / by + (value < 0n ? -1n : 1n);
}

/** Binary text of a whole number of at least 1024; undefined when it must be shown as a decimal. */
function binaryText(mantissa: bigint, scale: number): string | undefined {
  const value = scale < 0 ? undefined : mantissa * 10n ** BigInt(scale);
  const size = value === undefined ? undefined : value < 0n ? -value : value;
  // Below 1024 and with fractions the canonical form is decimal.
  if (value === undefined || size === undefined || size < 1024n) return undefined;
  let rest = value;
  let exponent = 0;
  while (exponent < 60 && rest % 1024n === 0n) {
    rest /= 1024n;
    exponent += 10;
  }
  return `${rest}${binaryByExponent.get(exponent) ?? ''}`;
}
