// Two more libraries that Kubernetes adds to CEL: named formats of names (`format.dns1123Label().validate(x)`) and semantic
// versions. Source: k8s.io/apiserver pkg/cel/library (format.go, semverlib.go); semver.org, precedence.

import { type Environment, Optional } from '@marcbachmann/cel-js';
import {
  whyNotDns1035Label,
  whyNotDnsLabel,
  whyNotDnsSubdomain,
  whyNotLabelValue,
  whyNotQualifiedName,
} from '../validation/names.ts';
import { fitsFormat } from './formats.ts';

/** What is wrong with a text; empty when nothing is. */
type Judge = (text: string) => readonly string[];

/** A named format, as an expression holds it. */
class CelFormat {
  readonly judge: Judge;
  constructor(judge: Judge) {
    this.judge = judge;
  }
}

/** What the formats' functions hang on: the `format` of an expression. */
class CelFormats {}

class CelSemver {
  readonly core: readonly bigint[];
  readonly pre: readonly string[];
  constructor(core: readonly bigint[], pre: readonly string[]) {
    this.core = core;
    this.pre = pre;
  }
}

const formats: Readonly<Record<string, Judge>> = {
  dns1123Label: whyNotDnsLabel,
  dns1123Subdomain: whyNotDnsSubdomain,
  dns1035Label: whyNotDns1035Label,
  dns1123LabelPrefix: ofPrefix(whyNotDnsLabel),
  dns1123SubdomainPrefix: ofPrefix(whyNotDnsSubdomain),
  dns1035LabelPrefix: ofPrefix(whyNotDns1035Label),
  qualifiedName: whyNotQualifiedName,
  labelValue: whyNotLabelValue,
  uri: fitting('uri', 'invalid URI'),
  uuid: fitting('uuid', 'does not match the UUID format'),
  byte: fitting('byte', 'invalid base64'),
  date: fitting('date', 'invalid date'),
  datetime: fitting('datetime', 'invalid datetime'),
};

/** Names that are made by adding something may end in a dash. */
function ofPrefix(judge: Judge): Judge {
  return (text) => judge(text.endsWith('-') ? `${text.slice(0, -1)}a` : text);
}

function fitting(format: string, why: string): Judge {
  return (text) => (fitsFormat(format, text) ? [] : [why]);
}

/** Adds both libraries to `env`. */
export function registerFormats(env: Environment): void {
  env.registerType('kubernetes.NamedFormats', { ctor: CelFormats });
  env.registerType('kubernetes.NamedFormat', { ctor: CelFormat });
  env.registerConstant('format', 'kubernetes.NamedFormats', new CelFormats());
  for (const [name, judge] of Object.entries(formats)) {
    env.registerFunction(`kubernetes.NamedFormats.${name}(): kubernetes.NamedFormat`, () => new CelFormat(judge));
  }
  env.registerFunction('kubernetes.NamedFormats.named(string): optional', (_formats: CelFormats, name: string) =>
    Object.hasOwn(formats, name) ? Optional.of(new CelFormat(formats[name] ?? (() => []))) : Optional.none(),
  );
  env.registerFunction('kubernetes.NamedFormat.validate(string): optional', ({ judge }: CelFormat, text: string) => {
    const reasons = judge(text);
    return reasons.length === 0 ? Optional.none() : Optional.of([...reasons]);
  });
  registerSemver(env);
}

function registerSemver(env: Environment): void {
  env.registerType('kubernetes.Semver', { ctor: CelSemver });
  env.registerFunction('isSemver(string): bool', (text: string) => parseSemver(text) !== undefined);
  env.registerFunction('semver(string): kubernetes.Semver', (text: string) => {
    const parsed = parseSemver(text);
    if (parsed === undefined) throw new Error(`invalid semantic version ${JSON.stringify(text)}`);
    return parsed;
  });
  for (const [index, name] of ['major', 'minor', 'patch'].entries()) {
    env.registerFunction(`kubernetes.Semver.${name}(): int`, ({ core }: CelSemver) => core[index] ?? 0n);
  }
  const compared = (name: string, type: string, answer: (order: number) => unknown): void => {
    const signature = `kubernetes.Semver.${name}(kubernetes.Semver): ${type}`;
    env.registerFunction(signature, (self: CelSemver, other: CelSemver) => answer(compareSemver(self, other)));
  };
  compared('compareTo', 'int', BigInt);
  compared('isLessThan', 'bool', (order) => order < 0);
  compared('isGreaterThan', 'bool', (order) => order > 0);
}

const semverPattern =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*))?(?:\+[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?$/;

function parseSemver(text: string): CelSemver | undefined {
  const match = semverPattern.exec(text);
  if (match === null) return undefined;
  const [, major = '0', minor = '0', patch = '0', pre] = match;
  return new CelSemver([BigInt(major), BigInt(minor), BigInt(patch)], pre === undefined ? [] : pre.split('.'));
}

function compareSemver(a: CelSemver, b: CelSemver): number {
  for (const [index, part] of a.core.entries()) {
    const other = b.core[index] ?? 0n;
    if (part !== other) return part < other ? -1 : 1;
  }
  // A release comes after its own pre-releases.
  if (a.pre.length === 0 || b.pre.length === 0) return Math.sign(b.pre.length - a.pre.length);
  for (const [index, part] of a.pre.entries()) {
    const other = b.pre[index];
    if (other === undefined) return 1;
    const order = comparePart(part, other);
    if (order !== 0) return order;
  }
  return a.pre.length < b.pre.length ? -1 : 0;
}

function comparePart(a: string, b: string): number {
  const [left, right] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (left && right) return Math.sign(Number(a) - Number(b));
  if (left !== right) return left ? -1 : 1;
  return a < b ? -1 : Number(a > b);
}
